"""The formats of the catalogue, by their names, by the names of files, and by what files hold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from seqrnn.catalog import FORMATS, load
from seqrnn.data.formats.column_names import are_numbers
from seqrnn.data.formats.format import Format
from seqrnn.data.formats.table import own_name
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.config import DataConfig
    from seqrnn.data.source import Source

COMPRESSED = ".gz"


@cache
def format_named(name: str) -> Format:
    """Return the format of a name in the catalogue."""
    made: Format = load(FORMATS[name])()
    return made


def format_of_path(path: str) -> str | None:
    """Return the format of a folder, or what the name of a file stands for, if that is any."""
    if os.path.isdir(path):
        return next(name for name in FORMATS if format_named(name).is_folder)
    return format_of_name(path)


def format_of_name(path: str) -> str | None:
    """Return the format that the extension of a file's name, before .gz too, stands for, if any."""
    extension = PurePath(path.removesuffix(COMPRESSED)).suffix.lower()
    return next((name for name in FORMATS if extension in format_named(name).extensions), None)


def format_of_lines(lines: Sequence[str]) -> str:
    """Return the first format in the catalogue that the lines of a file look like; text, if none."""
    return next((name for name in FORMATS if format_named(name).matches(lines)), "text")


def notes_of(source: Source) -> list[str]:
    """Return what to tell a user of how each file of the source is read."""
    return [note for path in source.paths for note in format_named(source.format).notes(path, source)]


def features_for(
    choices: tuple[str, ...], trained: str, layout: str, text_column: str | None
) -> tuple[str, ...]:
    """Return the columns of numbers, chosen for files of the format `trained`, as another `layout` has them.

    There are none where objects have the numbers in a list, such as a user's `text_column`. Raises UsageError
    where fields have numbers as their names, which a table would take for the numbers of its columns.
    """
    is_table = format_named(layout).has_numbers
    if text_column is not None and not is_table:
        return ()
    found = [column_for(choice, trained, layout) for choice in choices]
    known = tuple(choice for choice in found if choice is not None)
    if len(known) == len(choices):
        return known
    if is_table:
        what = f"the fields {', '.join(choices)} are no names that a {layout} file could have for columns"
        raise UsageError(f"{what}; give the rows as JSON, as in training, or train on a {layout} file")
    return ()


def columns_for(data: DataConfig, layout: str, text_column: str | None) -> dict[str, Any]:
    """Return the columns of the training data as files of another `layout` have them, by their settings.

    A user's `text_column` takes the place of columns of numbers, where objects have those in a list.
    """
    columns: dict[str, Any] = {
        name: column_for(getattr(data, name), data.format, layout)
        for name in ("text_column", "label_column", "sentence_column")
    }
    features = features_for(data.feature_columns, data.format, layout, text_column)
    return {**columns, "feature_columns": features}


def column_for(choice: str | None, trained: str, layout: str) -> str | None:
    """Return the column, chosen for files of the format `trained`, as files of another `layout` have it.

    Names go for all that have columns, numbers only for those that number theirs in the same way; what is
    a number for the fields of objects is a name.
    """
    if choice is None or trained == layout:
        return choice
    before, now = format_named(trained), format_named(layout)
    alike = before.has_columns and before.has_numbers == now.has_numbers
    if not now.has_columns or (are_numbers(choice) and not alike):
        return None
    return choice if now.has_numbers else own_name(choice)
