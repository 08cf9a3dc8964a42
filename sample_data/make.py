"""Write the sample data: `python sample_data/make.py [DIRECTORY]` (default: beside this file).

The same files come out on every machine; a test compares them with the committed ones. What they
hold is told in lighthouse.py and mails.py.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import lighthouse
import mails

SEED = 1871


def write(directory: Path) -> None:
    """Write lighthouse.txt, mails.train.tsv and mails.test.tsv into the directory."""
    files = {"lighthouse.txt": lighthouse.log(random.Random(SEED))}
    train, test = mails.split(random.Random(SEED))
    files["mails.train.tsv"] = mails.table(train)
    files["mails.test.tsv"] = mails.table(test)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
