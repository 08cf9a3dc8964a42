"""Which format a file has by its name."""

from __future__ import annotations

from pathlib import PurePath

FORMAT_OF_EXTENSION = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".conllu": "conllu",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".npz": "npz",
    ".npy": "npz",
}


def format_of_name(path: str) -> str | None:
    """Return the format that the extension of a file's name stands for, before .gz too, if it does."""
    return FORMAT_OF_EXTENSION.get(PurePath(path.removesuffix(".gz")).suffix.lower())
