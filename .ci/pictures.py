"""Draws the networks of the guides, unrolled over time, as SVG for light and dark: docs/guides/pictures.

`python .ci/pictures.py` writes the files; with `--check` it fails where one is not what it would write.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

PICTURES = Path(__file__).parents[1] / "docs" / "guides" / "pictures"
STEP, ROW, BOX, EDGE = 96, 84, (68, 34), 24  # pixels: between steps, between rows, of a box, around all
STYLE = """
  text { font: 15px system-ui, sans-serif; text-anchor: middle; dominant-baseline: central; fill: #1b1b1f; }
  rect, circle { stroke: #1b1b1f; stroke-width: 1.5; }
  .in { fill: #cfe3f7; } .state { fill: #dcedc8; } .out { fill: #fbdccb; }
  .arrow { stroke: #1b1b1f; stroke-width: 1.5; fill: none; marker-end: url(#head); }
  .dashed { stroke-dasharray: 5 4; } .head { fill: #1b1b1f; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text, .head { fill: #ececf1; } rect, circle, .arrow { stroke: #ececf1; }
    .in { fill: #23405c; } .state { fill: #35512a; } .out { fill: #66402c; }
  }"""


@dataclass(frozen=True)
class Step:
    """One column: what is read, the state, what is written; nothing where there is none."""

    read: str = ""
    state: str = ""
    written: str = ""


@dataclass(frozen=True)
class Picture:
    """A network over time; `fed_back` says that what is written is read next, `attended` where it looks."""

    title: str
    steps: Sequence[Step]
    backwards: bool = False
    fed_back: bool = False
    attended: tuple[int, int] | None = None  # the step that looks, and how many steps it looks at


def _unrolled(count: int, written: str = "") -> list[Step]:
    """Return steps that each read, of which each writes, or the last one writes what is given."""
    steps = [Step(f"x{_low(n)}", f"h{_low(n)}", "" if written else f"y{_low(n)}") for n in range(count)]
    return [*steps[:-1], replace(steps[-1], written=written)] if written else steps


def _low(number: int) -> str:
    return "₁₂₃₄₅₆"[number]


def _pictures() -> dict[str, Picture]:
    writer = [Step("x" if n == 0 else "", f"s{_low(n)}", f"y{_low(n)}") for n in range(3)]
    encoder = [Step(f"x{_low(n)}", f"h{_low(n)}") for n in range(3)]
    decoder = [Step("", f"s{_low(n)}", f"y{_low(n)}") for n in range(3)]
    text = [Step(f"x{_low(n)}", f"h{_low(n)}", f"x{_low(n + 1)}?") for n in range(4)]
    blank = [Step("a", "h₁"), Step("b", "h₂"), Step("<blank>", "h₂"), Step("<blank>", "h₂", "label")]
    dynamic = [Step("a", "h₁"), Step("b", "h₂", "label")]
    ended = [Step("x", "s₁", "y₁"), Step("", "s₂", "y₂"), Step("", "s₃", "<eos>")]
    fixed = [Step("x", "s₁", "y₁"), Step("", "s₂", "y₂"), Step("", "s₃", "y₃")]
    return {
        "one-to-one": Picture("one input, no time, one output", [Step("x", "h", "y")]),
        "one-to-many": Picture("one input, a sequence written", writer, fed_back=True),
        "many-to-one": Picture("a sequence read, one output", _unrolled(4, "y")),
        "many-to-many": Picture(
            "a sequence read, another one written", [*encoder, *decoder], fed_back=True, attended=(4, 3)
        ),
        "one-a-step": Picture("a label at each step", _unrolled(4), backwards=True),
        "language-model": Picture("the next token at each step", text),
        "length-blank": Picture("padded with <blank> to a fixed length", blank),
        "length-dynamic": Picture("stopped where the sequence ends", dynamic),
        "end-eos": Picture("written until <eos>", ended, fed_back=True),
        "end-fixed": Picture("written for a fixed number of steps", fixed, fed_back=True),
    }


def svg(picture: Picture) -> str:
    """Return a picture as an SVG document of its own."""
    width = STEP * (len(picture.steps) - 1) + BOX[0] + 2 * EDGE
    height = 2 * ROW + BOX[1] + 2 * EDGE
    drawn = "\n".join(f"  {line}" for line in (*_arrows(picture), *_boxes(picture)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img">\n'
        f"  <title>{escape(picture.title)}</title>\n  <style>{STYLE}\n  </style>\n"
        '  <defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        f"{drawn}\n</svg>\n"
    )


def _at(step: int, row: int) -> tuple[float, float]:
    """Return the middle of a step's box: row 0 is written, 1 the state, 2 read."""
    return EDGE + BOX[0] / 2 + STEP * step, EDGE + BOX[1] / 2 + ROW * row


def _boxes(picture: Picture) -> Iterator[str]:
    for number, step in enumerate(picture.steps):
        for row, (kind, name) in enumerate((("out", step.written), ("state", step.state), ("in", step.read))):
            if not name:
                continue
            x, y = _at(number, row)
            wide, high = BOX
            round_ = 17 if kind == "state" else 5
            yield (
                f'<rect class="{kind}" x="{x - wide / 2:g}" y="{y - high / 2:g}" width="{wide}" '
                f'height="{high}" rx="{round_}"/><text x="{x:g}" y="{y:g}">{escape(name)}</text>'
            )


def _arrows(picture: Picture) -> Iterator[str]:
    half, side = BOX[1] / 2, BOX[0] / 2
    for number, step in enumerate(picture.steps):
        x, middle = _at(number, 1)
        if step.read:
            yield _arrow(x, _at(number, 2)[1] - half, x, middle + half)
        if step.written:
            yield _arrow(x, middle - half, x, _at(number, 0)[1] + half)
        if number + 1 < len(picture.steps):
            shift = 6 if picture.backwards else 0
            yield _arrow(x + side, middle - shift, x + STEP - side, middle - shift)
            if picture.backwards:
                yield _arrow(x + STEP - side, middle + shift, x + side, middle + shift)
            if picture.fed_back and step.written:
                top = _at(number, 0)[1]
                yield _arrow(x + side, top, x + STEP - side / 2, middle - half, "dashed")
    if picture.attended:
        looks, count = picture.attended
        x, y = _at(looks, 1)
        for number in range(count):
            left, middle = _at(number, 1)
            bottom, deep = middle + half, middle + 64
            bend = f"M{left + 18:g} {bottom:g}C{left + 18:g} {deep:g} {x:g} {deep:g} {x:g} {y + half:g}"
            yield f'<path class="arrow dashed" d="{bend}"/>'


def _arrow(x: float, y: float, to_x: float, to_y: float, more: str = "") -> str:
    return f'<path class="{f"arrow {more}".strip()}" d="M{x:g} {y:g}L{to_x:g} {to_y:g}"/>'


def main() -> int:
    """Write the pictures, or compare them."""
    stale = []
    for name, picture in _pictures().items():
        path, drawn = PICTURES / f"{name}.svg", svg(picture)
        if "--check" not in sys.argv:
            path.write_text(drawn, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != drawn:
            stale.append(path.name)
    if stale:
        print(f"{', '.join(stale)}: not as drawn; run python .ci/pictures.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
