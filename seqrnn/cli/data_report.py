"""What was found in data, as a person reads it: sections of text, drawn as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seqrnn.cli.drawing import INDENT, Paper
from seqrnn.library.figures import clock

MOST_LABELS = 12
MOST_PAIRS = 3
WORTH_A_CURVE = 300  # different tokens
UNITS = {
    "split-word": "word",
    "joined-word": "word",
    "char": "character",
    "bpe": "byte pair",
    "gpt2-bpe": "byte pair",
}
OF_ONE_SIZE = frozenset({"bpe", "gpt2-bpe", "byte"})  # vocabularies that do not grow with the text

Section = Iterator[str]
Found = Mapping[str, Any]


class DataReport:
    """Writes the sections on some paper."""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper

    def of_findings(self, found: Found) -> str:
        """Return all sections but that of the training."""
        answers = found["answers"]
        sections = [
            self._data(found),
            self._examples(found["examples"]),
            self._labels(answers["train"].get("labels"), answers["valid"].get("labels")),
            self._numbers(answers["train"].get("numbers")),
            self._notes(answers["train"].get("notes")),
            *(section for name in found["sides"] for section in self._side(name, found)),
            self._repeats(found["repeats"]),
            self._suspicious(found),
            self._stops(found["stops"]),
        ]
        return "\n".join(filter(None, map(_text, sections)))

    def of_training(self, estimated: Found | None, reason: str, stops: Sequence[str]) -> str:
        """Return the section of the training: what it would take, or why that is not known."""
        if stops or not (estimated or reason):
            return ""
        lines = self._training(estimated) if estimated else iter(["Training", f"{INDENT}not tried: {reason}"])
        return f"\n{_text(lines)}"

    def _data(self, found: Found) -> Section:
        names = ", ".join(found["files"])
        yield self._paper.clipped(f"{names}: {amount(found['bytes'])}", self._paper.width)
        for line in found["decisions"]:
            yield from self._paper.wrapped(line)

    def _examples(self, examples: Found) -> Section:
        yield "Examples"
        counts = [examples["train"] * examples["one_in"], examples["valid"] * examples["valid_one_in"]]
        some = max(examples["one_in"], examples["valid_one_in"])
        about = "" if some == 1 else "about "
        yield f"{INDENT}{about}{counts[0]:,} to train on, {counts[1]:,} to validate on"
        if some > 1:
            yield from self._paper.wrapped(
                f"one block of rows in {some} was read, spread evenly; what follows was found in those"
            )
        if examples["replaced_bytes"]:
            yield f"{INDENT}{examples['replaced_bytes']:,} bytes are not of the encoding, and read as U+FFFD"
        for row in examples["first"]:
            texts = [f"{INDENT}{row['place']}", f"{INDENT * 2}{row['source']}"]
            if row["targets"]:
                between = " | " if any(" " in target for target in row["targets"]) else " "
                texts.append(f"{INDENT * 2}-> {between.join(row['targets'])}")
            for text in texts:
                yield self._paper.clipped(text, self._paper.width)

    def _labels(self, train: Found | None, valid: Found | None) -> Section:
        if not train or not train["total"]:
            return
        noun, counts, held_out = train["noun"], train["counts"], valid["counts"] if valid else {}
        more = "" if train["complete"] else " or more"
        yield f"{noun.capitalize()}s: {train['distinct']:,}{more} (count, share, count to validate on)"
        shown = list(counts.items())[:MOST_LABELS]
        width = len(f"{max(held_out.values(), default=0):,}")
        yield from self._paper.bars(
            [
                (name, count, f"{count / train['total']:.1%}  {held_out.get(name, 0):>{width},}")
                for name, count in shown
            ]
        )
        if train["distinct"] > len(shown):
            rest = train["total"] - sum(count for _, count in shown)
            yield f"{INDENT}{train['distinct'] - len(shown):,} more {noun}s: {rest:,}"
        yield from self._unknown_labels(train, held_out)

    def _unknown_labels(self, train: Found, held_out: Found) -> Section:
        unknown = [name for name in held_out if name not in train["counts"]]
        if unknown and not train["others"]:
            told = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
            yield from self._paper.wrapped(
                f"only in the validation part, where no answer can be right: {len(unknown):,} ({told})"
            )

    def _numbers(self, numbers: Found | None) -> Section:
        if numbers:
            yield "Numbers to predict"
            yield from self._spread(numbers)

    def _notes(self, notes: Found | None) -> Section:
        if not notes:
            return
        yield "Notes"
        yield f"{INDENT}keys {notes['lowest']} to {notes['highest']}, {notes['different']} different ones"
        silent = f"{notes['silent_steps']:,} of {notes['steps']:,} steps are silent"
        yield f"{INDENT}{notes['mean_per_step']:.2f} at once on average; {silent}"

    def _side(self, name: str, found: Found) -> Iterator[Section]:
        """Yield the sections of one side of the examples, which has its name where there are several."""
        side = found["sides"][name]
        of = "" if len(found["sides"]) == 1 else f" of the {name}"
        share = found["sampled"]["share"]
        rows = f" (in {found['sampled']['rows']:,} rows spread over all, {share:.1%} of the data)"
        how = "" if share == 1 else rows
        unit = side["lengths"]["unit"] if side["lengths"] else ""
        if side["vocabulary"]:
            unit = UNITS.get(side["vocabulary"]["kind"], side["vocabulary"]["kind"])
            yield self._lengths(f"Lengths{of}, in {unit}s{how}", unit, side["lengths"])
            yield self._vocabulary(f"Vocabulary{of}", f"{unit}s{how}", side["vocabulary"])
        else:
            yield self._lengths(f"Lengths{of}, in {unit}s{how}", unit, side["lengths"])

    def _lengths(self, head: str, unit: str, lengths: Found | None) -> Section:
        if not lengths or lengths["spread"]["largest"] == 1:
            return
        yield from self._paper.wrapped(head, "")
        yield from self._spread(lengths["spread"])
        if lengths["cuts"]:
            rows = [
                (f"{cut['max_tokens']:,}", f"{cut['examples']:.2%}", f"{cut['tokens']:.2%}")
                for cut in lengths["cuts"]
            ]
            yield from self._paper.table(("--max-tokens", "cuts examples", f"cuts {unit}s"), rows)

    def _spread(self, spread: Found) -> Section:
        if spread["least"] == spread["largest"]:
            yield f"{INDENT}{_figure(spread['least'])} in each of {spread['count']:,}"
            return
        bins = spread["histogram"]
        whole = isinstance(spread["least"], int)
        rows = [
            (_bin(low, high, whole, number == len(bins)), count, f"{count / spread['count']:.1%}")
            for number, (low, high, count) in enumerate(bins, start=1)
        ]
        yield from self._paper.bars(rows)
        shares = [f"{share}%: {_figure(value)}" for share, value in spread["percentiles"].items()]
        yield from self._paper.wrapped(f"percentiles {', '.join(shares)}")
        ends = f"from {_figure(spread['least'])} to {_figure(spread['largest'])}"
        mean = f"mean {_figure(spread['mean'])}, deviation {_figure(spread['deviation'])}"
        yield from self._paper.wrapped(f"{ends}, {mean}")

    def _vocabulary(self, head: str, units: str, known: Found) -> Section:
        if not known["tokens"]:
            return
        told = f"{head}: {known['types']:,} different ones among {known['tokens']:,} {units}"
        yield from self._paper.wrapped(told, "")
        if known["types"] > WORTH_A_CURVE and known["kind"] not in OF_ONE_SIZE:
            yield f"{INDENT}different ones among the first so many:"
            points = [(0, 0), *((each["tokens"], each["types"]) for each in known["growth"])]
            yield from self._paper.curves([(self._paper.marks[0], points)], height=6)
            shares = [f"{each['size']:,}: {each['share']:.2%}" for each in known["coverage"]]
            yield from self._paper.wrapped(f"the most frequent are so much of the text: {', '.join(shares)}")
        if known["expected_types"]:
            about = f"in all of the training part about {known['expected_types']:,}"
            yield from self._paper.wrapped(f"{about}, an estimate by this growth")
        yield f"{INDENT}seen once: {known['once']:,}"
        if known["kept"] < known["types"]:
            yield f"{INDENT}kept: {known['kept']:,}; the others are unknown to the model"
        if known["unknown_share"] is not None:
            unknown = f"{known['unknown']:,} of {known['held_out']:,} ({known['unknown_share']:.2%})"
            yield from self._paper.wrapped(f"unknown in the validation part: {unknown}")

    def _repeats(self, repeats: Found | None) -> Section:
        if not repeats or not repeats["records"]:
            return
        if not (repeats["repeated"] or repeats["leaked"] or repeats["contradictory"]):
            yield "Duplicates: none, neither within the data nor between training and validation"
            return
        compared = " of whole lines, all of them" if repeats["compared"] == "line" else ""
        about = "" if repeats["exact"] else " (estimated)"
        yield f"Duplicates{compared}{about}"
        yield from self._pairs(repeats, "repeated", "rows have the text of an earlier row", "as")
        yield from self._pairs(repeats, "leaked", "rows to validate on have a text that is trained on", "as")
        if repeats["contradictory"]:
            yield from self._pairs(repeats, "contradictory", "texts have different answers", "and")

    def _pairs(self, repeats: Found, name: str, told: str, between: str) -> Section:
        about = "" if repeats["exact"] or not repeats[name] else "about "
        yield from self._paper.wrapped(f"{about}{repeats[name]:,} {told}")
        for later, earlier in repeats[f"{name}_at"][:MOST_PAIRS]:
            file, _, line = earlier.rpartition(":")
            other = f"line {line}" if later.startswith(f"{file}:") else earlier
            yield from self._paper.wrapped(f"{later} {between} {other}", INDENT * 2)

    def _suspicious(self, found: Found) -> Section:
        rows = [(each["what"], each["count"], each["places"]) for each in found["suspicious"]]
        labels = found["answers"]["train"].get("labels")
        if labels and labels["seen_once"]:
            places = [f"{place} ({name})" for name, place in labels["seen_once_at"].items()]
            rows.append((f"whose {labels['noun']} is seen only there", labels["seen_once"], places))
        if rows:
            yield "Suspicious rows"
        for what, count, places in rows:
            more = ", ..." if count > len(places) else ""
            yield from self._paper.wrapped(f"{count:,} {what}: {', '.join(places)}{more}")

    def _stops(self, stops: Found) -> Section:
        if not stops["first"]:
            return
        yield f"A training would stop: {stops['rows']:,} {'rows' if stops['rows'] > 1 else 'time'}"
        for reason in stops["first"]:
            yield from self._paper.wrapped(reason)

    def _training(self, told: Found) -> Section:
        yield f"Training, estimated from {told['how']} here"
        yield from self._paper.wrapped(told["model"])
        length = f"{told['epochs']:.3g} passes, {told['updates']:,} updates"
        yield from self._paper.wrapped(
            f"about {clock(told['seconds'])} for {length}, {told['evaluations']:,} evaluations"
        )
        a_pass, evaluation = clock(told["seconds_per_epoch"]), f"{told['seconds_per_evaluation']:.1f} s"
        left_out = "preparing the data and stopping early are not counted"
        yield from self._paper.wrapped(f"a pass {a_pass}, an evaluation {evaluation}; {left_out}")
        on_device = told["device_memory_bytes"]
        device = f", {amount(on_device)} on {told['device']}" if on_device else ""
        yield from self._paper.wrapped(f"about {amount(told['memory_bytes'])} of memory{device}")


def amount(size: float) -> str:
    """Write a number of bytes."""
    if size < 1000:
        return f"{size:,.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5 or unit == "GB":
            break
    return f"{size:,.3g} {unit}" if size < 100 else f"{size:,.0f} {unit}"


def _text(section: Section) -> str:
    return "".join(f"{line}\n" for line in section)


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _bin(low: float, high: float, whole: bool, is_last: bool) -> str:
    if whole:
        return f"{low:,}" if low == high else f"{low:,} - {high:,}"
    return f"{_figure(low)} - {_figure(high)}" if is_last else f"{_figure(low)} -"
