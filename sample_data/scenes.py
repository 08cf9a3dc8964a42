"""Drawn scenes, two things on paper, each with sentences that say what can be seen.

No two things of a test picture stand together in any training picture, whichever way round: what is
learned is to see each of the two, not to know the picture again. More pictures are drawn by
`python sample_data/scenes.py DIRECTORY TRAIN TEST`, such as `/tmp/scenes 4000 400`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

SEED = 1871
TRAIN_SCENES, TEST_SCENES = 800, 100
HELD_OUT = 0.2  # share of the pairs of things that only the test shows

SIDE = 64  # pixels of a picture
TINTS = 32  # of a picture: its colours, and those of the soft edges between them
FINE = 4  # it is drawn so many times as large, and shrunk: no edge is ragged

COLOURS = {
    "red": (208, 62, 72),
    "blue": (46, 104, 176),
    "green": (84, 150, 76),
    "yellow": (238, 186, 60),
    "black": (52, 50, 58),
}
PAPER = (247, 242, 232)
SHAPES = ("circle", "square", "triangle", "star", "heart")

ABOVE = ("{0} above {1}", "{0} over {1}", "{1} below {0}", "{1} under {0}")
LEFT = ("{0} left of {1}", "{0} to the left of {1}", "{1} right of {0}", "{1} to the right of {0}")

Point = tuple[float, float]


@dataclass(frozen=True)
class Thing:
    """A shape of one colour."""

    colour: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """Two things, the first above the second or, if `level`, to the left of it."""

    first: Thing
    second: Thing
    level: bool

    def captions(self) -> list[str]:
        """Return all sentences that would be right."""
        return [way.format(self.first, self.second) for way in (LEFT if self.level else ABOVE)]


def split(counts: tuple[int, int], rng: Random) -> tuple[list[Scene], list[Scene]]:
    """Draw as many scenes to train on and to test on as `counts` says, of different pairs of things."""
    things = [Thing(colour, shape) for colour in COLOURS for shape in SHAPES]
    pairs = list(combinations(things, 2))
    rng.shuffle(pairs)
    held_out = round(HELD_OUT * len(pairs))
    train, test = pairs[held_out:], pairs[:held_out]
    return _scenes(train, counts[0], rng), _scenes(test, counts[1], rng)


def _scenes(pairs: Sequence[tuple[Thing, Thing]], count: int, rng: Random) -> list[Scene]:
    """Draw scenes of pairs that all come equally often, in each order and direction."""
    scenes = []
    for number in range(count):
        pair = pairs[number % len(pairs)]
        first, second = pair if rng.random() < 0.5 else pair[::-1]
        scenes.append(Scene(first, second, level=rng.random() < 0.5))
    return scenes


def draw(scene: Scene, rng: Random) -> Image.Image:
    """Draw a scene: where its things stand, how large they are and how they lean is left to chance."""
    picture = Image.new("RGB", (SIDE * FINE, SIDE * FINE), PAPER)
    pen = ImageDraw.Draw(picture)
    for thing, along in ((scene.first, 0.27), (scene.second, 0.73)):
        place = (along + rng.uniform(-0.04, 0.04), 0.5 + rng.uniform(-0.14, 0.14))
        across, down = place if scene.level else place[::-1]
        size = rng.uniform(0.15, 0.19)
        lean = rng.uniform(-0.15, 0.15)  # in radians
        points = [_turned(point, lean) for point in _outline(thing.shape)]
        _paint(pen, [(across + size * x, down + size * y) for x, y in points], COLOURS[thing.colour])
    return picture.reduce(FINE).quantize(TINTS)


def _paint(pen: ImageDraw.ImageDraw, points: list[Point], colour: tuple[int, ...]) -> None:
    """Fill an outline, whose points are shares of the picture's side, and draw its edge darker."""
    scaled = [(round(x * SIDE * FINE), round(y * SIDE * FINE)) for x, y in points]
    pen.polygon(scaled, fill=colour)
    edge = tuple(part * 7 // 10 for part in colour)
    pen.line([*scaled, *scaled[:2]], fill=edge, width=FINE, joint="curve")


def _turned(point: Point, angle: float) -> Point:
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _outline(shape: str) -> list[Point]:
    """Return the corners of a shape around (0, 0), about 1 away from it; y grows downwards."""
    match shape:
        case "circle":
            return _around(72, (0.95,))
        case "square":
            return [(-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)]
        case "triangle":
            return _around(3, (1.15,))
        case "star":
            return _around(10, (1.2, 0.52))
    return [_heart(2 * math.pi * step / 72) for step in range(72)]


def _around(count: int, distances: Sequence[float]) -> list[Point]:
    """Return `count` points around the middle, the first above it, whose distances take turns."""
    angles = [2 * math.pi * step / count for step in range(count)]
    reach = [distances[step % len(distances)] for step in range(count)]
    return [(far * math.sin(angle), -far * math.cos(angle)) for angle, far in zip(angles, reach, strict=True)]


def _heart(angle: float) -> Point:
    x = 16 * math.sin(angle) ** 3
    y = 13 * math.cos(angle) - 5 * math.cos(2 * angle) - 2 * math.cos(3 * angle) - math.cos(4 * angle)
    return x / 15, (-y - 2.5) / 15


def write(directory: Path, counts: tuple[int, int], rng: Random) -> dict[str, str]:
    """Draw scenes into `directory`/scenes, as many to train on and to test on as `counts` says.

    Returns the tables that go beside that folder: captions, one a row of a training picture and all
    on the row of a test picture, and the colour of the upper thing.
    """
    (directory / "scenes").mkdir(parents=True, exist_ok=True)
    tables = {}
    for part, scenes in zip(("train", "test"), split(counts, rng), strict=True):
        captions, colours = [], []
        for number, scene in enumerate(scenes):
            name = f"scenes/{part}-{number:04}.png"
            draw(scene, rng).save(directory / name, optimize=True)
            told = scene.captions() if part == "test" else rng.sample(scene.captions(), rng.randint(1, 3))
            captions += ["\t".join([name, *told])] if part == "test" else [f"{name}\t{text}" for text in told]
            colours += [] if scene.level else [f"{name}\t{scene.first.colour}"]
        tables[f"scenes.{part}.tsv"] = "\n".join(captions) + "\n"
        tables[f"colours.{part}.tsv"] = "\n".join(colours) + "\n"
    return tables


if __name__ == "__main__":
    target, train, test = sys.argv[1:]
    for table, text in write(Path(target), (int(train), int(test)), Random(SEED)).items():
        (Path(target) / table).write_text(text, encoding="utf-8", newline="\n")
