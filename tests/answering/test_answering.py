"""A run directory, opened without the training data, answers as the trained model did."""

from __future__ import annotations

import hashlib
import json
import resource

import numpy as np
import pytest
import torch

from seqrnn.answering.labeller import Labeller
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.text_generator import TextGenerator
from seqrnn.backends.torch.parameters import load_model
from seqrnn.catalog import CELLS
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import BOS
from seqrnn.errors import ModelError, UsageError
from seqrnn.run.directory import RunDirectory
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling
from seqrnn.tasks.task import LabelSelection

TEXTS = ["red cat", "", "an unknown word", "blue old new cat dog red", "dog", "red cat"]
ALL = LabelSelection(k=3)


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    return request.param


def rows(texts):
    return [Record(text) for text in texts]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", ["last", "max"])
def test_a_saved_classifier_answers_as_the_trained_one(train, cell, pooling, opened, backend):
    session, path = train("tsv", {"model.cell": cell, "model.pooling": pooling, "model.bidirectional": True})
    load_model(session.model, dict(RunDirectory.open(path).best().tensors(None)))
    (path.parent / "train.tsv").unlink()
    labeller = Labeller(*opened(path, backend))
    for text, answer in zip(TEXTS, labeller.answer(rows(TEXTS), ALL), strict=True):
        ids = torch.tensor([session.task.source.tokenizer.encode_batch([text])[0].ids.tolist()]).long()
        with torch.inference_mode():
            arrays = {"source": ids.reshape(1, -1), "lengths": torch.tensor([ids.numel()])}
            logits = session.model.eval().network.scores(arrays)
        expected = dict(zip("abc", logits.log_softmax(dim=1)[0].tolist(), strict=True))
        assert dict(answer.nbest) == pytest.approx(expected, abs=1e-6)
        scores = [score for _, score in answer.nbest]
        assert scores == sorted(scores, reverse=True)


def test_an_answer_does_not_depend_on_the_other_texts(train, opened, backend):
    _, path = train("tsv", {"data.max_tokens": 4})
    labeller = Labeller(*opened(path, backend))
    together = labeller.answer(rows(TEXTS), ALL)
    for text, answer in zip(TEXTS, together, strict=True):
        (alone,) = labeller.answer(rows([text]), ALL)
        assert dict(answer.nbest) == pytest.approx(dict(alone.nbest), abs=1e-6)
    assert together[0] == together[5]
    assert [answer.unknown for answer in together] == [0, 0, 3, 0, 0, 0]
    assert [answer.truncated for answer in together] == [False, False, False, True, False, False]
    assert labeller.answer([], ALL) == []


@pytest.mark.parametrize("cell", CELLS)
def test_a_saved_language_model_goes_on_as_the_trained_one(train, cell, opened, backend):
    session, path = train("text", {"model.cell": cell, "model.num_layers": 2})
    load_model(session.model, dict(RunDirectory.open(path).best().tensors(None)))
    _, asked = opened(path, backend)
    generator = TextGenerator(open_run(path), asked)
    prompt = np.array([4, 5, 6])
    logits, states = generator.start(prompt)
    more, _ = generator.step(np.array([7]), states)
    hidden, _ = session.model.eval().rnn(
        session.model.embedding(torch.tensor([[BOS, 4, 5, 6, 7]])), torch.tensor([5])
    )
    expected = session.model.network.score(hidden)[0].detach().numpy()
    np.testing.assert_allclose(logits[0], expected[3], atol=1e-5)
    np.testing.assert_allclose(more[0], expected[4], atol=1e-5)


def test_generating_asks_the_model_for_one_token_at_a_time(train, opened, backend):
    _, path = train("text")
    _, asked = opened(path, backend)
    generator = TextGenerator(open_run(path), asked)
    start = generator.start(np.array([], dtype=np.int64))
    tokens = [
        int(c.tokens[0])
        for c in generate(generator.step, start, Limits(fixed_len=8), Sampling(temperature=0))
    ]
    for count in range(1, 8):
        logits, _ = generator.start(np.array(tokens[:count]))
        logits[:, :4] = -np.inf
        assert logits.argmax() == tokens[count]


@pytest.mark.parametrize(
    ("layout", "command", "right"), [("tsv", "generate", "classify"), ("text", "classify", "generate")]
)
def test_the_wrong_command_is_told_the_right_one(train, layout, command, right):
    _, path = train(layout)
    with pytest.raises(UsageError, match=rf"; use `{right}\(\)`$"):
        open_run(path, command=command)


def tamper(path, name, change):
    """Change a text file of a run, and its hash in every manifest as an attacker would."""
    content = change((path / name).read_text(encoding="utf-8"))
    (path / name).write_text(content, encoding="utf-8")
    written = {"sha256": hashlib.sha256(content.encode()).hexdigest(), "bytes": len(content.encode())}
    for manifest in path.glob("gen-*/manifest.json"):
        value = json.loads(manifest.read_text())
        value["files"][name] = written
        manifest.write_text(json.dumps(value))


@pytest.mark.parametrize("size", ["7", "65536", "1000000000000"])
def test_a_size_that_the_file_does_not_have_is_refused_before_memory_is_taken(train, size, opened, backend):
    _, path = train("tsv")
    opened(path, backend)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tamper(path, "config.yaml", lambda text: text.replace("hidden_size: 6", f"hidden_size: {size}"))
    assert f"hidden_size: {size}" in (path / "config.yaml").read_text()
    with pytest.raises(ModelError):
        opened(path, backend)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # kilobytes


def test_a_vocabulary_that_does_not_fit_the_weights_is_refused(train, opened, backend):
    _, path = train("tsv")
    tamper(path, "labels.json", lambda text: text.replace('"c"', '"c", "d"'))
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        opened(path, backend)


def test_a_changed_configuration_is_refused(train, opened, backend):
    _, path = train("tsv")
    with (path / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(ModelError, match=r"config\.yaml"):
        opened(path, backend)
