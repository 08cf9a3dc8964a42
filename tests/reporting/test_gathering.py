"""What a report asks a run about its data: each file is read once, and a listener hears how far that is."""

from __future__ import annotations

import pytest

import seqrnn
from seqrnn.data.dataset import progress
from seqrnn.data.formats.record_reader import RecordReader
from seqrnn.library.measuring import DataArguments
from seqrnn.library.row_answerers import row_predictor
from seqrnn.reporting import gathering, long_text
from seqrnn.reporting.gathering import Wanted, gather
from seqrnn.reporting.page import write_page


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The paths of all rows that are read, in their order."""
    seen: list[str] = []
    every = RecordReader.__iter__

    def noted(reader):
        for record in every(reader):
            seen.append(record.path)
            yield record

    monkeypatch.setattr(RecordReader, "__iter__", noted)
    return seen


@pytest.mark.parametrize("layout", ["tsv", "conll", "text"])
def test_a_file_is_read_once(train, tmp_path, read, layout) -> None:
    _, run = train(layout, {"training.epochs": 1.0})
    read.clear()
    subject, _ = gather(run, Wanted(DataArguments((str(tmp_path / f"train.{layout}"),)), device="cpu"))
    assert len(read) == subject.measured.rows == len(subject.measured.examples)


def test_a_long_text_is_measured_in_parts_as_the_command_says(train, tmp_path, monkeypatch) -> None:
    path = tmp_path / "train.text"
    _, run = train("text", {"training.epochs": 1.0})
    wanted = Wanted(DataArguments((str(path),)), device="cpu")
    assert gather(run, wanted)[0].measured.evaluated == str(path)
    monkeypatch.setattr(long_text, "LONGEST_STREAM", 50)
    subject, notes = gather(run, wanted)
    figures, told = subject.measured.evaluation.figures, subject.measured.evaluated
    streams = int(told.removeprefix(f"{path} --streams "))
    assert f"the text was measured in {streams} parts, side by side" in notes
    assert figures == seqrnn.load(run).evaluate(path, streams=streams).figures
    monkeypatch.setattr(long_text, "MOST_STREAMS", streams - 2)
    subject, notes = gather(run, wanted)
    assert not subject.measured.evaluated
    assert subject.measured.evaluation.figures["tokens"] == 50 * (streams - 2) < figures["tokens"]
    assert [note for note in notes if f" in {streams - 2} parts of the text" in note]
    assert "--json; seqrnn inspect" in write_page(subject)


def test_a_listener_hears_how_far_each_pass_is(train, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    monkeypatch.setitem(gathering.ASKED, "names", (row_predictor, 10))
    path, told = tmp_path / "train.tsv", []
    _, run = train("tsv", {"training.epochs": 1.0})
    gather(run, Wanted(DataArguments((str(path),)), device="cpu"), told.append)
    passes = list(dict.fromkeys(event.what for event in told))
    assert passes == [f"{run.name}: {name}" for name in ("reading", "measuring", "answering")]
    for name in passes:
        assert next(e for e in reversed(told) if e.what == name).done == path.stat().st_size
    assert [event.fraction for event in told] == sorted(event.fraction for event in told)
    assert told[-1].fraction == pytest.approx(1.0)
