"""A run directory: what is kept, what is chosen, what is not believed."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seqrnn.errors import LockedError, ModelError, NumericError, OutputError, UsageError
from seqrnn.run.checkpoint import Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock
from seqrnn.run.manifest import Metric

FILES = {"config.yaml": "task: tagging\n", "labels.json": '{"labels": ["ä", "b"]}'}
EXPECTED = {"weight": ("float32", (2, 2))}


def snapshot(step, value=None, better="higher", **more):
    metric = None if value is None else Metric(name="metric", value=value, better=better)
    weight = np.full((2, 2), step, "float32")
    state = {"step": step, "generator": [2**62, "PCG64"]}
    training = {"moment": np.full(3, step, "int64"), "torch": np.arange(9, dtype="uint8")}
    whole = {"tensors": {"weight": weight}, "training_tensors": training, "training_state": state} | more
    return Snapshot(step=step, epoch=step / 10, metric=metric, **whole)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def flip(path, bit=-1):
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.fixture
def run(tmp_path):
    """Three saves, of which the second, at step 2, was the best."""
    run = RunDirectory.create(tmp_path / "run", FILES)
    for step, value in ((1, 0.5), (2, 0.9), (3, 0.7)):
        run.save(snapshot(step, value))
    return RunDirectory.open(run.path)


def test_the_newest_and_the_best_are_kept(run):
    assert names(run.path) == ["config.yaml", "gen-00000002", "gen-00000003", "labels.json", "lock"]
    assert (run.best().step, run.newest().step) == (2, 3)


def test_all_that_was_saved_comes_back(run):
    best = run.best()
    np.testing.assert_array_equal(best.tensors(EXPECTED)["weight"], np.full((2, 2), 2, "float32"))
    np.testing.assert_array_equal(best.training_tensors(None)["moment"], np.full(3, 2, "int64"))
    assert best.training_state() == {"step": 2, "generator": [2**62, "PCG64"]}
    assert best.metric == Metric(name="metric", value=0.9, better="higher")
    assert best.manifest.epoch == 0.2
    assert {name: run.read_text(name) for name in FILES} == FILES
    assert run.warnings == []


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ([0.5, 0.9, 0.7], "lower", 1),
        ([0.9, 0.9, 0.7], "higher", 1),
        ([None, 0.1, None], "higher", 2),
        ([0.5, float("nan"), float("inf")], "lower", 1),
        ([None, None, None], "higher", 3),
    ],
)
def test_the_best_is_by_metric_then_by_the_earlier_step(tmp_path, values, better, best):
    run = RunDirectory.create(tmp_path, FILES)
    for step, value in enumerate(values, start=1):
        run.save(snapshot(step, value, better))
    assert run.best().step == best
    assert names(tmp_path)[1:-2] == [f"gen-{step:08d}" for step in sorted({best, 3})]


def test_of_equal_metrics_the_lower_loss_is_best(tmp_path):
    run = RunDirectory.create(tmp_path, FILES)
    for step, loss in enumerate([0.5, 0.3, 0.4], start=1):
        metric = Metric(name="accuracy", value=0.9, better="higher", loss=loss)
        run.save(replace(snapshot(step), metric=metric))
    assert RunDirectory.open(tmp_path).best().step == 2


def test_a_generation_of_the_same_step_is_replaced(run):
    run.save(snapshot(3, 0.95))
    assert run.best().metric.value == 0.95
    assert names(run.path) == ["config.yaml", "gen-00000003", "labels.json", "lock"]


def test_a_finished_training_has_nothing_to_go_on_from(run):
    saved = run.save(snapshot(4, training_tensors=None, training_state=None))
    assert names(saved.path) == ["manifest.json", "model.safetensors"]
    with pytest.raises(ModelError, match=r"gen-00000004: has no training.json"):
        saved.training_state()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_anywhere_in_the_newest_falls_back_with_a_warning(run, data):
    name = data.draw(st.sampled_from(names(run.path / "gen-00000003")))
    path = run.path / "gen-00000003" / name
    whole = path.read_bytes()
    flip(path, data.draw(st.integers(0, 8 * len(whole) - 1)))
    damaged = RunDirectory.open(run.path)
    try:
        chosen = damaged.newest()
        if chosen.step == 3:  # a digit of the date, the epoch or the metric
            assert name == "manifest.json"
            np.testing.assert_array_equal(chosen.tensors(EXPECTED)["weight"], np.full((2, 2), 3, "float32"))
        else:
            assert chosen.step == 2
            assert len(damaged.warnings) == 1
            assert "gen-00000003 is passed over" in damaged.warnings[0]
    finally:
        path.write_bytes(whole)


def test_damage_to_the_state_of_a_training_does_not_keep_the_weights_from_answering(run):
    flip(run.path / "gen-00000002" / "training.safetensors")
    assert run.best().step == 2
    with pytest.raises(ModelError, match=r"training.safetensors: its sha256"):
        run.best().training_tensors(None)


def test_no_valid_generation_is_a_model_error(run):
    for checkpoint in ("gen-00000002", "gen-00000003"):
        flip(run.path / checkpoint / "model.safetensors")
    with pytest.raises(ModelError, match=r"no valid checkpoint: .*model.safetensors"):
        run.best()


def test_a_training_killed_before_its_first_save_is_said_to_be(tmp_path):
    run = RunDirectory.create(tmp_path, FILES)
    with pytest.raises(ModelError, match="nothing was saved yet; train it again"):
        run.newest()


def test_a_damaged_newest_goes_when_a_training_went_on_before_it(run):
    flip(run.path / "gen-00000003" / "manifest.json", 0)
    run.save(snapshot(3, 0.6))
    again = RunDirectory.open(run.path)
    assert (again.newest().step, again.best().step, again.warnings) == (3, 2, [])


def test_a_manifest_of_another_step_is_refused(run):
    (run.path / "gen-00000003").rename(run.path / "gen-00000009")
    assert run.newest().step == 2
    assert "says step 3" in run.warnings[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.write_text("other"), "5 bytes, its manifest says"),
        (lambda path: path.write_text(path.read_text().replace("b", "c")), "its sha256 is not"),
        (lambda path: path.unlink(), "No such file"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "not a regular file"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "symbolic link"),
        (lambda path: os.truncate(path, 2**40), "more than the 67108864 allowed"),
    ],
)
def test_a_text_that_changed_is_not_believed(run, change, reason):
    change(run.path / "labels.json")
    with pytest.raises(
        ModelError, match=f"labels.json: .*{reason}.*; copy the run directory again, or train"
    ):
        run.read_text("labels.json")


def test_a_text_that_no_training_wrote_is_not_read(run):
    (run.path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"has no tokenizer.json"):
        run.read_text("tokenizer.json")


def test_a_text_that_is_not_utf8_is_refused(tmp_path):
    run = RunDirectory.create(tmp_path, FILES)
    (tmp_path / "config.yaml").write_bytes(b"a: \xff")
    run.save(snapshot(1))
    with pytest.raises(ModelError, match=r"config.yaml: not UTF-8 at byte 3"):
        run.read_text("config.yaml")


def test_a_generation_that_is_a_link_is_not_followed(run, tmp_path):
    (run.path / "gen-00000003").rename(tmp_path / "elsewhere")
    (run.path / "gen-00000003").symlink_to(tmp_path / "elsewhere")
    assert run.newest().step == 2


def test_a_pruned_generation_that_is_being_read_is_replaced_by_what_came_after(run, monkeypatch):
    """A reader lists the checkpoints; before it reads them, a training saves twice."""
    listed = run.path / "gen-00000003"

    def train_meanwhile(paths):
        monkeypatch.undo()
        for step in (4, 5):
            RunDirectory.open(run.path).save(snapshot(step, step))
        assert not listed.exists()
        return run._readable(paths)

    monkeypatch.setattr(run, "_readable", train_meanwhile)
    assert run.newest().step == 5
    assert run.warnings == []


def test_nan_is_not_saved_and_what_was_saved_stays(run):
    with pytest.raises(NumericError, match="weight holds nan"):
        run.save(snapshot(4, tensors={"weight": np.array([np.nan])}))
    assert names(run.path) == ["config.yaml", "gen-00000002", "gen-00000003", "labels.json", "lock"]


def test_overwriting_clears_what_is_ours_and_nothing_else(run):
    (run.path / "notes.txt").write_text("mine")
    (run.path / "gen-00000003" / "plot.png").write_text("mine, too")
    run.metrics.append({"step": 1})
    (run.path / "gen-00000007.tmp").mkdir()
    RunDirectory.create(run.path, {"config.yaml": "new"}, overwrite=True)
    assert names(run.path) == ["config.yaml", "gen-00000003.tmp", "lock", "notes.txt"]
    assert names(run.path / "gen-00000003.tmp") == ["plot.png"]
    assert RunDirectory.open(run.path).save(snapshot(3)).tensors(EXPECTED)["weight"][0, 0] == 3


def test_a_run_in_use_is_neither_overwritten_nor_touched(run):
    before = names(run.path)
    with RunLock(run.path), pytest.raises(LockedError):
        RunDirectory.create(run.path, FILES, overwrite=True)
    assert names(run.path) == before
    with pytest.raises(UsageError):
        RunDirectory.create(run.path, FILES)


def test_a_run_that_another_training_makes_meanwhile_is_not_touched(tmp_path, monkeypatch):
    class LateLock(RunLock):
        def __enter__(self):
            lock = super().__enter__()
            (self.run / "config.yaml").write_text("another's")
            return lock

    monkeypatch.setattr("seqrnn.run.directory.RunLock", LateLock)
    with pytest.raises(UsageError, match="is not empty"):
        RunDirectory.create(tmp_path, FILES)
    assert (tmp_path / "config.yaml").read_text() == "another's"


def _refuse_locks(monkeypatch):
    """Let the disk be full when the lock is made, the first file of a new directory."""
    real = os.open

    def fail(path, *rest, **more):
        if str(path).endswith("lock"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *rest, **more)

    monkeypatch.setattr("os.open", fail)


@pytest.mark.parametrize("existing", ["", "deep", "deep/run"])
def test_a_disk_that_is_full_at_once_leaves_the_directories_as_they_were(existing, tmp_path, monkeypatch):
    (tmp_path / existing).mkdir(parents=True, exist_ok=True)
    _refuse_locks(monkeypatch)
    with pytest.raises(OutputError, match="No space left on device"):
        RunDirectory.create(tmp_path / "deep" / "run", FILES)
    left = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")]
    assert left == [name for name in ("deep", "deep/run") if existing.startswith(name)]


@pytest.mark.parametrize("existing", ["", "deep", "deep/run"])
def test_a_training_that_ends_before_its_first_save_leaves_the_directories_as_they_were(existing, tmp_path):
    (tmp_path / existing).mkdir(parents=True, exist_ok=True)
    RunDirectory.create(tmp_path / "deep" / "run", FILES).abandon()
    left = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")]
    assert left == [name for name in ("deep", "deep/run") if existing.startswith(name)]


def test_a_lock_holds_where_there_is_no_room_for_the_number_of_its_owner(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", fail)
    with RunLock(tmp_path), pytest.raises(LockedError, match="run in use by PID unknown"), RunLock(tmp_path):
        pass


def test_sweeping_removes_strays_and_follows_no_link(run, tmp_path):
    for stray in ("gen-00000004.tmp", "gen-00000002.old.tmp"):
        (run.path / stray).mkdir()
        (run.path / stray / "model.safetensors").write_bytes(b"half")
    (tmp_path / "model.safetensors").write_text("another's")
    (run.path / "gen-00000005.tmp").symlink_to(tmp_path)
    run.sweep()
    assert names(run.path) == ["config.yaml", "gen-00000002", "gen-00000003", "labels.json", "lock"]
    assert (tmp_path / "model.safetensors").read_text() == "another's"


def test_a_damaged_generation_that_holds_a_directory_of_our_name_stops_no_saving(run):
    newest = run.path / "gen-00000003"
    (newest / "training.safetensors").unlink()
    (newest / "training.safetensors").mkdir()
    (newest / "manifest.json").write_text("{}")
    assert run.save(snapshot(3)).path == newest
    assert run.newest().step == 3


LOAD = """
import sys
from pathlib import Path
from seqrnn.run.directory import RunDirectory

def load():
    run = RunDirectory.open(Path(sys.argv[1]))
    newest = run.newest()
    run.read_text("config.yaml")
    return run.best().tensors(None), newest.training_tensors(None), newest.training_state()

load()  # what Python imports on the first call is its own code
seen = []
sys.addaudithook(lambda event, args: seen.append(event))
load()
foreign = ("pickle", "exec", "compile", "import", "subprocess", "os.system", "os.exec", "os.spawn", "socket")
print(*{event for event in seen if event.startswith(foreign)})
print(*{event for event in seen}, file=sys.stderr)
print("torch" in sys.modules)
"""


def test_loading_runs_no_foreign_code(run):
    done = subprocess.run([sys.executable, "-c", LOAD, run.path], capture_output=True, text=True, check=True)
    assert done.stdout == "\nFalse\n"
    assert "open" in done.stderr.split()  # the hook saw the loading
