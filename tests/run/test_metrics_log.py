"""The history of a training."""

from __future__ import annotations

import json

import pytest

from seqrnn.errors import ModelError, OutputError
from seqrnn.run.metrics_log import MetricsLog


@pytest.fixture
def log(tmp_path):
    log = MetricsLog(tmp_path)
    for step in (100, 200, 300):
        log.append({"step": step, "loss": 1 / step})
    return log


def test_a_line_an_evaluation_comes_back(log):
    assert log.read() == [{"step": step, "loss": 1 / step} for step in (100, 200, 300)]
    assert len(log.path.read_text().splitlines()) == 3


@pytest.mark.parametrize("target", ["nowhere", "metrics.jsonl"])
def test_a_link_is_no_history_even_where_it_leads_nowhere(target, tmp_path):
    log = MetricsLog(tmp_path)
    log.path.symlink_to(target)
    for ask in (log.read, lambda: log.cut(0)):
        with pytest.raises(ModelError, match=r"metrics\.jsonl: is a symbolic link"):
            ask()


def test_nan_and_infinity_become_null(tmp_path):
    log = MetricsLog(tmp_path)
    log.append({"step": 1, "loss": float("nan"), "per_class": {"a": [float("inf"), 1.5]}})
    expected = {"step": 1, "loss": None, "per_class": {"a": [None, 1.5]}}
    assert json.loads(log.path.read_text(), parse_constant=pytest.fail) == expected


@pytest.mark.parametrize(
    ("step", "left"), [(99, []), (100, [100]), (250, [100, 200]), (400, [100, 200, 300])]
)
def test_a_cut_leaves_the_lines_up_to_a_step(log, step, left):
    log.cut(step)
    assert [line["step"] for line in log.read()] == left


def test_a_torn_last_line_is_left_out_and_cut_away(log):
    with log.path.open("a") as file:
        file.write('{"step": 400, "lo')
    assert [line["step"] for line in log.read()] == [100, 200, 300]
    log.cut(300)
    log.append({"step": 400})
    assert [line["step"] for line in log.read()] == [100, 200, 300, 400]


@pytest.mark.parametrize("line", ["{", "[1]", '{"loss": 1}', '{"step": 1, "step": 2}', '{"step": NaN}'])
def test_a_malformed_line_in_the_middle_is_named(log, line):
    log.path.write_text(f'{{"step": 1}}\n{line}\n{{"step": 3}}\n')
    with pytest.raises(ModelError, match=r"metrics.jsonl:2: .*; remove the line$"):
        log.read()


def test_a_run_without_evaluations_has_no_history(tmp_path):
    log = MetricsLog(tmp_path)
    log.cut(5)
    assert log.read() == []
    assert not log.path.exists()


def test_a_log_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        MetricsLog(tmp_path / "gone").append({"step": 1})
