"""A network unrolled over a few steps, as a lecture draws it, in SVG."""

from __future__ import annotations

from typing import Any

from seqrnn.reporting.drawing.environment import environment
from seqrnn.tasks.diagram import Diagram

APART = 84  # from a step to the next
MARGIN = 44


def draw_network(diagram: Diagram, both_ways: bool, shape: str) -> Any:
    """Return the drawing as markup; `shape` says in words what it shows."""
    steps = [
        {
            **step._asdict(),
            "x": MARGIN + index * APART,
            "parts": {name: lowered(text) for name, text in step._asdict().items()},
        }
        for index, step in enumerate(diagram)
    ]
    width = 2 * MARGIN + (len(diagram) - 1) * APART
    template = environment().get_template("diagram.svg")
    return _markup(template.render(steps=steps, width=width, both_ways=both_ways, description=shape))


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
