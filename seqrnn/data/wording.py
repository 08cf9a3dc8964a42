"""How messages write numbers."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Write how many things there are, such as `1 edit` or `1,200 edits`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
