"""Write the sample data: `python sample_data/make.py [DIRECTORY]` (default: beside this file).

The same files come out on every machine; a test compares them with the committed ones. What they
hold is told in the module of their name.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import adding
import boats
import dates
import islands
import lighthouse
import mails
import rounds
import scenes
import sightings
import strokes

SEED = 1871
ADDING_STEPS = 12
ADDING = {"adding.train.npz": (1000, SEED), "adding.test.npz": (200, SEED + 1)}  # examples, seed


def write(directory: Path) -> None:
    """Write all files into the directory."""
    files = {"lighthouse.txt": lighthouse.log(random.Random(SEED))}
    train, test = mails.split(random.Random(SEED))
    files["mails.train.tsv"] = mails.table(train)
    files["mails.test.tsv"] = mails.table(test)
    files["sightings.train.conll"], files["sightings.test.conll"] = sightings.split(random.Random(SEED))
    files["dates.train.tsv"], files["dates.test.tsv"] = dates.split(random.Random(SEED))
    files["islands.tsv"] = islands.table(random.Random(SEED))
    files["strokes.train.jsonl"], files["strokes.test.jsonl"] = strokes.split(random.Random(SEED))
    files["boats.train.csv"], files["boats.test.csv"] = boats.split(random.Random(SEED))
    files["rounds.train.jsonl"], files["rounds.test.jsonl"] = rounds.split(random.Random(SEED))
    files |= scenes.write(directory, (scenes.TRAIN_SCENES, scenes.TEST_SCENES), random.Random(SEED))
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")
    for name, (examples, seed) in ADDING.items():
        adding.write(directory / name, ADDING_STEPS, examples, seed)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
