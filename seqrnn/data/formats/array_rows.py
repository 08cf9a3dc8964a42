"""Arrays of NumPy with their answers: an .npz file with the arrays as they were, and further ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib import format as npy

from seqrnn.data.answer import AnswerStyle
from seqrnn.data.formats.answer_writer import Answered, AnswerWriter, Sink, names_beside
from seqrnn.data.formats.binary_sink import BinaryFile


class ArrayRows(AnswerWriter):
    """Keeps the answers, and writes them at the end, after the `arrays` of the file.

    `prediction` (N,) holds texts or numbers, `probability` (N,) that of each text; an example without an
    answer has "" or nan. With probabilities, `probabilities` are (N, K), those of the `classes` (K,).
    """

    is_binary = True
    shards = "none"

    def __init__(self, arrays: Mapping[str, np.ndarray], style: AnswerStyle) -> None:
        self._arrays = arrays
        self._style = style
        self._predictions: list[str | float] = []
        self._probabilities: list[float] = []
        self._classes: list[np.ndarray] = []

    def write(self, examples: Sequence[Answered], out: Sink) -> None:  # noqa: ARG002
        """Keep some answers."""
        for _, answer in examples:
            self._predictions.append(self._cell(None if answer is None else answer.prediction))
            found = None if answer is None else answer.probability
            self._probabilities.append(math.nan if found is None else found)
            if self._style.probs:
                unknown = np.full(len(self._style.classes), math.nan)
                self._classes.append(unknown if answer is None else np.exp(answer.classes))

    def _cell(self, prediction: object) -> str | float:
        if self._style.kind != "number":
            return self._style.cell(prediction)
        return prediction if isinstance(prediction, float) else math.nan

    def end(self, out: Sink) -> None:
        """Write the file."""
        added = {"prediction": np.array(self._predictions)}
        if self._style.kind != "number":
            added["probability"] = np.array(self._probabilities)
        if self._style.probs:
            added |= {"probabilities": np.array(self._classes), "classes": np.array(self._style.classes)}
        names = names_beside(self._arrays, added, self._style.prefix)
        file = BinaryFile()
        with ZipFile(cast(IO[bytes], file), "w", ZIP_DEFLATED) as archive:
            for name, array in [*self._arrays.items(), *zip(names, added.values(), strict=True)]:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, array, allow_pickle=False)
                file.hand_on(out)
        file.hand_on(out)
