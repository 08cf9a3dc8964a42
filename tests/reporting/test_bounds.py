"""However many rows and classes there are, a page shows a bounded part of them, and says so."""

from __future__ import annotations

import re

from seqrnn.library.measuring import DataArguments
from seqrnn.library.row_answerers import row_predictor
from seqrnn.reporting import gathering
from seqrnn.reporting.gathering import Wanted, gather
from seqrnn.reporting.measures import classes
from seqrnn.reporting.page import write_page

CLASSES = 30


def rows(count):
    return "".join(f"item {n % CLASSES} of box {n % 7}\tclass{n % CLASSES:02}\n" for n in range(count))


def test_pages_of_many_rows_and_classes_are_bounded_and_say_so(train, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(classes, "MOST_ROWS", 4)
    monkeypatch.setattr(classes, "MOST_CELLS", 3)
    monkeypatch.setitem(gathering.ASKED, "names", (row_predictor, 50))
    _, run = train("tsv", {"training.epochs": 1.0}, rows(120))
    pages = []
    for count in (300, 3000):
        file = tmp_path / f"{count}.tsv"
        file.write_text(rows(count))
        subject, _ = gather(run, Wanted(DataArguments((str(file),)), device="cpu"))
        pages.append(write_page(subject))
        asked = re.search(rf"Of (\d+) rows, spread evenly over all {count:,}\.", pages[-1])
        assert 25 <= int(asked[1]) <= 50
        assert f"The 3 of {CLASSES} classes with the most mistakes." in pages[-1]
        assert f"The 4 of {CLASSES} classes that occur and have the lowest F1." in pages[-1]
        assert f"{count:,} rows" in pages[-1]
    assert len(pages[1]) < 1.2 * len(pages[0])
