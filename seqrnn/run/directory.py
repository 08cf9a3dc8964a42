"""The run directory: configuration, vocabularies and checkpoints of one training, and nothing else.

    RUN/  config.yaml  tokenizer.json  target_tokenizer.json  labels.json  metrics.jsonl  test.json  lock
          gen-00000400/  model.safetensors  training.safetensors  training.json  manifest.json

Whatever is read here may have been damaged, or written by somebody else. A checkpoint gets its name
only when the disk has all of it, and an older one goes only after that, so that whenever the process
dies, the last complete checkpoint can be read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from seqrnn.errors import LockedError, ModelError, OutputError, UsageError
from seqrnn.run.checkpoint import (
    STRAY_NAME,
    Checkpoint,
    Snapshot,
    discard,
    put_in_place,
    remove_files,
    write_checkpoint,
)
from seqrnn.run.files import check_fingerprint, fingerprint, read_regular, sync_directory, write_synced
from seqrnn.run.location import check_free, check_run, checkpoint_paths
from seqrnn.run.lock import LOCK, RunLock
from seqrnn.run.manifest import MODEL, ROOT_FILES, TRAINING_STATE, TRAINING_TENSORS, CheckpointFile, RootFile
from seqrnn.run.metrics_log import METRICS, MetricsLog
from seqrnn.run.results import RESULT_FILES

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
COPY_AGAIN = "copy the run directory again, or train it again"


class RunDirectory:
    """One training on disk. `create` makes it, `open` finds it.

    `warnings` says, in lines for the user, which damaged checkpoints were passed over.
    Writing (`save`, `sweep`, `metrics`) needs the `RunLock` of the directory; reading needs no lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics = MetricsLog(path)
        self.warnings: list[str] = []
        self._chosen: Checkpoint | None = None
        self._made: list[Path] = []

    @classmethod
    def create(cls, path: Path, files: Mapping[RootFile, str], overwrite: bool = False) -> RunDirectory:
        """Make a run directory that holds `files`, by name the text, and no checkpoint yet.

        Locks it meanwhile. With `overwrite` the files of a run that was there go, and no others.
        Raises what `check_free` raises, `LockedError`, and `OutputError`, and leaves nothing.
        """
        check_free(path, overwrite)
        run = cls(path)
        run._made = [directory for directory in (path, *path.parents) if not directory.exists()]
        with _explained(path), _removed_on_error(path, run._made):
            path.mkdir(parents=True, exist_ok=True)
            with RunLock(path):
                check_free(path, overwrite)  # again: another training may have come first
                run._fill(files)
        return run

    @classmethod
    def moved(cls, run: Path, path: Path, overwrite: bool = False) -> RunDirectory:
        """Move a run of the same file system to `path`; with `overwrite` one that was there goes.

        Raises what `create` raises.
        """
        check_free(path, overwrite)
        moved = cls(path)
        with _explained(path):
            path.mkdir(parents=True, exist_ok=True)
            with RunLock(path):
                moved._clear()
                for entry in run.iterdir():
                    if entry.name != LOCK:
                        entry.rename(path / entry.name)
                sync_directory(path)
                sync_directory(path.parent)
        return moved

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Find a run directory; raises `ModelError`, which says what to give instead."""
        check_run(path)
        return cls(path)

    def best(self) -> Checkpoint:
        """The checkpoint with the best metric whose weights verify; without metrics, the newest.

        Passes over damaged ones with a line in `warnings`; raises `ModelError` where none is left.
        """
        return self._choose(Checkpoint.rank, (MODEL,))

    def newest(self) -> Checkpoint:
        """The checkpoint of the highest step of which everything verifies, to resume; see `best`."""
        return self._choose(lambda checkpoint: -checkpoint.step, (MODEL, TRAINING_TENSORS, TRAINING_STATE))

    def read_text(self, name: RootFile) -> str:
        """A text file of the run, as it was when the checkpoint last chosen (or the best) was saved.

        Raises `ModelError` where it is missing, too large, changed since, or not UTF-8.
        """
        checkpoint, path = self._chosen or self.best(), self.path / name
        try:
            content = read_regular(path)
            check_fingerprint(content, checkpoint.manifest.fingerprint(name, checkpoint.path), path)
            return content.decode()
        except UnicodeDecodeError as error:
            raise ModelError(f"{path}: not UTF-8 at byte {error.start}; {COPY_AGAIN}") from error
        except ModelError as error:
            raise ModelError(f"{error}; {COPY_AGAIN}") from error

    def save(self, snapshot: Snapshot) -> Checkpoint:
        """Write a checkpoint, durably, then remove all but it and the best.

        One of the same step is replaced. Raises `OutputError` where the disk is full or fails and
        `NumericError` where a tensor holds nan; the temporary is gone then and older ones are intact.
        """
        target = self.path / f"gen-{snapshot.step:08d}"
        temporary = target.with_name(f"{target.name}.tmp")
        with _explained(self.path, snapshot), _removed_on_failure(temporary):
            remove_files(temporary)
            temporary.mkdir(exist_ok=True)
            write_checkpoint(temporary, snapshot, self._root_fingerprints())
            put_in_place(temporary, target)
            saved = Checkpoint.read(target)
            self._prune(saved)
        return saved

    def sweep(self) -> None:
        """Remove what a training that was killed left half written. Raises `OutputError`."""
        with _explained(self.path):
            for path in self.path.iterdir():
                if STRAY_NAME.fullmatch(path.name):
                    remove_files(path)

    def abandon(self) -> None:
        """Remove a run of which nothing was saved yet: a training that fails at once leaves nothing.

        A directory that was there before stays, empty as it was; those made for the run go.
        """
        if not checkpoint_paths(self.path):
            with suppress(OSError):
                self._clear()
                (self.path / LOCK).unlink()
                for directory in self._made:
                    directory.rmdir()  # unless there are files of somebody else

    def _fill(self, files: Mapping[RootFile, str]) -> None:
        """Replace all that is ours by `files`; take them away again where that fails."""
        try:
            self._clear()
            for name, text in files.items():
                write_synced(self.path / name, text.encode())
            sync_directory(self.path)
            sync_directory(self.path.parent)
        except BaseException:
            with suppress(OSError):
                self._clear()
                (self.path / LOCK).unlink()
            raise

    def _clear(self) -> None:
        """Remove our own files, and no others; the lock stays, since it is held."""
        self.sweep()
        for path in checkpoint_paths(self.path):
            discard(path)
        for name in (*ROOT_FILES, *RESULT_FILES, METRICS):
            (self.path / name).unlink(missing_ok=True)

    def _root_fingerprints(self) -> dict[Any, Any]:
        paths = {name: self.path / name for name in ROOT_FILES}
        return {name: fingerprint(read_regular(path)) for name, path in paths.items() if path.exists()}

    def _prune(self, saved: Checkpoint) -> None:
        keep = {saved.path, self.best().path}
        for path in checkpoint_paths(self.path):
            if path not in keep:
                discard(path)

    def _choose(self, rank: Callable[[Checkpoint], Any], files: tuple[CheckpointFile, ...]) -> Checkpoint:
        """The first checkpoint by `rank` of which `files` verify."""
        seen: set[Path] = set()
        # A training may replace all that was listed before it was read: then there is a newer one.
        while new := [path for path in checkpoint_paths(self.path) if path not in seen]:
            seen.update(new)
            for checkpoint in sorted(self._readable(new), key=rank):
                with self._warned(checkpoint.path):
                    checkpoint.verify(files)
                    self._chosen = checkpoint
                    return checkpoint
        reason = f"no valid checkpoint: {self.warnings[-1]}" if self.warnings else "nothing was saved yet"
        raise ModelError(f"{self.path}: {reason}; train it again")

    def _readable(self, paths: list[Path]) -> Iterator[Checkpoint]:
        for path in paths:
            with self._warned(path):
                yield Checkpoint.read(path)

    @contextmanager
    def _warned(self, path: Path) -> Iterator[None]:
        """Turn a damaged checkpoint into a warning, once; one that was just pruned is no damage."""
        try:
            yield
        except ModelError as error:
            warning = f"{error}; {path.name} is passed over"
            if path.exists() and warning not in self.warnings:
                self.warnings.append(warning)


@contextmanager
def _removed_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            remove_files(temporary)
        raise


@contextmanager
def _removed_on_error(path: Path, new: list[Path]) -> Iterator[None]:
    """Where making the directory `path` fails, take away what is `new`: it, and its parents."""
    try:
        yield
    except (LockedError, UsageError):
        raise  # another training has come first
    except BaseException:
        with suppress(OSError):
            if new and os.listdir(path) == [LOCK]:
                (path / LOCK).unlink()
            for directory in new:
                directory.rmdir()  # unless it holds something
        raise


@contextmanager
def _explained(path: Path, snapshot: Snapshot | None = None) -> Iterator[None]:
    """Turn an `OSError` into an `OutputError`; where space is short, with the bytes needed and free."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if snapshot is None or error.errno not in NO_SPACE:
            raise OutputError(f"{error.filename or path}: {reason}") from error
        space = os.statvfs(path)
        hint = "try again" if snapshot.training_state is None else "continue with `resume`"
        raise OutputError(
            f"{path}: {reason}: step {snapshot.step} needs about {snapshot.bytes_needed} bytes, "
            f"{space.f_bavail * space.f_frsize} are free; make room and {hint}"
        ) from error
