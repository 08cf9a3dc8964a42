"""What became of the rows of a file on their way to columns, in numbers and in sentences."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass
class PartReport:
    """The counts of one part. `tokens` and `unknown` are those of its texts, not of its labels."""

    examples: int = 0
    tokens: int = 0
    unknown: int = 0
    truncated: int = 0
    skipped: int = 0  # longer than max_tokens

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that are <unk>, from 0 to 1."""
        return self.unknown / max(self.tokens, 1)


@dataclass
class PreparationReport:
    """The counts of a training part and of a validation part, of which there may be none.

    `blank` counts rows without text, `replaced` bytes that were not UTF-8, `max_tokens` is the limit
    to which examples were cut, `unit` what an example is called and `token` what it is made of.
    """

    train: PartReport = field(default_factory=PartReport)
    valid: PartReport = field(default_factory=PartReport)
    blank: int = 0
    replaced: int = 0
    max_tokens: int | None = None
    unit: str = "example"
    token: str = "token"

    @property
    def rows(self) -> int:
        """Rows that were read."""
        parts = (self.train, self.valid)
        return self.blank + sum(part.examples + part.skipped for part in parts)

    def lines(self) -> list[str]:
        """Return the report as sentences for the user."""
        told = [self._part("training", self.train), self._part("validation", self.valid)]
        if self.blank:
            told.append(f"{_count(self.blank, 'blank line')} skipped")
        if self.replaced:
            told.append(f"{_count(self.replaced, 'byte')} not UTF-8, replaced by U+FFFD")
        return told

    def to_json(self) -> str:
        """Return all counts as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PreparationReport:
        """Read what `to_json` has written. Raises ValueError for anything else."""
        try:
            content = json.loads(text)
            train, valid = PartReport(**content.pop("train")), PartReport(**content.pop("valid"))
            return cls(train, valid, **content)
        except (KeyError, TypeError) as error:
            raise ValueError(f"malformed report: {error!r}") from error

    def _part(self, name: str, part: PartReport) -> str:
        told = [f"{name}: {_count(part.examples, self.unit) if part.examples else 'none'}"]
        if part.tokens:
            told.append(_count(part.tokens, self.token))
        if part.unknown:
            told.append(f"{part.unknown_share:.2%} of them unknown")
        if part.truncated:
            told.append(f"{part.truncated:,} cut to {_count(self.max_tokens or 0, self.token)}")
        if part.skipped:
            told.append(f"{part.skipped:,} skipped as longer than {_count(self.max_tokens or 0, self.token)}")
        return ", ".join(told)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
