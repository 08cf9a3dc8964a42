"""`seqrnn train` as a user and as a script meet it."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

HEADS = ["step", "epoch", "time", "train", "loss", "valid", "loss", "accuracy", "macro", "F1"]
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def error_of(result) -> str:
    """The one line of an error."""
    assert result.stdout == b""
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith("seqrnn: error: ")
    return line.removeprefix("seqrnn: error: ")


def test_a_training_is_told_in_plain_lines_on_stderr(training) -> None:
    assert training.stdout == b""
    assert b"\x1b" not in training.stderr
    assert b"\r" not in training.stderr
    lines = training.stderr.decode().splitlines()
    assert lines[0].startswith("classification: train.tsv (read as tsv) holds 3 different labels")
    assert lines[1].startswith("columns: no header; read: 1; answer: 2")
    assert lines[2] == "tokens: words and punctuation (of held-out words 0.0% would be unknown)"
    assert lines[3].startswith("shape: many-to-one")
    counts = [int(re.search(r": (\d+) examples", line)[1]) for line in lines[4:6]]
    assert sum(counts) == 288
    assert lines[6].startswith("model: 1 x bidirectional lstm 12,")
    *table, _ = [line.split() for line in lines[7:-2] if "%  step" not in line]  # progress, if it takes long
    assert table[0] == HEADS
    assert [row[0] for row in table[1:]] == ["20", "40", "60"]
    assert lines[-1] == "saved in classifier; use it with: seqrnn classify -m classifier"


def test_every_evaluation_is_a_line_of_metrics(training, classifier) -> None:
    lines = [json.loads(line) for line in (classifier / "metrics.jsonl").read_text().splitlines()]
    *evaluations, best = lines
    assert [line["step"] for line in evaluations] == [20, 40, 60]
    for line in evaluations:
        assert {"epoch", "seconds", "train_loss", "loss", "accuracy", "macro_f1", "micro_f1"} <= line.keys()
    assert best["accuracy"] == max(line["accuracy"] for line in evaluations)
    assert best["best"] is True


def test_settings_printed_train_the_same_model_byte_by_byte(
    seqrnn, training, folder, newest_weights, options
) -> None:
    printed = seqrnn("train", "train.tsv", "--dump-config", *options)
    assert (printed.returncode, printed.stderr) == (0, b"")
    (folder / "printed.yaml").write_bytes(printed.stdout)
    again = seqrnn("train", "-c", "printed.yaml", "-o", "again", "--quiet")
    assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
    assert newest_weights("again") == newest_weights("classifier")
    settings = [
        yaml.safe_load((folder / name / "config.yaml").read_text()) for name in ("again", "classifier")
    ]
    assert settings[0] == settings[1]


@pytest.mark.parametrize(
    "source",
    [
        ["train.csv"],
        ["train.jsonl"],
        ["train.fasttext"],
        ["--src", "train.source", "--tgt", "train.target"],
        ["-"],
    ],
    ids=["csv", "jsonl", "fasttext", "parallel", "gzip-on-stdin"],
)
def test_the_same_examples_in_any_layout_give_the_same_weights(
    seqrnn, training, folder, newest_weights, source: list[str], options
) -> None:
    stdin = gzip.compress((folder / "train.tsv").read_bytes()) if source == ["-"] else b""
    name = "from-" + source[-1].strip("-")
    result = seqrnn("train", *source, "-o", name, "-q", *options, stdin=stdin)
    assert (result.returncode, result.stderr) == (0, b"")
    assert newest_weights(name) == newest_weights("classifier")


def test_flags_beat_set_beats_files_beats_the_task_beats_the_schema(seqrnn, folder) -> None:
    (folder / "a.yaml").write_text("model: {hidden_size: 2, num_layers: 2, embedding_size: 2, cell: gru}\n")
    (folder / "b.yaml").write_text("model: {hidden_size: 3, num_layers: 3, embedding_size: 3}\n")
    layers = ["-c", "a.yaml", "-c", "b.yaml"]
    layers += ["--set", "model.hidden_size=4", "--set", "model.num_layers=4", "--hidden-size", "5"]
    printed = seqrnn("train", "train.tsv", "--dump-config", *layers)
    model = yaml.safe_load(printed.stdout)["model"]
    chosen = [model[key] for key in ("hidden_size", "num_layers", "embedding_size", "cell")]
    assert chosen == [5, 4, 3, "gru"]
    assert (model["pooling"], model["head"]) == ("max", "linear")


def test_a_dry_run_reads_all_and_writes_nothing(seqrnn, folder) -> None:
    args = ["--valid-src", "train.source", "--valid-tgt", "train.target", "--max-tokens", "3"]
    result = seqrnn("train", "train.tsv", "-o", "dry", "--dry-run", *args)
    assert (result.returncode, result.stdout) == (0, b"")
    lines = result.stderr.decode().splitlines()
    assert lines[4].startswith("training: 288 examples")
    assert lines[5].startswith("validation: 288 examples")
    assert "cut to 3 tokens" in lines[5]
    assert not (folder / "dry").exists()


def test_choices_of_the_network_reach_the_weights(seqrnn, folder, options) -> None:
    (folder / "words.vec").write_text("2 4\nsoup 1 2 3 4\nboat 5 6 7 8\n")
    options = "--embeddings words.vec --freeze-embeddings --embedding-size 4 --pooling attention --head mlp "
    options += "--lengths blank --max-tokens 4 --class-weights balanced --cell elman-relu --layers 2"
    result = seqrnn(
        "train", "train.tsv", "-o", "chosen", "--steps", "3", "--hidden-size", "6", *options.split()
    )
    assert result.returncode == 0, result.stderr.decode()
    assert "cut to 4 tokens" in result.stderr.decode()
    (generation,) = (folder / "chosen").glob("gen-*")
    tensors = load_file(generation / "model.safetensors")
    table = tensors["embedding.table.weight"]
    assert sum(np.array_equal(row, [1, 2, 3, 4]) or np.array_equal(row, [5, 6, 7, 8]) for row in table) == 2
    assert tensors["rnn.layers.1.1.weight_hh_l0"].shape == (6, 6)
    assert any(name.startswith("pooling.") for name in tensors)


def test_a_budget_is_kept(seqrnn, folder, small) -> None:
    started = time.monotonic()
    result = seqrnn("train", "train.tsv", "-o", "budget", "--budget", "4s", *small)
    assert result.returncode == 0
    states = [json.loads(path.read_text()) for path in folder.glob("budget/**/training.json")]
    assert 1.0 <= max(state["seconds"] for state in states) < 10  # a quarter at least is for the training
    assert time.monotonic() - started < 50


def test_a_run_that_is_there_is_kept_replaced_or_taken_as_a_start(
    seqrnn, classifier, folder, newest_weights, options
) -> None:
    kept = newest_weights("classifier")
    refused = error_of(seqrnn("train", "train.tsv", "-o", "classifier"))
    assert "--resume" in refused
    assert "--overwrite" in refused
    assert newest_weights("classifier") == kept
    child = seqrnn("train", "train.tsv", "-o", "child", "--init-from", "classifier", "--steps", "1", "-q")
    assert (child.returncode, child.stderr) == (0, b"")  # with the sizes of its parent
    best = json.loads((folder / "child/metrics.jsonl").read_text().splitlines()[0])
    assert best["accuracy"] > 0.9
    replaced = seqrnn("train", "train.tsv", "-o", "child", "--overwrite", "-q", *options)
    assert replaced.returncode == 0
    assert newest_weights("child") == kept


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-o", "classifier", "--resume", "--overwrite"], 2, "--resume and --overwrite exclude each other"),
        (["-o", "classifier", "--resume", "--hidden-size", "3"], 2, "--hidden-size 3: cannot change"),
        (["-o", "nowhere", "--resume"], 4, "nowhere: no such run directory"),
        (["--resume"], 2, "name a directory with -o"),
        (["train.tsv"], 2, "name a directory with -o"),
        (["-o", "new"], 2, "nothing to train on"),
        (
            ["train.tsv", "-o", "new", "--budget", "3x"],
            2,
            "--budget 3x: must be a time such as 90s, 10m, 1.5h or 1h30m",
        ),
        (["train.tsv", "-o", "new", "--lengths", "blank"], 2, "give it with --max-tokens"),
        (["train.tsv", "-o", "new", "--src", "train.source"], 2, "--src and --tgt go together"),
        (["train.tsv", "-o", "new", "--set", "model.cel=gru"], 2, "did you mean cell?"),
        (["train.tsv", "-o", "train.tsv/new"], 5, "cannot be written"),
        (["train.tsv", "-o", "train.tsv"], 2, "is a file"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(
    seqrnn, classifier, folder, args: list[str], code: int, words: str
) -> None:
    result = seqrnn("train", *args)
    assert words in error_of(result)
    assert result.returncode == code
    assert not (folder / "new").exists()


def test_a_training_on_stdin_is_resumed_with_the_same_data_and_no_other(seqrnn, folder, small) -> None:
    data = (folder / "train.tsv").read_bytes()
    first = seqrnn("train", "-", "-o", "piped", "-q", "--steps", "3", *small, stdin=data)
    assert (first.returncode, first.stderr) == (0, b"")
    changed = seqrnn("train", "-o", "piped", "--resume", "--steps", "5", stdin=data + b"more\tfood\n")
    assert error_of(changed).startswith("stdin: differs")
    assert changed.returncode == 3
    again = seqrnn("train", "-o", "piped", "--resume", "--steps", "5", stdin=data)
    assert again.returncode == 0
    assert b"continuing from step 3" in again.stderr


def test_a_resumed_training_lasts_as_long_as_is_said_now(seqrnn, folder, small) -> None:
    seqrnn("train", "train.tsv", "-o", "longer", "-q", "--steps", "3", *small)
    over = seqrnn("train", "-o", "longer", "--resume")
    assert over.returncode == 0
    assert b"3 updates" in over.stderr
    assert b"nothing was left to do; --epochs, --steps or --budget" in over.stderr
    again = seqrnn("train", "-o", "longer", "--resume", "--epochs", "1")
    steps = int(re.search(rb"(\d+) updates in .*: the training is complete", again.stderr)[1])
    assert steps > 3
    assert b"nothing was left" not in again.stderr


def on_terminal(folder, environment, columns: int, options: tuple[str, ...], **env: str) -> str:
    """Train with stderr on a terminal of so many columns; what it was sent."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    command = [sys.executable, "-m", "seqrnn", "train", "train.tsv", "-o", f"seen-{columns}", *options]
    child_env = {**environment, "TERM": "xterm-256color", **env}
    child_env.pop("COLUMNS", None)
    process = subprocess.Popen(command, cwd=folder, env=child_env, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    sent = b""
    try:
        while piece := os.read(master, 65536):
            sent += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(master)
    assert process.communicate(timeout=30)[0] == b""
    assert process.returncode == 0
    return sent.decode()


def test_a_terminal_of_80_columns_sees_a_bar_and_no_broken_line(folder, environment, options) -> None:
    shown = on_terminal(folder, environment, 80, options)
    assert "\x1b[3" in shown  # colours
    assert "━" in shown
    assert "tokens/s" in shown
    plain = ANSI.sub("", shown)
    lines = [part for line in plain.split("\n") for part in line.split("\r")]
    assert max(map(len, lines)) <= 80
    assert "reading the data" in plain
    assert any(re.match(r" +60 +\d", line) for line in lines)


def test_no_color_is_honoured_on_a_terminal(folder, environment, options) -> None:
    shown = on_terminal(folder, environment, 120, options, NO_COLOR="1")
    styles = {code for found in re.findall(r"\x1b\[([0-9;]*)m", shown) for code in found.split(";")}
    assert styles <= {"", "0", "1", "2"}  # reset, bold, dim
    assert "━" in shown


def test_a_run_on_a_terminal_says_what_it_waits_for(folder, environment, classifier) -> None:
    """Without a file or a pipe, what looks like a hang is a prompt; --quiet leaves it out."""
    waiting = b"seqrnn: waiting for rows, one a line, from the terminal; Ctrl-D ends the input"
    for extra, said in [([], waiting), (["-q"], b"")]:
        keyboard, terminal = os.openpty()
        command = [sys.executable, "-m", "seqrnn", "classify", "-m", str(classifier), *extra]
        pipes = {"stdin": terminal, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:
            os.write(keyboard, b"bright sun\n\x04")
            stdout, stderr = process.communicate(timeout=60)
        os.close(keyboard)
        os.close(terminal)
        assert (process.returncode, len(stdout.splitlines()), stderr[: len(said)]) == (0, 1, said)
        assert bool(stderr) == bool(said)


def test_the_last_line_says_what_the_table_said_and_what_more_care_shows(seqrnn, folder, small) -> None:
    (folder / "long.txt").write_text((folder / "story.txt").read_text() * 20)
    result = seqrnn("train", "long.txt", "-o", "long", "--steps", "2", "--batch-size", "2", *small)
    *_, row, updates, best, careful, _saved = result.stderr.decode().splitlines()
    assert updates.startswith("2 updates in")
    assert re.search(r"loss ([\d.]+)", best)[1] == row.split()[4]
    assert careful.startswith("validation text read as one: loss ")
    logged = [json.loads(line) for line in (folder / "long" / "metrics.jsonl").read_text().splitlines()]
    assert [f"{line['loss']:.4f}" for line in logged] == [row.split()[4], careful.split()[6].rstrip(",")]


def test_a_stopped_training_says_the_command_that_goes_on(folder, environment, small) -> None:
    command = [sys.executable, "-m", "seqrnn", "train", "train.tsv", "-o", "to be continued"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        [*command, "--budget", "1h", *small], cwd=folder, env=environment, **pipes
    ) as process:
        deadline = time.monotonic() + 60
        while not list(folder.glob("to be continued/gen-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        last = process.communicate(timeout=60)[1].decode().splitlines()[-1]
    assert process.returncode == 130
    said = "saved in to be continued; continue with: seqrnn train -o 'to be continued' --resume"
    assert last == said
