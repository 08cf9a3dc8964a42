"""The sizes of a network that the data decide; a language model has `TokenSizes`, polyphony `VectorSizes`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from seqrnn.data.fields.input_sizes import InputSizes, TokenSizes, VectorSizes

Predicts = Literal["label", "labels", "number"]
"""What the scores of an example say: one label, several or none, or a number."""


class NgramSizes(Struct, frozen=True):
    """Of hashed n-grams: how many buckets, and which sizes those of tokens and of characters have."""

    buckets: int
    of_tokens: tuple[int, ...]
    of_characters: tuple[int, ...]


class ClassifierSizes(Struct, frozen=True):
    """Of what names a label, or a number, of an example; `ngrams` where they are scored as well."""

    reads: InputSizes
    classes: int
    predicts: Predicts
    ngrams: NgramSizes | None = None


class TaggerSizes(Struct, frozen=True):
    """Of a tagger; it reads `characters` where they are not 0, and `crf` says whether it has a CRF."""

    vocabulary: int
    characters: int
    tags: int
    crf: bool


class EncoderDecoderSizes(Struct, frozen=True):
    """Of what writes a target; `sequential` says whether the source has time steps."""

    reads: InputSizes
    sequential: bool
    target_vocabulary: int


NetworkSizes = ClassifierSizes | TaggerSizes | EncoderDecoderSizes | TokenSizes | VectorSizes


def input_of(sizes: NetworkSizes) -> InputSizes:
    """Return what a network of these sizes reads at each step."""
    match sizes:
        case TaggerSizes():
            return TokenSizes(sizes.vocabulary)
        case ClassifierSizes() | EncoderDecoderSizes():
            return sizes.reads
    return sizes
