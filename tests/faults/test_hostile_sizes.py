"""No size that a run directory claims costs memory or time that its files give no reason for."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial

import pytest
import torch
from damage import CASES, content_of, edit_config, make_true, newest, take_case
from msgspec.structs import replace

from seqrnn.answering.opened_run import open_run
from seqrnn.answering.row_batches import order_of
from seqrnn.backends.onnx.quantized import export_quantized
from seqrnn.cli.given_settings import from_assignments
from seqrnn.config import KEYS, ModelConfig
from seqrnn.config_file import load_run_config, resolve
from seqrnn.data.fields.input_sizes import ImageSizes, TokenSizes, VectorSizes
from seqrnn.errors import ConfigError, ModelError
from seqrnn.library.plan import continued, inherited
from seqrnn.run.checkpoint import Checkpoint
from seqrnn.run.directory import RunDirectory
from seqrnn.training.session import RunTarget

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from seqrnn.__main__ import main
main()
"""


@pytest.fixture
def ask(tmp_path):
    """Runs the command line in a process that may take so many MiB: exit code, stdout, stderr."""

    def run(*args, mebibytes):
        command = [sys.executable, "-c", LIMITED, str(mebibytes << 20), *map(str, args)]
        done = subprocess.run(
            command, cwd=tmp_path, input=b"hello there\n", capture_output=True, timeout=300, check=False
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def trained(make_session, tmp_path):
    """A function `(layout, settings) -> (session, path of its run)`."""

    def train(layout, settings=None):
        session = make_session(layout, {"training.steps": 2, "training.epochs": None, **(settings or {})})
        for _ in session.train(RunTarget(tmp_path / "run")):
            pass
        return session, tmp_path / "run"

    return train


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that others found are not here")
def test_padding_to_a_million_costs_an_answer_nothing(ask, tmp_path):
    run = take_case("S1_blank_1000000", tmp_path)
    tokenizer = json.loads((run / "tokenizer.json").read_text(encoding="utf-8"))
    cut = {"direction": "Right", "max_length": 1_000_000, "strategy": "LongestFirst", "stride": 0}
    (run / "tokenizer.json").write_text(json.dumps(tokenizer | {"truncation": cut}), encoding="utf-8")
    make_true(run)
    code, stdout, stderr = ask("classify", "-m", run, "--threads", 1, mebibytes=256)
    assert (code, stdout.count("\n"), stderr) == (0, 1, "")


PADDED = {"data.lengths": "blank", "data.max_tokens": 1_000_000}


@pytest.mark.parametrize(
    ("layout", "settings"),
    [
        ("tsv", {}),
        ("lines", {}),
        ("conll", {}),
        ("tsv", {"task": "seq2seq", "data.target_tokenizer": "char"}),
    ],
)
def test_padding_costs_a_training_no_more_than_its_data_give_reason_for(make_session, layout, settings):
    session = make_session(layout, {**PADDED, **settings})
    train = session.prepared.train
    longest = max(column.longest for column in train.columns.values())
    for batch in session.task.batches(train, session.trainer.batch_order()):
        assert all(max(array.shape[1:], default=1) <= 16 * longest + 1 for array in batch.arrays.values())
    assert longest < 100


def test_what_is_asked_is_not_padded_and_comes_in_batches_of_its_own(trained):
    _, run = trained("tsv", {"data.lengths": "blank", "data.max_tokens": 9, "training.batch_size": 60_000})
    config = open_run(run).config
    assert config.data.lengths == "dynamic"
    assert config.training.batch_size <= 1024


def test_large_images_and_many_features_come_in_smaller_batches():
    """Weights tell nothing of the side of an image: a small file may ask for megabytes an image."""
    config = ModelConfig()
    small, large = (ImageSizes(3, side) for side in (32, 1024))
    assert order_of(config, small).limits.rows == order_of(config, TokenSizes(9)).limits.rows
    assert order_of(config, large).limits.rows == 1
    assert order_of(config, VectorSizes(65_536)).limits.positions * 65_536 <= 2**22
    assert order_of(config, VectorSizes(88)).limits == order_of(config, TokenSizes(9)).limits


SIZES = {"hidden_size": 60_000, "embedding_size": 65_536, "num_layers": 64}


@pytest.mark.parametrize("size", SIZES)
def test_weights_are_judged_before_a_model_of_their_size_is_made(trained, make_session, monkeypatch, size):
    _, run = trained("text")
    edit_config(run, **{size: SIZES[size]})
    before, made = content_of(run), []

    def fill(tensor, *_, **__):
        made.append(tensor.device.type)
        return tensor

    monkeypatch.setattr(torch.Tensor, "uniform_", fill)
    with pytest.raises(ModelError, match=r"not as the configuration has it|lacks"):
        make_session("text", {f"model.{size}": SIZES[size]}, weights_of=RunDirectory.open(run).newest())
    assert "cpu" not in made
    assert content_of(run) == before


@pytest.mark.parametrize("how", ["--resume", "--init-from"])
def test_a_command_that_goes_on_from_a_huge_model_ends_with_4(trained, ask, tmp_path, how):
    _, run = trained("text")
    edit_config(run, hidden_size=60_000)
    ways = {"--resume": ("-o", "run", how), "--init-from": ("train.text", "-o", "new", how, "run")}
    code, stdout, stderr = ask("train", *ways[how], "--steps", 99, mebibytes=2048)
    assert (code, stdout, stderr.count("\n")) == (4, "", 1), stderr
    assert "model.safetensors: " in stderr
    assert not (tmp_path / "new").exists()


def test_a_look_at_weights_holds_them_to_the_configuration(trained, ask, tmp_path):
    _, run = trained("text")
    edit_config(run, hidden_size=60_000)
    code, stdout, stderr = ask("inspect", "-m", run, mebibytes=256)
    assert (code, stdout, stderr.count("\n")) == (4, "", 1), stderr
    assert "'output.weight' is float32 (18, 6), expected float32 (18, 60000)" in stderr
    with pytest.raises(ModelError, match=r"not as the configuration has it"):
        export_quantized(open_run(run), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def load(checkpoint, name):
    if name == "training.json":
        return checkpoint.training_state()
    return checkpoint.tensors({}) if name == "model.safetensors" else checkpoint.training_tensors({})


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors", "training.json"])
def test_a_sparse_file_is_not_read_to_tell_its_size(trained, monkeypatch, name):
    _, run = trained("text")
    with (newest(run) / name).open("r+b") as sparse:
        sparse.truncate(20 * 2**30)
    monkeypatch.setattr("hashlib.file_digest", lambda *_: pytest.fail("it is read"))
    checkpoint = Checkpoint.read(newest(run))
    with pytest.raises(ModelError, match=rf"{name}: 21474836480 bytes, its manifest says"):
        checkpoint.verify((name,))
    with pytest.raises(ModelError, match=rf"{name}: 21474836480 bytes"):
        load(checkpoint, name)


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors"])
def test_a_gap_is_not_hashed_where_the_manifest_tells_its_true_size(trained, monkeypatch, name):
    _, run = trained("text")
    checkpoint = Checkpoint.read(newest(run))
    with (newest(run) / name).open("r+b") as sparse:
        sparse.truncate(20 * 2**30)
    written = replace(checkpoint.manifest.files[name], bytes=20 * 2**30)
    monkeypatch.setitem(checkpoint.manifest.files, name, written)
    monkeypatch.setattr("hashlib.file_digest", lambda *_: pytest.fail("it is hashed"))
    with pytest.raises(ModelError, match=rf"{name}: 2147\d+ bytes of data, its header describes \d+; "):
        checkpoint.verify((name,))


NUMBERS = [key for key, field in KEYS.items() if field.type in (int, float)]
BEYOND = ("9" * 40, "-" + "9" * 40, "9" * 399, "1e400", "-1e400", ".inf", ".nan")


@pytest.mark.parametrize("key", NUMBERS)
def test_every_number_of_the_settings_has_limits(key):
    section, _, name = key.partition(".")
    for text in BEYOND:
        with pytest.raises(ConfigError) as error:
            resolve([from_assignments([f"{key}={text}"])])
        assert str(error.value).startswith(f"--set {key}={text}: must be ")
        assert len(str(error.value)) < 600
        with pytest.raises(ModelError, match=rf"run/config.yaml:2: {key}: must be "):
            load_run_config(f"{section}:\n  {name}: {text}\n", "run/config.yaml")


WRONG = (
    {"num_layers": 10**6},
    {"seed": 10**30},
    {"batch_tokens": 10**12},
    {"learning_rate": "1e400"},
    {"lengths": "blank"},
    {"freeze_embeddings": "true"},
    {"cell": "nothing"},
)


def test_settings_of_a_run_that_cannot_be_are_the_fault_of_the_run(trained):
    _, run = trained("text")
    whole = (run / "config.yaml").read_text()
    for settings in WRONG:
        edit_config(run, **settings)
        for go_on in (inherited, partial(continued, layers=[])):
            with pytest.raises(ModelError, match=r"run/config.yaml:"):
                go_on(run)
        (run / "config.yaml").write_text(whole)


def test_a_tagger_of_characters_is_the_fault_of_the_run(trained):
    _, run = trained("conll")
    edit_config(run, tokenizer="char")
    for open_ in (open_run, inherited):
        with pytest.raises(ModelError, match=r"config.yaml: `data.tokenizer` char: a tag belongs to a word"):
            open_(run)


def test_a_resumed_training_may_lack_validation_data(trained, ask):
    """The patience among its settings was refused, as if the user had asked for it."""
    _, run = trained("text", {"data.valid_fraction": 0.0})
    assert ask("train", "-o", run, "--resume", "--steps", 3, "-q", mebibytes=4096) == (0, "", "")
