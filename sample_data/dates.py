"""Dates as keepers and captains write them, and how a register wants them: pairs of sequences.

The way of writing, the calendar's words and the order of day, month and year all vary; the target
is always year-month-day. No day of the test stands in the training set in any way of writing.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

TRAIN_ROWS, TEST_ROWS = 2000, 300
FIRST, DAYS = date(1850, 1, 1), 18263  # half a century

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

WAYS = (
    "{weekday}, {day} {month} {year}",
    "{day} {month} {year}",
    "the {nth} of {month} {year}",
    "the {nth} of {month}, {year}",
    "{month} {day}, {year}",
    "{month} the {nth}, {year}",
    "{short} {day} {year}",
    "{day} {short}. '{decade}",
    "{day}.{number}.{year}",
    "{day}/{roman}/{year}",
    "{day}-{short}-{decade}",
    "{weekday} the {nth} of {month} '{decade}",
    "{year}, {month} {day}",
)


def split(rng: Random) -> tuple[str, str]:
    """Return the pairs to train on and those to test on, as TSV."""
    days = rng.sample(range(DAYS), TRAIN_ROWS + TEST_ROWS)
    rows = [_pair(FIRST + timedelta(days=day), rng) for day in days]
    return "".join(rows[:TRAIN_ROWS]), "".join(rows[TRAIN_ROWS:])


def _pair(day: date, rng: Random) -> str:
    month = MONTHS[day.month - 1]
    written = rng.choice(WAYS).format(
        weekday=WEEKDAYS[day.weekday()],
        day=day.day,
        nth=f"{day.day}{_ending(day.day)}",
        month=month,
        short=month[:3],
        number=day.month,
        roman=ROMAN[day.month - 1],
        year=day.year,
        decade=f"{day.year % 100:02}",
    )
    return f"{written.lower() if rng.random() < 0.1 else written}\t{day.isoformat()}\n"


def _ending(day: int) -> str:
    if day in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
