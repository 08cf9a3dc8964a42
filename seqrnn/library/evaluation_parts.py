"""Evaluations by several processes: a file of answers from each, of which one makes the figures.

A part is an uncompressed archive: `part.json` says what it is a part of, and for each batch there are arrays
of NumPy, what the network computed. Parts are put together with the data again, so the figures are those of
one process, to the last bit, whatever they need of the answers. Nothing in a part is unpacked, and no array
is made that the file does not hold.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from numpy.lib import format as npy

from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.dataset.cache import file_hashes
from seqrnn.data.formats.binary_sink import BinaryFile
from seqrnn.errors import DataError, ModelError, UsageError
from seqrnn.run.manifest import MODEL
from seqrnn.strict_json import Strict, conform, parse_object

if TYPE_CHECKING:
    from seqrnn.answering.opened_run import OpenedRun
    from seqrnn.data.formats.answer_writer import Sink
    from seqrnn.data.source import Source
    from seqrnn.library.measuring import EncodedData
    from seqrnn.tasks.task import Task
    from seqrnn.training.evaluation import AnsweredBatch, EvaluationOptions

ABOUT = "part.json"
LIMIT = 2**20  # bytes of it
AGAIN = "evaluate this part again"
MALFORMED = (zipfile.BadZipFile, ValueError, LookupError, EOFError, RuntimeError, NotImplementedError)


class PartOf(Strict, frozen=True):
    """What a part belongs to: two of the same evaluation differ in `number` alone."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    of: Annotated[int, msgspec.Meta(ge=1)]
    model: str
    data: list[str]
    beam: list[float]
    format: int = 1

    @classmethod
    def describe(
        cls, run: OpenedRun, source: Source, options: EvaluationOptions, shard: tuple[int, int]
    ) -> PartOf:
        """Say what part of which evaluation a `shard`, such as (2, 4), is."""
        weights = run.checkpoint.manifest.files[MODEL].sha256
        hashes = list(file_hashes(source.files, kind=source.kind).values())
        beam = [float(options.beam.size), options.beam.length_penalty]
        return cls(number=shard[0], of=shard[1], model=weights, data=hashes, beam=beam)


def require_divisible(task: Task) -> None:
    """Raise UsageError where one batch goes on from another."""
    if task.stream:
        what = "a text is read from its beginning to its end, and cannot be divided"
        raise UsageError(f"`shard`: {what}; `streams` reads parts of it side by side")


def write_part(about: PartOf, answered: Iterable[AnsweredBatch], out: Sink) -> None:
    """Write what was computed, as it comes."""
    file = BinaryFile()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(ABOUT, msgspec.json.encode(about))
        for number, (_, values, loss, count) in enumerate(answered):
            sums = {"loss": np.array(loss, dtype=np.float64), "count": np.array(count, dtype=np.int64)}
            for name, array in [
                *sums.items(),
                *((f"values/{key}", each) for key, each in (values or {}).items()),
            ]:
                with archive.open(f"{number}/{name}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, np.array(array, order="C"), allow_pickle=False)
            file.hand_on(out)
    file.hand_on(out)


class PartReader:
    """A part that was written by `write_part`. Raises DataError where it is none, or damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
            self._members = {member.filename: member for member in self._archive.infolist()}
            self.about = self._read_about()
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}; give files of `shard`") from error
        except (*MALFORMED, ModelError) as error:
            raise self._damaged(error) from error

    def __enter__(self) -> PartReader:
        """Return the part."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._archive.close()

    def __len__(self) -> int:
        return len({name.partition("/")[0] for name in self._members} - {ABOUT})

    def batch(self, number: int) -> tuple[dict[str, np.ndarray], float, int]:
        """Return what was computed for a batch of the part: the values, the loss and its count."""
        prefix = f"{number}/values/"
        try:
            names = [name for name in self._members if name.startswith(prefix)]
            values = {name.removeprefix(prefix).removesuffix(".npy"): self._array(name) for name in names}
            loss, count = (self._array(f"{number}/{name}.npy") for name in ("loss", "count"))
            return values, float(loss), int(count)
        except (*MALFORMED, OSError, TypeError) as error:
            raise self._damaged(error) from error

    def _read_about(self) -> PartOf:
        if self._members[ABOUT].file_size > LIMIT:
            raise ValueError(f"{ABOUT} is too large")
        return conform(parse_object(self._content(ABOUT), self._path), PartOf, self._path)

    def _content(self, name: str) -> bytes:
        member = self._members[name]
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed")
        return self._archive.read(member)

    def _array(self, name: str) -> np.ndarray:
        file = io.BytesIO(self._content(name))
        if npy.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is no array")
        shape, fortran_order, dtype = npy.read_array_header_1_0(file)
        content = file.read()
        if fortran_order or dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content):
            raise ValueError(f"{name} does not hold what its header says")
        return np.frombuffer(content, dtype=dtype).reshape(shape)

    def _damaged(self, error: Exception) -> DataError:
        return DataError(f"{self._path}: no part of an evaluation, or damaged ({error}); {AGAIN}")


def merged(
    paths: Sequence[Path], expected: PartOf, data: EncodedData, kept: ExitStack
) -> Iterator[AnsweredBatch]:
    """Yield what all parts of an evaluation of some data have computed, in order; files stay open in `kept`.

    Raises DataError where a part is damaged, missing, there twice or of another evaluation than `expected`.
    """
    from seqrnn.training.evaluation import AnsweredBatch

    parts: dict[int, tuple[Path, PartReader]] = {}
    for path in paths:
        part = kept.enter_context(PartReader(path))
        _require_same(path, part.about, expected)
        if part.about.number in parts:
            other = parts[part.about.number][0]
            raise DataError(f"{path}: is part {part.about.number} as {other} is; give each part once")
        parts[part.about.number] = path, part
    of = {part.about.of for _, part in parts.values()}
    missing = sorted({*range(1, max(of) + 1)} - {*parts})
    if len(of) > 1 or missing:
        what = f"parts of {sorted(of)} parts" if len(of) > 1 else f"part {missing[0]} of {max(of)} is missing"
        raise DataError(f"{paths[0]}: {what}; give all parts of one evaluation")
    batches = data.task.batches(data.dataset, BatchOrder())
    for _, (path, part) in sorted(parts.items()):
        for number in range(len(part)):
            batch = next(batches, None)
            values, loss, count = part.batch(number)
            if batch is None:
                raise DataError(f"{path}: does not hold the answers to these data; {AGAIN}")
            yield AnsweredBatch(batch, values, loss, count)
    if next(batches, None) is not None:
        raise DataError(f"{paths[-1]}: the parts do not hold the answers to all of these data; {AGAIN}")


def _require_same(path: Path, found: PartOf, expected: PartOf) -> None:
    """Raise DataError where a part is of another model, data or search than are merged."""
    told = {
        "model": "another model",
        "data": "other data",
        "beam": "another beam search",
        "format": "a newer format",
    }
    for name, what in told.items():
        if getattr(found, name) != getattr(expected, name):
            raise DataError(f"{path}: is of {what}; give the parts of this evaluation, with its options")
