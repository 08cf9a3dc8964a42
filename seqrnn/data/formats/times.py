"""Times as people write them: numbers, dates in any usual order, times of a day, and other texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

from seqrnn.data.formats.numbers import is_number

DateOrder = Literal["auto", "day-first", "month-first"]

CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:[.,]\d+)?))?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
DATES = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\.?",
    r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})",
    r"(?P<day>\d{1,2})[ .-]+(?P<name>[A-Za-z]{3})[a-z]*[ .,-]+(?P<year>\d{4})",
    r"[A-Z][a-z]{2},? (?P<name>[A-Za-z]{3}) +(?P<day>\d{1,2}) [\d:]+ (?:[A-Z]{3,4} )?(?P<year>\d{4})",
    r"(?P<name>[A-Za-z]{3})[a-z]*\.?\s+(?:(?P<day>\d{1,2}),?\s+)?(?P<year>\d{4})",
)
PATTERNS = [re.compile(rf"{dated}(?:,?[T ]\s*{CLOCK})?") for dated in DATES] + [re.compile(CLOCK)]
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CENTURY = 70  # two digits from here on are of the last century
DAY = 86_400  # seconds

_runs = re.compile(r"(\d+)")


class Moment(NamedTuple):
    """A time in seconds, or any number, as it is where days and where months come first; nan: it is none."""

    day_first: float
    month_first: float
    by_points: bool = False  # dates between points, which are written with the day first


def moment_of(text: str) -> Moment | None:
    """Return the time that a text says, or None where it is another text."""
    text = text.strip()
    if is_number(text):
        return Moment(float(text), float(text))
    for pattern in PATTERNS:
        if match := pattern.fullmatch(text):
            return _moment(match.groupdict())
    return None


def natural_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Return what orders texts so that `week 2` comes before `week 10`."""
    parts = _runs.split(text.strip().lower())
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts if part)


def date_order(moments: Sequence[Moment]) -> DateOrder | None:
    """Return what comes first in dates, auto where that is not known, or None where neither fits."""
    day_first = not any(math.isnan(moment.day_first) for moment in moments)
    month_first = not any(math.isnan(moment.month_first) for moment in moments)
    if day_first and month_first:
        return "day-first" if any(moment.by_points for moment in moments) else "auto"
    return "day-first" if day_first else "month-first" if month_first else None


def _moment(found: dict[str, str | None]) -> Moment | None:
    seconds = _seconds(found)
    if found.get("first") is not None:
        year, first, other = (int(found[name] or 0) for name in ("year", "first", "other"))
        if len(found["year"] or "") == 2:
            year += 1900 if year >= CENTURY else 2000
        return Moment(
            _days(year, other, first) + seconds, _days(year, first, other) + seconds, found["mark"] == "."
        )
    if found.get("year") is None:
        return Moment(seconds, seconds)
    name = (found.get("name") or "").lower()
    if name and name not in MONTHS:
        return None
    month = MONTHS.index(name) + 1 if name else int(found["month"] or 0)
    at = _days(int(found["year"] or 0), month, int(found.get("day") or 1)) + seconds
    return None if math.isnan(at) else Moment(at, at)


def _days(year: int, month: int, day: int) -> float:
    try:
        return float(date(year, month, day).toordinal() * DAY)
    except ValueError:
        return math.nan


def _seconds(found: dict[str, str | None]) -> float:
    hour, minute = int(found.get("hour") or 0), int(found.get("minute") or 0)
    if half := found.get("half"):
        hour = hour % 12 + 12 * (half[0] in "Pp")
    zone, offset = found.get("zone") or "", 0
    if zone[:1] in {"+", "-"}:
        offset = int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return hour * 3600 + minute * 60 + float((found.get("second") or "0").replace(",", ".")) - offset
