"""An explanation as text: bars beside tokens, a table of tags, an alignment; as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from seqrnn.cli.drawing import INDENT, Paper
from seqrnn.data.answer import Answer
from seqrnn.library.explanations import Explanation, OutputExplanation

MAX_TOKENS = 60  # of a row that are drawn
MAX_CAUSES = 3  # tokens that are named for one of several outputs
MAX_NAME = 24  # columns of a token's name
SHADES, ASCII_SHADES = " ░▒▓█", " .:*#"
UNKNOWN = " (unknown)"
GRID_SHADES, ASCII_GRID_SHADES = ("· ", *(2 * shade for shade in SHADES[1:])), (". ", "::", "**", "##", "@@")
TIE = "\u00a0"  # between a name and its probability, which stay in one line
BAR = 30  # columns of a bar at most


def drawn(answer: Answer, paper: Paper) -> str:
    """Draw the explanation of an answer, and a blank line."""
    why: Explanation = answer.explanation
    if len(why.outputs) == 1:
        lines = [*_one(why, why.outputs[0], answer, paper)]
    else:
        lines = [*_several(why, answer, paper)]
    return "\n".join(lines) + "\n"


def _one(why: Explanation, output: OutputExplanation, answer: Answer, paper: Paper) -> Iterator[str]:
    """Draw the one output of a row: what it is, and a bar for each token."""
    yield from _head(answer, output, paper)
    if why.grid:
        yield from _grids(why, paper)
    if not why.tokens or why.grid:
        return
    shown = _shown(output)
    heads = [
        why.method,
        *(["attention"] if output.attention else []),
        *(["surprisal"] if why.surprisals else []),
    ]
    yield f"{INDENT}{', '.join(heads)}" + _left_out(len(why.tokens) - len(shown), "tokens that matter least")
    names = [_name(why, number, paper) for number in shown]
    width = max(map(cell_len, names))
    most = max(map(abs, output.saliency)) or 1.0
    columns = [output.attention, why.surprisals]
    beside = [[f"{column[number]:.2f}" for number in shown] for column in columns if column]
    room = paper.width - len(INDENT) - width - 2 - 9 - sum(2 + max(map(len, cells)) for cells in beside) - 2
    for row, number in enumerate(shown):
        value = output.saliency[number]
        bar = ("-" if value < 0 else " ") + paper.bar(abs(value) / most, max(min(room, BAR), 4) - 1)
        cells = "".join(f"  {cells[row]:>{max(map(len, cells))}}" for cells in beside)
        yield f"{INDENT}{set_cell_size(names[row], width)}  {value:>+8.3f}{cells}  {bar}".rstrip()


def _head(answer: Answer, output: OutputExplanation, paper: Paper) -> Iterator[str]:
    """Say what was answered, how likely it is, and what else might be."""
    likely = "" if output.probability is None else f"  {output.probability:.4f}"
    yield paper.clipped(_visible(output.output), paper.width - len(likely)) + likely
    others = [f"{_visible(name)}{TIE}{sure:.4f}" for name, sure in output.alternatives]
    if others:
        what = "others" if answer.explanation.surprisals is None else "likely next"
        yield from (line.replace(TIE, " ") for line in paper.wrapped(f"{what}: {', '.join(others)}"))


def _several(why: Explanation, answer: Answer, paper: Paper) -> Iterator[str]:
    """Draw a row for each output: what it is, how likely, the runner-up, and which tokens it comes from."""
    yield paper.clipped(_joined(answer.prediction), paper.width)
    if not why.outputs:
        return
    if why.grid:
        yield from _grids(why, paper)
    elif why.tokens and len(why.tokens) + MAX_NAME + 12 <= paper.width:
        yield from _alignment(why, paper)
    heads = ("", "", "runner-up", f"comes from ({why.method})")
    rows = [_cells(why, output) for output in why.outputs[:MAX_TOKENS]]
    widths = [min(max(map(cell_len, column)), MAX_NAME) for column in zip(*rows, heads, strict=True)]
    for row in (heads, *rows):
        cells = [
            set_cell_size(paper.clipped(cell, width), width)
            for cell, width in zip(row[:3], widths, strict=False)
        ]
        used = len(INDENT) + sum(map(cell_len, cells)) + 2 * 3
        yield f"{INDENT}{'  '.join(cells)}  {paper.clipped(row[3], max(paper.width - used, 8))}".rstrip()
    if (left := len(why.outputs) - MAX_TOKENS) > 0:
        yield f"{INDENT}and {left:,} more (--jsonl has all)"


def _cells(why: Explanation, output: OutputExplanation) -> tuple[str, str, str, str]:
    runner_up = "".join(f"{_visible(name)} {sure:.2f}" for name, sure in output.alternatives[:1])
    causes = [
        f"{_visible(why.tokens[number])}{_mark(why, number)} {output.saliency[number]:+.2f}"
        for number in output.ranked[:MAX_CAUSES]
    ]
    return _visible(output.output), f"{output.probability:.4f}", runner_up, ", ".join(causes)


def _alignment(why: Explanation, paper: Paper) -> Iterator[str]:
    """Draw how much of each token was looked at, or else how much it matters, for each output: a shade."""
    what, weights = _weights(why)
    shades = ASCII_SHADES if paper.ascii else SHADES
    yield f"{INDENT}{what}, a column a token:"
    width = min(max(cell_len(_visible(output.output)) for output in why.outputs), MAX_NAME)
    for output, row in zip(why.outputs[:MAX_TOKENS], weights, strict=False):
        name = set_cell_size(paper.clipped(_visible(output.output), MAX_NAME), width)
        yield f"{INDENT}{name}  {''.join(_shaded(row, shades))}".rstrip()


def _grids(why: Explanation, paper: Paper) -> Iterator[str]:
    """Draw the regions of an image for each output, as many beside one another as there is room for."""
    assert why.grid
    what, weights = _weights(why)
    shades = ASCII_GRID_SHADES if paper.ascii else GRID_SHADES
    yield f"{INDENT}{what}, a square for each region of the image:"
    width = 2 * why.grid
    beside = max(1, (paper.width - len(INDENT)) // (width + len(INDENT)))
    for start in range(0, min(len(weights), MAX_TOKENS), beside):
        some = slice(start, min(start + beside, MAX_TOKENS))
        names = [paper.clipped(_visible(output.output), width) for output in why.outputs[some]]
        yield (INDENT + INDENT.join(set_cell_size(name, width) for name in names)).rstrip()
        cells = [_shaded(row, shades) for row in weights[some]]
        for first in range(0, len(why.tokens), why.grid):
            rows = ("".join(each[first : first + why.grid]) for each in cells)
            yield (INDENT + INDENT.join(rows)).rstrip()


def _weights(why: Explanation) -> tuple[str, list[Sequence[float]]]:
    """Return for each output the attention to each token or, without one, what it matters."""
    attention = [output.attention for output in why.outputs if output.attention]
    if len(attention) == len(why.outputs):
        return "attention", [*attention]
    return why.method, [[*map(abs, output.saliency)] for output in why.outputs]


def _shaded(weights: Sequence[float], shades: Sequence[str]) -> list[str]:
    """Return a shade for each weight, the strongest for the largest."""
    most = max(weights) or 1.0
    return [shades[round(weight / most * (len(shades) - 1))] for weight in weights]


def _shown(output: OutputExplanation) -> Sequence[int]:
    """Return the tokens that are drawn, in their order: those that matter most."""
    return sorted(output.ranked[:MAX_TOKENS])


def _left_out(count: int, what: str) -> str:
    return f"; without {count:,} {what}" if count > 0 else ""


def _name(why: Explanation, number: int, paper: Paper) -> str:
    """Return a token as the row has it, and whether the model does not know it."""
    mark = _mark(why, number)
    return paper.clipped(_visible(why.tokens[number]), MAX_NAME - len(mark)) + mark


def _mark(why: Explanation, number: int) -> str:
    return UNKNOWN if number in why.unknown_tokens else ""


def _visible(name: object) -> str:
    """Return a name in quotes if it is nothing but blanks."""
    text = str(name)
    return text if text.strip() else repr(text)


def _joined(prediction: object) -> str:
    return " ".join(map(str, prediction)) if isinstance(prediction, list) else str(prediction)
