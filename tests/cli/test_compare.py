"""`seqrnn compare`: runs side by side, whatever the width."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len


def test_runs_are_lines_of_json_with_the_settings_that_differ(seqrnn, classifier, several) -> None:
    result = seqrnn("compare", classifier, several, "--json")
    assert result.returncode == 0, result.stderr.decode()
    rows = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert {row["run"] for row in rows} == {str(classifier), str(several)}
    assert rows[0]["accuracy"] >= rows[1]["accuracy"]
    assert {row["settings"]["data.multi_label"] for row in rows} == {True, False}
    assert "training.seed" not in rows[0]["settings"]


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_table_fits_unless_one_run_alone_does_not(seqrnn, classifier, several, folder, columns) -> None:
    result = seqrnn("compare", "classifier", "several", "classifier", COLUMNS=str(columns))
    assert result.returncode == 0, result.stderr.decode()
    lines = result.stdout.decode().splitlines()
    assert max(map(cell_len, lines)) <= max(columns, 60)
    assert any(line.startswith("accuracy") and "%" in line for line in lines)


def test_what_is_no_run_is_told(seqrnn, classifier) -> None:
    result = seqrnn("compare", classifier, "nowhere")
    assert (result.returncode, result.stdout) == (4, b"")
    assert b"nowhere: no such run directory" in result.stderr
