"""`seqrnn export`: ONNX files that can be used alone, and model directories of a quarter of the size."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tokenizers import Tokenizer

BOTH = pytest.mark.parametrize("backend", ["numpy", "torch"])


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def tagger(seqrnn, folder, small):
    """A tagger of spans, which has a CRF."""
    words = [("Ann B-P", "Lee I-P", "left O"), ("we O", "saw O", "Bo B-P"), ("Bo B-P",), ("no O", "one O")]
    text = "\n".join("\n".join(sentence) + "\n" for sentence in words * 20)
    (folder / "people.conll").write_text(text, encoding="utf-8")
    result = seqrnn("train", "people.conll", "-o", "people", "--steps", "40", *small)
    assert result.returncode == 0, result.stderr.decode()
    return folder / "people"


@pytest.fixture(scope="module")
def shrunk(seqrnn, classifier, folder):
    """The classifier, quantized."""
    result = seqrnn("export", "-m", classifier, "-o", "shrunk", "--quantize", "int8")
    assert result.returncode == 0, result.stderr.decode()
    return folder / "shrunk"


def before_others(folder):
    """The module path of a process in which the modules of a folder stand in the place of others."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def opened(path):
    """An ONNX file, and what stands in its metadata."""
    metadata = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]), metadata


def padded(rows):
    array = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for place, row in enumerate(rows):
        array[place, : len(row)] = row
    return {"tokens": array, "lengths": np.array([len(row) for row in rows])}


def test_a_classifier_answers_from_its_file_alone_as_classify_does(seqrnn, classifier, folder):
    result = seqrnn("export", "-m", classifier, "--onnx", "alone.onnx")
    assert (result.returncode, result.stdout) == (0, b"")
    assert b"the largest difference is" in result.stderr
    session, metadata = opened(folder / "alone.onnx")
    tokenizer = Tokenizer.from_str(metadata["tokenizer.json"])
    labels = json.loads(metadata["labels.json"])["labels"]
    texts = ["warm soup today", "a slow boat", "", "snow on the road as ever again"]
    ids = [tokenizer.encode(text).ids for text in texts]
    spelled = [[ord(character) for character in f" {' '.join(text.split())} "] for text in texts]
    code_points = padded(spelled)["tokens"]
    (log_probs,) = session.run(["log_probs"], {**padded(ids), "code_points": code_points})
    asked = seqrnn("classify", "-m", classifier, "--probs", stdin="\n".join(texts).encode() + b"\n")
    shown = [line.split("\t") for line in asked.stdout.decode().splitlines()]
    assert [labels[row.argmax()] for row in log_probs] == [label for label, _ in shown]
    probabilities = [float(probability) for _, probability in shown]
    assert np.exp(log_probs.max(axis=1)).tolist() == pytest.approx(probabilities, abs=1e-4)
    assert metadata["task"] == "classification"


def test_a_tagger_answers_from_its_file_alone_as_classify_does(seqrnn, tagger, folder):
    result = seqrnn("export", "-m", tagger, "--onnx", "tagger.onnx", "--json")
    facts = json.loads(result.stdout)
    assert facts["onnx"] == "tagger.onnx"
    assert facts["bytes"] == (folder / "tagger.onnx").stat().st_size
    assert 0 <= facts["largest_difference"] < 1e-5
    session, metadata = opened(folder / "tagger.onnx")
    words, letters = (Tokenizer.from_str(metadata[name]) for name in ("tokenizer.json", "characters.json"))
    tags = json.loads(metadata["tags.json"])["tags"]
    sentences = ["we saw Ann Lee", "Bo left"]
    inputs = padded([words.encode(text).ids for text in sentences])
    spelled = [[letters.encode(word).ids for word in text.split()] for text in sentences]
    inputs["characters"] = np.zeros((2, 4, 5), dtype=np.int64)
    inputs["character_lengths"] = np.zeros((2, 4), dtype=np.int64)
    for row, sentence in enumerate(spelled):
        for place, word in enumerate(sentence):
            inputs["characters"][row, place, : len(word)] = word
            inputs["character_lengths"][row, place] = len(word)
    (chosen,) = session.run(["tags"], inputs)
    found = [
        [tags[tag] for tag in row[:length]] for row, length in zip(chosen, inputs["lengths"], strict=True)
    ]
    asked = seqrnn("classify", "-m", tagger, "--jsonl", stdin="\n".join(sentences).encode())
    assert found == [json.loads(line)["prediction"] for line in asked.stdout.splitlines()]


def test_a_language_model_writes_from_its_file_alone_what_generate_does(seqrnn, storyteller, folder):
    assert seqrnn("export", "-m", storyteller, "--onnx", "story.onnx", "-q").stderr == b""
    session, metadata = opened(folder / "story.onnx")
    tokenizer = Tokenizer.from_str(metadata["tokenizer.json"])
    state = {f"{name}_in": np.zeros((1, 1, 12), dtype=np.float32) for name in "hc"}
    text, ids = "the", [tokenizer.token_to_id("<bos>"), *tokenizer.encode("the").ids]
    for _ in range(30):
        outputs = session.run(["log_probs", "h_out", "c_out"], {**padded([ids]), **state})
        ids = [int(outputs[0][0, -1, 4:].argmax()) + 4]  # no special
        state = {"h_in": outputs[1], "c_in": outputs[2]}
        text += tokenizer.id_to_token(ids[0])
    asked = seqrnn("generate", "-m", storyteller, "--prompt", "the", "--fixed-len", "30", "--greedy")
    assert asked.stdout.decode() == text + "\n"


@BOTH
def test_the_quantized_classifier_answers_with_both_backends(seqrnn, classifier, shrunk, backend):
    lines = b"warm soup today\na slow boat\nsnow on the road\n"
    answers = [
        [
            *map(
                json.loads,
                seqrnn(
                    "classify", "-m", run, "--jsonl", "--backend", backend, stdin=lines
                ).stdout.splitlines(),
            )
        ]
        for run in (classifier, shrunk)
    ]
    before, after = ([answer["prediction"] for answer in each] for each in answers)
    assert after == before
    before, after = ([answer["probability"] for answer in each] for each in answers)
    assert after == pytest.approx(before, abs=0.02)
    assert after != before  # it is the quantized model that has answered


def test_the_quantized_directory_is_a_run_like_another(seqrnn, classifier, shrunk, folder):
    generation, *beside = sorted(listed(shrunk), key=lambda name: not name.startswith("gen-"))
    assert beside == ["config.yaml", "labels.json", "lock", "tokenizer.json"]
    assert listed(shrunk / generation) == ["manifest.json", "model.safetensors"]
    facts = json.loads(seqrnn("inspect", "-m", shrunk, "--json").stdout)
    original = json.loads(seqrnn("inspect", "-m", classifier, "--json").stdout)
    assert (facts["weights"], original["weights"]) == ("int8", "float32")
    assert facts["metric"] is None  # what was measured was measured of other weights
    same = ("task", "cell", "hidden_size", "parameters", "step", "trained_on")
    assert {key: facts[key] for key in same} == {key: original[key] for key in same}
    assert seqrnn("evaluate", "-m", shrunk, "test.tsv", "--json").returncode == 0
    begun = seqrnn(
        "train", "train.tsv", "-o", "more", "--init-from", shrunk, "--steps", "1", "--threads", "1"
    )
    assert begun.returncode == 0, begun.stderr.decode()


def test_a_quantized_language_model_generates(seqrnn, storyteller, folder):
    assert seqrnn("export", "-m", storyteller, "-o", "tale", "--quantize", "int8").returncode == 0
    told = seqrnn("generate", "-m", "tale", "--prompt", "the", "--fixed-len", "20")
    assert (told.returncode, len(told.stdout)) == (0, len("the") + 20 + 1)


def test_the_check_measures_as_evaluate_does(seqrnn, classifier):
    flags = ("-o", "checked", "--quantize", "int8", "--check", "test.tsv", "--json")
    facts = json.loads(seqrnn("export", "-m", classifier, *flags).stdout)
    for run, measured in ((classifier, facts["before"]), ("checked", facts["after"])):
        assert measured == json.loads(seqrnn("evaluate", "-m", run, "test.tsv", "--json").stdout)
    assert 0 < abs(facts["after"]["loss"] - facts["before"]["loss"]) < 0.02
    assert facts["bytes"] < facts["bytes_before"]


def test_the_check_compares_in_a_table(seqrnn, classifier):
    flags = ("-o", "compared", "--quantize", "int8", "--src", "train.source", "--tgt", "train.target")
    result = seqrnn("export", "-m", classifier, *flags)
    head, *rows = result.stdout.decode().splitlines()
    assert head.split() == ["figure", "float32", "int8"]
    assert {row.split("  ")[0] for row in rows} >= {"loss", "accuracy", "macro F1"}
    assert b"the largest error of a weight is" in result.stderr


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ((), 2, "give --onnx FILE, or -o DIR with --quantize int8"),
        (("-o", "x"), 2, "give --quantize int8"),
        (("--onnx", "x", "-o", "x"), 2, "give --onnx FILE, or"),
        (("--onnx", "x", "--quantize", "int8"), 2, "go with -o"),
        (("--onnx", "x", "--check", "test.tsv"), 2, "go with -o"),
        (("-o", "x", "--quantize", "int4"), 2, "int8"),
        (("-o", "shrunk", "--quantize", "int8"), 2, "is there already; name a new directory"),
        (("-o", "train.tsv", "--quantize", "int8"), 2, "is there already; name a new directory"),
        (("-o", "x", "--quantize", "int8", "--check", "absent.tsv"), 3, "absent.tsv"),
        (("--onnx", "absent/x"), 5, "absent/x: there is no directory absent"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    seqrnn, classifier, shrunk, folder, flags, code, words
):
    before = listed(folder)
    result = seqrnn("export", "-m", classifier, *flags)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (code, b"", 1)
    assert words in result.stderr.decode()
    assert listed(folder) == before


@pytest.mark.parametrize("flags", ["--onnx full.onnx", "-o full --quantize int8"])
def test_a_full_disk_leaves_nothing_half_written(shell, classifier, folder, flags):
    before = listed(folder)
    result = shell(f"export PYTHONDONTWRITEBYTECODE=1; ulimit -f 2; seqrnn export -m classifier {flags}")
    assert (result.returncode, result.stderr.count(b"\n")) == (5, 1)
    assert b"File too large" in result.stderr
    assert listed(folder) == before


def test_int8_is_not_made_int8_again(seqrnn, shrunk, folder):
    result = seqrnn("export", "-m", shrunk, "-o", "twice", "--quantize", "int8")
    assert (result.returncode, result.stderr.count(b"\n")) == (2, 1)
    assert b"is int8 already" in result.stderr
    assert not (folder / "twice").exists()


OLD_RUNS = Path(__file__).parents[1] / "old_runs" / "runs"


def test_a_model_that_writes_has_a_file_for_its_encoder_and_one_for_a_step_of_its_decoder(seqrnn, folder):
    result = seqrnn("export", "-m", OLD_RUNS / "seq2seq", "--onnx", "pairs.onnx", "--json")
    assert result.returncode == 0, result.stderr.decode()
    facts = json.loads(result.stdout)
    assert facts["files"] == ["pairs.encoder.onnx", "pairs.decoder.onnx"]
    assert facts["bytes"] == sum((folder / name).stat().st_size for name in facts["files"])
    assert result.stderr.count(b"\n") == 2
    assert not (folder / "pairs.onnx").exists()
    for name in facts["files"]:
        assert opened(folder / name)[1]["task"] == "seq2seq"


def test_a_model_of_images_has_no_graph(seqrnn, folder):
    result = seqrnn("export", "-m", OLD_RUNS / "captions", "--onnx", "captions.onnx")
    assert (result.returncode, result.stderr.count(b"\n")) == (2, 1)
    assert b"models of images cannot be exported" in result.stderr
    assert not list(folder.glob("captions*.onnx"))
    arguments = ("export", "-m", OLD_RUNS / "captions", "-o", "captions8", "--quantize", "int8")
    assert seqrnn(*arguments).returncode == 0


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_what_brings_it(seqrnn, classifier, folder, tmp_path, package):
    (tmp_path / f"{package}.py").write_text("raise ImportError('none here')")
    result = seqrnn("export", "-m", classifier, "--onnx", "never.onnx", PYTHONPATH=before_others(tmp_path))
    assert (result.returncode, result.stderr.count(b"\n")) == (2, 1)
    assert f"{package}; install it: pip install 'seqrnn[onnx]'" in result.stderr.decode()
    assert not (folder / "never.onnx").exists()


def test_a_file_that_computes_something_else_is_not_written(seqrnn, classifier, folder, tmp_path):
    # A runtime that forgets the lengths of the rows.
    (tmp_path / "sitecustomize.py").write_text(
        "import onnxruntime\n"
        "run = onnxruntime.InferenceSession.run\n"
        "def forgetful(self, names, inputs):\n"
        "    width = inputs['lengths'] * 0 + inputs['tokens'].shape[1]\n"
        "    return run(self, names, {**inputs, 'lengths': width})\n"
        "onnxruntime.InferenceSession.run = forgetful\n"
    )
    result = seqrnn(
        "export", "-m", classifier, "--onnx", "forgetful.onnx", PYTHONPATH=before_others(tmp_path)
    )
    assert (result.returncode, result.stderr.count(b"\n")) == (6, 1)
    assert b"onnxruntime computes other log_probs than seqrnn" in result.stderr
    assert [name for name in listed(folder) if "forgetful" in name] == []


def test_pytorch_is_not_imported_for_an_export(seqrnn, classifier, tmp_path):
    (tmp_path / "torch.py").write_text("raise RuntimeError('torch was imported')")
    path = before_others(tmp_path)
    for flags in (("--onnx", "light.onnx"), ("-o", "light", "--quantize", "int8")):
        result = seqrnn("export", "-m", classifier, *flags, PYTHONPATH=path)
        assert result.returncode == 0, result.stderr.decode()
