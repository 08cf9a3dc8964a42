"""The templates of a report, with all that they may call; whatever they show is escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from seqrnn.data.lines import printable
from seqrnn.errors import UsageError
from seqrnn.library.figures import head, is_rate, shown, title
from seqrnn.reporting.drawing.charts import Frame, Line, line_chart, powers, small_lines
from seqrnn.reporting.pictures import veil

if TYPE_CHECKING:
    from jinja2 import Environment

_index = re.compile(r"_(?:\{([^}]*)\}|(\w+))")
SHORT = 40  # characters of a name in a table
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@cache
def environment() -> Environment:
    """Return the environment of the templates. Raises UsageError where Jinja2 is not installed."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise UsageError("a report needs Jinja2; pip install 'seqrnn[report]'") from None
    made = Environment(
        loader=PackageLoader("seqrnn.reporting.drawing"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_finalized,
    )
    made.filters |= {"percent": percent, "head": head, "titled": title, "figure": _figure, "short": short}
    made.filters |= {
        "pairs": _pairs,
        "known": _known,
        "formula": formula,
        "breakable": breakable,
        "diagonal": _diagonal,
        "powers": powers,
        "points": points,
    }
    made.globals |= {
        "frame": Frame,
        "line": Line,
        "line_chart": line_chart,
        "is_rate": is_rate,
        "small_lines": small_lines,
        "veil": veil,
    }
    return made


def visible(text: str) -> str:
    """Return a text in which nothing works in secret.

    Control characters become escapes such as `\\x1b`, and so do marks that turn the direction of writing,
    and halves of surrogate pairs.
    """
    shown_text = printable(text)
    if shown_text.isascii():
        return shown_text
    return "".join(_escape(each) if _is_hidden(each) else each for each in shown_text)


def short(text: str) -> str:
    """Return a name of one line, cut where it is long; one of nothing but white space is made visible."""
    line = " ".join(str(text).split()) or ("␣" if text else "")
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"


def percent(value: float, digits: int = 1) -> str:
    """Write a share in per cent."""
    return f"{value:.{digits}%}"


def points(share: float) -> str:
    """Write a difference of two shares in percentage points."""
    return f"{100 * share:+.1f}"


def formula(text: str) -> Any:
    """Return a shape such as `x_1 ... x_T -> h_T` as markup, with arrows and small indices."""
    from markupsafe import Markup, escape

    told = str(escape(text.replace("->", "→").replace("...", "…")))
    return Markup(_index.sub(r"<sub>\1\2</sub>", told))


def breakable(text: str) -> Any:
    """Return a text with paths as markup that may go on in a new line after each of their slashes."""
    from markupsafe import Markup, escape

    return Markup(str(escape(visible(text))).replace("/", "/<wbr>"))


def _is_hidden(character: str) -> bool:
    return character in DIRECTIONS or unicodedata.category(character) == "Cs"


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _finalized(value: Any) -> Any:
    """Make a text that a template shows visible; what is markup already is left alone."""
    return visible(value) if type(value) is str else value


def _figure(value: Any, name: str) -> str:
    return shown(name, value)


def _pairs(rows: Iterable[Any], x: str, y: str) -> list[tuple[float, float]]:
    return [(getattr(row, x), getattr(row, y)) for row in rows]


def _known(rows: Sequence[Any]) -> list[Any]:
    return [row for row in rows if row.accuracy is not None]


def _diagonal(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    low, high = min(map(min, points)), max(map(max, points))
    return [(low, low), (high, high)]
