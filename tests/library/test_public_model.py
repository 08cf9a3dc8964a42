"""What a loaded model answers to rows of Python."""

from __future__ import annotations

import itertools
import json
import pickle  # noqa: TID251 (what a program does with what it was given)
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

import seqrnn
from seqrnn.data.formats.numbers import Features
from seqrnn.library.decoding import DecodingOptions, GenerationOptions
from seqrnn.library.rows import read_row

TEXTS = ["warm soup today", "a cold wind", "", "nothing known here", "two bus tickets for once\nand rain"]
VECTORS = [[0.5, 1.0], [1.5, -2.0], [0.0, 0.25]]
ROWS = {
    "classifier": TEXTS,
    "several": TEXTS,
    "tagger": [["Ann", "saw", "old"], "Bo run", [], ("run", "a b")],
    "number": [VECTORS, np.array(VECTORS[:1]), [tuple(row) for row in VECTORS]],
    "vector": [VECTORS[0], np.array(VECTORS[1]), (0.1, 0.2)],
    "music": [[[1, 7], [2]], [[0]], [[], [3, 4]]],
}
LINES = {
    "tagger": ["Ann saw old", "Bo run", "", "run a_b"],
    "classifier": [text.replace("\n", " ") for text in TEXTS],
    "several": [text.replace("\n", " ") for text in TEXTS],
    "number": [json.dumps(VECTORS), json.dumps(VECTORS[:1]), json.dumps(VECTORS)],
    "vector": [json.dumps(vector) for vector in (*VECTORS[:2], [0.1, 0.2])],
    "music": [json.dumps(notes) for notes in ROWS["music"]],
}


def command(*args, stdin="", cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "seqrnn", *map(str, args)],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
    )
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def as_json(answer):
    """What --jsonl says of an answer."""
    plain = json.loads(json.dumps(answer.prediction))
    return plain, answer.score, answer.probability, answer.truncated, answer.unknown, answer.error


@pytest.mark.parametrize("name", ROWS)
def test_answers_are_those_of_the_command(name, run_of, model_of):
    chosen = {"k": 2} if name in {"classifier", "several", "music"} else {}
    flags = [word for option, value in chosen.items() for word in (f"-{option}", str(value))]
    written = command("classify", "-m", run_of(name), "--jsonl", *flags, stdin="\n".join(LINES[name]))
    rows = LINES[name] if name in {"classifier", "several"} else ROWS[name]
    answers = model_of(name).classify(rows, **chosen)
    names = "prediction", "score", "probability", "truncated", "unknown", "error"
    for answer, record in zip(answers, written, strict=True):
        for mine, theirs in zip(as_json(answer), (record[key] for key in names), strict=True):
            assert mine == (pytest.approx(theirs, rel=1e-6) if isinstance(theirs, float) else theirs)
        assert [c.prediction for c in answer.nbest] == [
            tuple(c["prediction"]) if isinstance(c["prediction"], list) else c["prediction"]
            for c in record["nbest"]
        ]
        scores = [candidate.score for candidate in answer.nbest]
        assert scores == pytest.approx([candidate["score"] for candidate in record["nbest"]], rel=1e-6)


@pytest.mark.parametrize("options", [{}, {"n_best": 2}, {"sample": True, "seed": 4}])
def test_what_is_written_for_rows_is_what_the_command_writes(options, run_of, model_of):
    flags = {"n_best": ["--n-best", "2"], "sample": ["--sample"], "seed": ["--seed", "4"]}
    given = [word for option in options for word in flags[option]]
    rows = ["abcx", "", "dx"]
    written = command("generate", "-m", run_of("speller"), "--jsonl", *given, stdin="\n".join(rows))
    answers = model_of("speller").generate(rows, **options)
    assert [answer.prediction for answer in answers] == [record["prediction"] for record in written]
    assert [len(answer.nbest) for answer in answers] == [len(record["nbest"]) for record in written]
    for answer, record in zip(answers, written, strict=True):
        assert answer.score == (record["score"] and pytest.approx(record["score"], rel=1e-6))


def test_prompts_go_on_as_with_the_command_each_with_a_seed_of_its_own(run_of, model_of):
    model = model_of("storyteller")
    given = ("--prompt", "the ", "--samples", "3", "--max-len", "20", "--seed", "5", "--jsonl")
    written = command("generate", "-m", run_of("storyteller"), *given)
    answers = model.generate(["the "] * 3, max_len=20, seed=5)
    assert [answer.prediction for answer in answers] == [record["prediction"] for record in written]
    assert [answer.score for answer in answers] == pytest.approx(
        [record["score"] for record in written], rel=1e-6
    )
    assert "".join(model.stream("the ", max_len=20, seed=6)) == answers[1].prediction
    assert len(model.generate(max_len=1)) == 1


def test_lines_are_scored_as_by_the_command(run_of, model_of):
    rows = ["warm soup", "", "zzz"]
    written = command("evaluate", "-m", run_of("storyteller"), "--per-line", "--json", stdin="\n".join(rows))
    scores = model_of("storyteller").score(rows)
    assert [score.surprisal for score in scores] == pytest.approx(
        [r["prediction"] for r in written], rel=1e-6
    )
    assert [score.unknown for score in scores] == [record["unknown"] for record in written]


@pytest.mark.parametrize("name", ["classifier", "speller"])
def test_figures_are_those_of_the_command(name, run_of, model_of, library_folder):
    data = library_folder / {"classifier": "train.tsv", "speller": "pairs.tsv"}[name]
    (written,) = command("evaluate", "-m", run_of(name), data, "--json", "--threads", "1")
    found = model_of(name).evaluate(data)
    assert found.as_json == {
        key: pytest.approx(value, rel=1e-5) if isinstance(value, float) else value
        for key, value in written.items()
    }
    assert found["loss"] == found.figures["loss"]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(("name", "rows"), [("classifier", TEXTS), ("tagger", ["Ann saw", "Bo"])])
def test_several_threads_may_ask_at_once(backend, name, rows, model_of):
    model = model_of(name, backend=backend)
    expected = model.classify(rows * 20)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: model.classify(rows * 20), range(12)))
    assert all(answers == expected for answers in found)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_several_threads_may_write_texts_at_once(backend, model_of):
    model = model_of("storyteller", backend=backend)
    prompts = ["the ", "a ", "my bag", "snow"]
    expected = [model.generate([prompt], max_len=150)[0] for prompt in prompts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda prompt: model.generate([prompt], max_len=150)[0], prompts * 4))
    assert [answer.prediction for answer in found] == [answer.prediction for answer in expected * 4]


def test_texts_that_are_written_in_turns_in_one_thread_do_not_mix(model_of):
    model = model_of("storyteller")
    alone = ["".join(model.stream(prompt, max_len=40)) for prompt in ("the ", "a ")]
    together = zip(*(model.stream(prompt, max_len=40) for prompt in ("the ", "a ")), strict=False)
    assert ["".join(pieces) for pieces in zip(*together, strict=True)] == alone


@pytest.mark.parametrize("threads", [1, 2])
def test_an_endless_iterator_is_answered_a_part_at_a_time(threads, model_of):
    taken = itertools.count()
    rows = (f"warm soup {next(taken)}" for _ in itertools.repeat(None))
    answers = model_of("classifier", threads=threads).classify(rows)
    assert not isinstance(answers, list)
    first = list(itertools.islice(answers, 1500))
    assert len(first) == 1500
    assert next(taken) <= 1024 * (2 + 2 * (threads > 1) + threads)


def test_a_part_is_answered_before_the_next_one_is_asked_for(model_of):
    asked = []

    def rows():
        yield from ["warm soup"] * 1024
        asked.append("for more")
        yield "a cold wind"

    answers = model_of("classifier").classify(rows())
    assert len(list(itertools.islice(answers, 1024))) == 1024
    assert asked == []
    assert len(list(answers)) == 1


def test_arrays_and_other_collections_are_answered_by_lists(model_of):
    model = model_of("classifier")
    expected = model.classify(TEXTS[:2])
    assert model.classify(np.array(TEXTS[:2])) == expected
    assert model.classify(np.array(TEXTS[:2], dtype=object)) == expected
    assert model.classify(tuple(TEXTS[:2])) == expected
    assert list(model.classify(iter(TEXTS[:2]))) == expected
    assert model.classify([]) == []
    assert model_of("vector").classify(np.array(VECTORS)) == model_of("vector").classify(VECTORS)
    (named,) = model_of("vector").classify([{"vector": np.array(VECTORS[0])}])
    assert named == model_of("vector").classify(VECTORS)[0]


def test_an_object_has_its_text_where_the_training_had_it(model_of):
    rows = ["warm soup today", {"text": "warm soup today", "id": 7}, {"id": 7}]
    plain, of_object, without = model_of("classifier").classify(rows, errors="return")
    assert of_object == plain
    assert without.error == 'has no text in the field "text"; its fields are id'


def test_an_object_names_the_columns_of_the_training():
    features = Features(("a", "b"))
    assert read_row({"b": 2, "a": np.float32(1), "z": 3}, "vector", 0, features).steps == [[1, 2]]
    assert read_row({"b": 2, "a": 1}, "vectors", 0, features).steps == [[1], [2]]
    assert "one step of a series" in read_row({"a": 1}, "vectors", 0, Features(("a",), True)).reason


BAD = [
    ("classifier", 7, "is of type int; give a string or a list of strings"),
    ("classifier", None, "is of type NoneType"),
    ("tagger", ["a", 1], "is of type list; give a string or a list of strings"),
    ("number", "no numbers", "holds no numbers"),
    ("number", [[1.0, 2.0], [1.0]], "step 2 has 1 number, expected 2"),
    ("number", [[1.0, float("nan")]], "finite numbers"),
    ("number", np.zeros((2, 2, 2)), "holds no numbers; give those of each step"),
    ("number", {"vectors": []}, "holds no numbers"),
    ("number", {"z": [[1.0, 2.0]]}, 'no numbers in the field "vectors"'),
    ("vector", np.zeros(3), "3 numbers, expected 2"),
    ("music", [[99]], "keys from 0 to 11"),
    ("music", [["a"]], "keys from 0 to 11"),
    ("storyteller", 3, "is of type int; give a string"),
    ("speller", b"abc", "is of type bytes"),
]


@pytest.mark.parametrize(("name", "bad", "reason"), BAD)
def test_a_bad_row_raises_or_is_answered_by_its_reason(name, bad, reason, model_of):
    good = {**ROWS, "storyteller": ["the "], "speller": ["abx"]}[name][0]
    model = model_of(name)
    ask = model.classify if name in ROWS else model.generate
    with pytest.raises(seqrnn.DataError, match=rf"^rows\[1\]: .*{reason}"):
        ask([good, bad, good])
    first, refused, last = ask([good, bad, good], errors="return")
    assert reason in refused.error
    assert (refused.prediction, refused.score, refused.probability, refused.nbest) == (None, None, None, ())
    if name != "storyteller":
        assert first.prediction == last.prediction
    assert first.error is None


@pytest.mark.parametrize(
    ("name", "ask", "reason"),
    [
        ("classifier", lambda m: m.classify("one text"), "give a list of them, not one str"),
        ("classifier", lambda m: m.classify({"a": 1}), "give a list of them, not one dict"),
        ("classifier", lambda m: m.classify(3), "give a list of them, not one int"),
        ("classifier", lambda m: m.classify([], errors="ignore"), "give 'raise' or 'return'"),
        ("classifier", lambda m: m.generate(["a"]), r"was trained for classification; use `classify\(\)`"),
        ("classifier", lambda m: m.stream("a"), r"use `classify\(\)`"),
        ("classifier", lambda m: m.score(["a"]), "scores are a language model's"),
        ("speller", lambda m: m.classify(["a"]), r"was trained for seq2seq; use `generate\(\)`"),
        ("speller", lambda m: m.stream("a"), "stream: is for language models"),
        (
            "speller",
            lambda m: m.generate(["a"], temprature=1),
            "temprature: no such option; the options are max_len",
        ),
        (
            "speller",
            lambda m: m.generate(["a"], top_k=3),
            "`decoding.temperature`, .*; add `decoding.sample=t",
        ),
        (
            "speller",
            lambda m: m.generate(["a"], n_best=3, beam_size=2),
            "n_best` 3: more than `decoding.beam_size` 2",
        ),
        ("speller", lambda m: m.generate(["a"], max_len=0), "`decoding.max_len` 0: out of range"),
        (
            "storyteller",
            lambda m: m.generate(["a"], beam_size=3),
            "`decoding.beam_size`: a language model searches no beam",
        ),
        ("storyteller", lambda m: m.stream("a", top_p=2), "`decoding.top_p` 2: out of range"),
        ("tagger", lambda m: m.classify(["a"], k=3), "`k` and `threshold` choose"),
        (
            "classifier",
            lambda m: m.evaluate("x.tsv", beam_size=3),
            "beam_size`: .* searches nothing",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_words_of_a_program(name, ask, reason, model_of):
    with pytest.raises(seqrnn.UsageError, match=reason) as caught:
        ask(model_of(name))
    assert "--" not in str(caught.value)


def test_what_cannot_be_opened_raises_errors_of_the_library(run_of, tmp_path, model_of):
    with pytest.raises(seqrnn.ModelError, match="no such run directory"):
        seqrnn.load(tmp_path / "none")
    with pytest.raises(
        seqrnn.UsageError, match="`device` cuda:0: NumPy computes on the CPU; use `backend=torch`"
    ):
        seqrnn.load(run_of("classifier"), backend="numpy", device="cuda:0")
    with pytest.raises(seqrnn.UsageError, match="`backend=jax`: must be one of auto, numpy, torch"):
        seqrnn.load(run_of("classifier"), backend="jax")
    with pytest.raises(seqrnn.UsageError, match="threads 0"):
        seqrnn.load(run_of("classifier"), threads=0)
    with pytest.raises(seqrnn.DataError, match=r"none\.tsv"):
        model_of("classifier").evaluate(tmp_path / "none.tsv")


def test_a_model_tells_what_it_is(run_of, model_of):
    model = model_of("classifier")
    assert (model.task, model.path, model.labels) == (
        "classification",
        run_of("classifier"),
        ("food", "travel", "weather"),
    )
    assert model.settings["model"]["hidden_size"] == 12
    assert model.warnings == ()
    assert model_of("tagger").labels == ("A", "N", "V")
    assert model_of("storyteller").labels == ()
    assert "classification" in repr(model)


def test_results_are_frozen_and_equal_after_a_pickle(model_of):
    (answer,) = model_of("tagger").classify([["Ann", "saw"]])
    with pytest.raises(FrozenInstanceError):
        answer.prediction = ()
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert hash(answer) == hash(answer)
    assert len(answer.token_scores) == 2


def test_a_model_goes_to_another_process_by_its_place(run_of):
    model = seqrnn.load(run_of("classifier"), backend="numpy", threads=2)
    again = pickle.loads(pickle.dumps(model))
    assert again.path == model.path.absolute()
    assert again.classify(["warm soup"]) == model.classify(["warm soup"])


def test_the_typed_options_are_those_that_there_are():
    assert list(GenerationOptions.__annotations__) == list(DecodingOptions.__struct_fields__)


def test_answers_come_without_pytorch_and_change_nothing_in_the_process(run_of):
    code = f"""
import os, sys, gc, threading, warnings, signal, locale, random, logging

def state():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)]
    collector = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    told = list(warnings.filters), threading.active_count(), random.getstate(), logging.getLogger().handlers
    return dict(os.environ), handlers, collector, told, locale.setlocale(locale.LC_ALL)

import seqrnn
assert not [name for name in sys.modules if name.startswith(("seqrnn.", "numpy"))], "an import costs nothing"
import numpy
before = state()
model = seqrnn.load({str(run_of("classifier"))!r})
model.classify(["warm soup"])
writing = {{"seqrnn.search.beam", "seqrnn.networks.decoder", "seqrnn.tasks.language_model"}}
reading = {{"seqrnn.data.formats.registry", "seqrnn.data.formats.header"}}
assert not (writing | reading) & set(sys.modules), "nothing that writes, or reads files"
seqrnn.load({str(run_of("storyteller"))!r}).generate(["a"], max_len=3)
assert state() == before
imported = set(sys.modules)
slow = {{"torch", "sklearn", "typer", "pydantic", "importlib.metadata", "email", "tempfile", "difflib"}}
assert not slow & imported, slow & imported
ours = {{name.split(".")[1] for name in imported if name.startswith("seqrnn.")}}
assert not ours & {{"cli", "training", "inspection", "reporting"}}, ours
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_path_of_a_run_may_be_text(run_of):
    assert seqrnn.load(str(run_of("classifier"))).path == Path(run_of("classifier"))


@pytest.mark.parametrize("name", ["classifier", "tagger", "number", "music"])
def test_explanations_are_those_of_the_command(name, run_of, model_of):
    lines = [line for line in LINES[name] if line]
    rows = lines if name == "classifier" else [row for row in ROWS[name] if len(row)]
    found = model_of(name).explain(rows)
    told = command("explain", "-m", run_of(name), "--jsonl", "-q", stdin="".join(f"{x}\n" for x in lines))
    for why, record in zip(found, told, strict=True):
        assert json.loads(json.dumps(why.as_json)) == {key: record[key] for key in why.as_json}
        assert json.loads(json.dumps(why.prediction)) == record["prediction"]
        assert why.error is None


def test_an_explanation_says_what_matters_most_and_what_is_unknown(model_of):
    good, bad = model_of("classifier").explain(["warm zeppelin today", 7], errors="return")
    assert (good.tokens, good.unknown_tokens) == (("warm", "zeppelin", "today"), (1,))
    (output,) = good.outputs
    assert output.ranked == sorted(range(3), key=lambda number: -abs(output.saliency[number]))
    assert bad.error == "is of type int; give a string or a list of strings"
    assert isinstance(model_of("classifier").explain(iter(["a"])), Iterator)
