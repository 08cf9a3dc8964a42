"""Tags of spans of characters, as programs for annotation write them, which are no tags of tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seqrnn.data.column_sample import ColumnSample


def character_spans(columns: Sequence[ColumnSample]) -> tuple[str, str] | None:
    """Return the column of spans, such as [0, 4, "PER"] or {"start": 0, "end": 4}, and one of them."""
    for column in columns:
        spans = [span for cell in column.filled if isinstance(cell, list) for span in cell]
        if spans and all(map(_is_span, spans)):
            return column.key, json.dumps(spans[0], ensure_ascii=False)[:60]
    return None


def _is_span(value: Any) -> bool:
    match value:
        case (
            [int(), int(), str()]
            | {"start": int(), "end": int()}
            | {"start_offset": int(), "end_offset": int()}
        ):
            return True
    return False
