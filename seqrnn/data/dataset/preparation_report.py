"""What became of the rows of a file on their way to columns, in numbers and in sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from seqrnn.data.fields.names import SHOWN, Location, Remark, UnknownName, told_unknown
from seqrnn.data.wording import counted

FEW = 24  # examples, of which a share such as the accuracy is only known to ten points either way


@dataclass
class PartReport:
    """The counts of one part. `tokens` and `unknown` are those of its texts, not of its labels."""

    examples: int = 0
    tokens: int = 0
    unknown: int = 0
    truncated: int = 0
    skipped: int = 0  # longer than max_tokens
    unknown_names: list[UnknownName] = field(default_factory=list)  # by their numbers

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that are <unk>, from 0 to 1."""
        return self.unknown / max(self.tokens, 1)


@dataclass
class PreparationReport:
    """The counts of a training part and of a validation part, of which there may be none.

    `blank` counts rows without text, `replaced` bytes that were not UTF-8, `max_tokens` is the limit
    to which examples were cut, `unit` what an example is called and `token` what it is made of; `remarks`
    are what the fields have noticed in the training part; `divided` tells a part held out from a file.
    """

    train: PartReport = field(default_factory=PartReport)
    valid: PartReport = field(default_factory=PartReport)
    blank: int = 0
    replaced: int = 0
    max_tokens: int | None = None
    unit: str = "example"
    token: str = "token"
    remarks: list[Remark] = field(default_factory=list)
    divided: bool = False

    @property
    def rows(self) -> int:
        """Rows that were read."""
        parts = (self.train, self.valid)
        return self.blank + sum(part.examples + part.skipped for part in parts)

    def lines(self) -> list[str]:
        """Return the report as sentences for the user."""
        told = [self._part("training", self.train), self._part("validation", self.valid)]
        if self.blank:
            told.append(f"{counted(self.blank, 'blank row')} skipped, whose line or text is empty")
        if self.replaced:
            told.append(f"{counted(self.replaced, 'byte')} not UTF-8, replaced by U+FFFD")
        told += [f"validation: {line}" for line in told_unknown(self.valid.unknown_names)]
        if self.unit == "example" and self.valid.examples < FEW and (self.valid.examples or self.divided):
            few = f"{counted(self.valid.examples, self.unit)} to validate on say little; give more"
            missing = "nothing is left to validate on; give some"
            advice = "with `data.valid` or `data.valid_fraction`, or measure with `folds`"
            told.append(f"warning: {few if self.valid.examples else missing} {advice}")
        if self.unit == "line" and self.divided and not self.valid.examples:
            what = "nothing is left to validate on, since a text is divided between lines"
            told.append(f"warning: {what}; break long ones, or give some with `data.valid`")
        return told + _shortened([f"warning: {location}: {text}" for location, text in self.remarks])

    def to_json(self, files: Sequence[str]) -> str:
        """Return the report as a JSON object, in which the names of `files` are numbers.

        What was learned of files is the same for copies of other names.
        """
        return json.dumps(_with_numbers(asdict(self), files))

    @classmethod
    def from_json(cls, text: str, files: Sequence[str]) -> PreparationReport:
        """Read what `to_json` has written of files that are now called `files`.

        Raises ValueError for anything else.
        """
        try:
            content = json.loads(text)
            train, valid = (_part(content.pop(name), files) for name in ("train", "valid"))
            remarks = [Remark(_location(location, files), said) for location, said in content.pop("remarks")]
            return cls(train, valid, remarks=remarks, **content)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"malformed report: {error!r}") from error

    def _part(self, name: str, part: PartReport) -> str:
        told = [f"{name}: {counted(part.examples, self.unit) if part.examples else 'none'}"]
        if part.tokens:
            told.append(counted(part.tokens, self.token))
        if part.unknown:
            told.append(f"{part.unknown_share:.2%} of them unknown")
        if part.truncated:
            told.append(f"{part.truncated:,} cut to {counted(self.max_tokens or 0, self.token)}")
        if part.skipped:
            told.append(
                f"{part.skipped:,} skipped as longer than {counted(self.max_tokens or 0, self.token)}"
            )
        return ", ".join(told)


def _with_numbers(value: Any, files: Sequence[str]) -> Any:
    if isinstance(value, Location):
        number, path = next(
            (number, file)
            for number, file in enumerate(files)
            if f"{value.path}/".startswith(f"{file.rstrip('/')}/")
        )
        return [number, value.line, value.path.removeprefix(path)]  # what is left is within a folder
    if isinstance(value, dict):
        return {key: _with_numbers(entry, files) for key, entry in value.items()}
    return [_with_numbers(entry, files) for entry in value] if isinstance(value, list | tuple) else value


def _part(content: dict[str, Any], files: Sequence[str]) -> PartReport:
    found = content.pop("unknown_names")
    names = [UnknownName(name, times, _location(location, files)) for name, times, location in found]
    return PartReport(**content, unknown_names=names)


def _location(found: Sequence[Any], files: Sequence[str]) -> Location:
    number, line, within = found
    return Location(files[number] + within, line)


def _shortened(lines: list[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = [f"warning: {len(lines) - SHOWN:,} more tags like these"] * (len(lines) > SHOWN)
    return lines[:SHOWN] + more
