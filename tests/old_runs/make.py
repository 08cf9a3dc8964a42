"""Train one small run a task and variant with a checkout of seqrnn, and record what it answers.

    python make.py CHECKOUT FOLDER

`FOLDER` then holds the data, the runs and `answers.json`. What only a training that goes on needs was deleted
from most of the runs here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

OLD, ROOT = sys.argv[1:3]
ROOT = Path(ROOT)
ENV = {**os.environ, "PYTHONPATH": OLD, "SEQRNN_CACHE": str(ROOT / "cache"), "OMP_NUM_THREADS": "1"}
DATA = ROOT / "data"
DATA.mkdir(parents=True)
WORDS = ["red", "blue", "old", "new", "cat", "dog", "sun", "rain"]


def words(i):
    return " ".join(WORDS[(i * 3 + j * (1 + i % 3)) % 8] for j in range(1 + i % 6))


texts = [words(i) for i in range(48)]


def write(name, content):
    (DATA / name).write_text(content, encoding="utf-8")


write("texts.tsv", "".join(f"{t}\t{'abc'[i % 3]}\n" for i, t in enumerate(texts)))
write(
    "several.tsv",
    "".join(f"{t}\t{','.join(sorted({'abc'[i % 3], 'ab'[i % 2]}))}\n" for i, t in enumerate(texts)),
)


def vectors(i):
    return np.random.default_rng(i).normal(size=(1 + i % 5, 2)).round(2).tolist()


def objects(make, n=36):
    return "".join(json.dumps(make(i)) + "\n" for i in range(n))


write("vectors.jsonl", objects(lambda i: {"vectors": vectors(i), "label": "ab"[vectors(i)[0][0] > 0]}))
write("vector.jsonl", objects(lambda i: {"vector": vectors(i)[0], "label": "ab"[vectors(i)[0][0] > 0]}))
write(
    "numbers.jsonl",
    objects(lambda i: {"vectors": vectors(i), "label": round(5 + sum(v[0] for v in vectors(i)), 3)}),
)
write(
    "vector_numbers.jsonl",
    objects(lambda i: {"vector": vectors(i)[0], "label": round(sum(vectors(i)[0]), 3)}),
)
write("text_numbers.tsv", "".join(f"{t}\t{len(t) / 4}\n" for t in texts))
write("notes.jsonl", objects(lambda i: {"notes": [[(i + s) % 5, s % 2] for s in range(2 + i % 5)]}))
write(
    "tags.conll",
    "\n".join(
        "".join(f"{WORDS[(i + j * 2) % 8]} {'NVA'[(i + j * 2) % 8 % 3]}\n" for j in range(1 + i % 6))
        for i in range(36)
    ),
)
write(
    "spans.conll",
    "\n".join(
        "".join(
            f"{WORDS[(i + j) % 8]} {['B-X', 'I-X', 'O', 'O', 'B-Y', 'O', 'O', 'O'][(i + j) % 8]}\n"
            for j in range(2 + i % 6)
        )
        for i in range(36)
    ),
)
write("story.txt", "the cat sat on the mat\nand the dog sat on the log\n" * 8)
write("lines.txt", "".join(t + "\n" for t in texts))
write("pairs.tsv", "".join(f"{t}\t{' '.join(reversed(t.upper().split()))}\n" for t in texts))
write("captions.jsonl", objects(lambda i: {"vectors": vectors(i), "target": words(i)}))
write("vector_captions.jsonl", objects(lambda i: {"vector": vectors(i)[0], "target": words(i)}))
write("poems.tsv", "".join(f"{'abc'[i % 3]}\t{t}\n" for i, t in enumerate(texts)))
(DATA / "images").mkdir()
for i in range(12):
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[(i % 3) * 6 : (i % 3) * 6 + 6, (i // 3) * 4 : (i // 3) * 4 + 5] = [255 * (i % 2), 120, 30]
    Image.fromarray(pixels).save(DATA / "images" / f"{i}.png", optimize=True)
write("images.tsv", "".join(f"images/{i}.png\t{WORDS[i % 3]} {WORDS[3 + i // 3]}\n" for i in range(12)))
write("image_labels.tsv", "".join(f"images/{i}.png\t{'abc'[i % 3]}\n" for i in range(12)))

ROWS = ["red cat", "old dog sun sun", "", "blue", "red red red new rain cat dog", "unknown words"]
VEC = [
    '{"vectors": [[0.5, -1.0], [0.25, 2.0]]}',
    '{"vectors": [[1.5, 1.0]]}',
    '{"vectors": [[-2, 0], [0, 1], [1, 0], [3, 3]]}',
]
ONE = ['{"vector": [0.5, -1.0]}', '{"vector": [-1.5, 1.0]}', '{"vector": [3, 0]}']
NOTES = ['{"notes": [[0, 1], [1]]}', '{"notes": [[2]]}', '{"notes": [[0], [], [4, 3], [2, 1]]}']
IMAGES = [f"data/images/{i}.png" for i in range(4)]
BIG = ["--bidirectional"]
C, G = "classify", "generate"
RUNS = {
    "classifier": (["texts.tsv", "--cell", "lstm"], C, ROWS, []),
    "classifier-attention": (
        ["texts.tsv", "--cell", "gru", "--pooling", "attention", "--head", "mlp", *BIG],
        C,
        ROWS,
        ["-k", "3"],
    ),
    "classifier-mean": (["texts.tsv", "--cell", "elman", "--pooling", "mean", "--layers", "2"], C, ROWS, []),
    "classifier-max": (
        [
            "texts.tsv",
            "--cell",
            "elman-relu",
            "--pooling",
            "max",
            *BIG,
            "--layers",
            "2",
            "--tokenizer",
            "char",
        ],
        C,
        ROWS,
        [],
    ),
    "classifier-vectors": (["vectors.jsonl", "--cell", "lstm", "--pooling", "attention"], C, VEC, []),
    "several-labels": (
        ["several.tsv", "--cell", "gru", "--multi-label", "--pooling", "mean"],
        C,
        ROWS,
        ["-k", "2"],
    ),
    "feed-forward": (["vector.jsonl", "--source", "vector", "--layers", "2", "--head", "mlp"], C, ONE, []),
    "image-classifier": (
        [
            "image_labels.tsv",
            "--task",
            "classification",
            "--source",
            "image",
            "--channels",
            "4",
            "--set",
            "data.image_size=16",
        ],
        C,
        IMAGES,
        [],
    ),
    "regression": (
        ["numbers.jsonl", "--task", "regression", "--cell", "gru", "--pooling", "mean"],
        C,
        VEC,
        [],
    ),
    "regression-text": (["text_numbers.tsv", "--task", "regression", "--cell", "lstm", *BIG], C, ROWS, []),
    "regression-vector": (["vector_numbers.jsonl", "--task", "regression", "--source", "vector"], C, ONE, []),
    "polyphony": (
        ["notes.jsonl", "--task", "polyphony", "--cell", "lstm", "--set", "data.keys=6", "--head", "mlp"],
        C,
        NOTES,
        [],
    ),
    "tagger": (["tags.conll", "--cell", "gru", "--character-size", "0"], C, ROWS, []),
    "tagger-characters": (
        [
            "tags.conll",
            "--cell",
            "lstm",
            "--character-size",
            "5",
            "--set",
            "model.character_embedding_size=4",
            *BIG,
            "--head",
            "mlp",
        ],
        C,
        ROWS,
        [],
    ),
    "tagger-crf": (
        [
            "spans.conll",
            "--cell",
            "elman",
            "--character-size",
            "5",
            "--set",
            "model.character_embedding_size=4",
            *BIG,
            "--layers",
            "2",
        ],
        C,
        ROWS,
        [],
    ),
    "language-model": (
        ["story.txt", "--cell", "lstm"],
        G,
        None,
        ["--prompt", "the ", "--sample", "--seed", "3", "--max-len", "60"],
    ),
    "language-model-tied": (
        ["story.txt", "--cell", "gru", "--tie-embeddings", "--layers", "2"],
        G,
        None,
        ["--prompt", "the ", "--sample", "--seed", "3", "--max-len", "60"],
    ),
    "language-model-lines": (
        [
            "lines.txt",
            "--task",
            "language-model",
            "--format",
            "lines",
            "--cell",
            "elman",
            "--tokenizer",
            "word",
        ],
        G,
        None,
        ["--prompt", "red", "--sample", "--seed", "3", "--max-len", "12"],
    ),
    "seq2seq": (
        ["pairs.tsv", "--task", "seq2seq", "--cell", "gru", "--attention", "general", *BIG],
        G,
        ROWS,
        [],
    ),
    "seq2seq-dot": (
        ["pairs.tsv", "--task", "seq2seq", "--cell", "lstm", "--attention", "dot", "--tie-embeddings"],
        G,
        ROWS,
        ["--n-best", "2", "--beam-size", "3"],
    ),
    "seq2seq-dot-both-ways": (
        ["pairs.tsv", "--task", "seq2seq", "--cell", "gru", "--attention", "dot", *BIG],
        G,
        ROWS,
        [],
    ),
    "seq2seq-mlp": (
        ["pairs.tsv", "--task", "seq2seq", "--cell", "elman", "--attention", "mlp", *BIG, "--layers", "2"],
        G,
        ROWS,
        ["--sample", "--seed", "5"],
    ),
    "seq2seq-none": (
        [
            "pairs.tsv",
            "--task",
            "seq2seq",
            "--cell",
            "lstm",
            "--attention",
            "none",
            "--entry",
            "first",
            "--scheduled-sampling",
            "0.25",
        ],
        G,
        ROWS,
        [],
    ),
    "seq2seq-none-tied": (
        ["pairs.tsv", "--task", "seq2seq", "--cell", "gru", "--attention", "none", "--tie-embeddings"],
        G,
        ROWS,
        [],
    ),
    "seq2seq-vectors": (
        [
            "captions.jsonl",
            "--task",
            "seq2seq",
            "--source",
            "vectors",
            "--cell",
            "lstm",
            "--attention",
            "mlp",
        ],
        G,
        VEC,
        [],
    ),
    "seq2seq-vector": (
        [
            "vector_captions.jsonl",
            "--task",
            "seq2seq",
            "--source",
            "vector",
            "--cell",
            "gru",
            "--layers",
            "2",
        ],
        G,
        ONE,
        [],
    ),
    "seq2seq-label": (
        ["poems.tsv", "--task", "seq2seq", "--source", "label", "--cell", "lstm", "--attention", "none"],
        G,
        ["a", "b", "c"],
        ["--sample", "--seed", "5"],
    ),
    "captions": (
        [
            "images.tsv",
            "--task",
            "seq2seq",
            "--source",
            "image",
            "--cell",
            "lstm",
            "--channels",
            "4",
            "--set",
            "data.image_size=16",
            "--attention",
            "mlp",
        ],
        G,
        IMAGES,
        [],
    ),
}
COMMON = ["--steps", "200", "--evaluate-every", "200", "--hidden-size", "8", "--precision", "fp32"]
COMMON += ["--threads", "1", "--device", "cpu", "--learning-rate", "0.01", "--seed", "5", "--batch-size", "6"]
COMMON += ["-q", "--dropout", "0.1"]


def run(args, stdin=b""):
    command = [sys.executable, "-m", "seqrnn", *args]
    return subprocess.run(command, cwd=ROOT, env=ENV, input=stdin, capture_output=True, check=True).stdout


cases = {}
for name, (train, verb, rows, options) in RUNS.items():
    size = "6" if "tied" not in name and "dot" not in name else "5"
    args = ["train", f"data/{train[0]}", *train[1:], *COMMON, "-o", f"runs/{name}"]
    if "--source" not in train or "label" in train:
        args += ["--embedding-size", size]
    run(args)
    stdin = "".join(row + "\n" for row in rows or ()).encode()
    asked = [verb, *options, "--max-len", "12"] if verb == "generate" and rows else [verb, *options]
    answers = {}
    for backend in ("numpy", "torch"):
        if backend == "torch" or "image" not in str(train):
            common = ["-m", f"runs/{name}", "--jsonl", "--backend", backend, "--threads", "1"]
            answers[backend] = run([*asked, *common], stdin).decode().splitlines()
    cases[name] = {"command": asked, "rows": rows, "answers": answers}
(ROOT / "answers.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
