"""A network unrolled over a few steps, as a lecture draws it, in SVG."""

from __future__ import annotations

from typing import Any

from seqrnn.reporting.drawing.environment import environment
from seqrnn.tasks.diagram import Diagram, TimeStep

APART = 84  # from a step to the next
MARGIN = 44


def draw_network(diagram: Diagram, both_ways: bool, shape: str) -> Any:
    """Return the drawing as markup; `shape` says in words what it shows."""
    steps = [_column(step, MARGIN + index * APART, both_ways) for index, step in enumerate(diagram)]
    width = 2 * MARGIN + (len(diagram) - 1) * APART
    template = environment().get_template("diagram.svg")
    return _markup(template.render(steps=steps, width=width, description=shape))


def _column(step: TimeStep, x: int, both_ways: bool) -> dict[str, Any]:
    """Return what the template draws of a step at a position."""
    texts = {"read": step.read, "state": step.state, "written": step.written}
    parts = {name: lowered(text) for name, text in texts.items()}
    return {**texts, "x": x, "parts": parts, "looks_ahead": step.looks_ahead(both_ways)}


def lowered(text: str) -> Any:
    """Return a name such as `x_1` as markup, with what follows the line in small letters below."""
    from markupsafe import Markup

    name, _, index = text.partition("_")
    if not index:
        return Markup("{}").format("…" if text == "..." else text)
    return Markup('{}<tspan dy="4" font-size="10">{}</tspan>').format(name, index)


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)
