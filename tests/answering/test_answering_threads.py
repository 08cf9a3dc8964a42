"""Parts of a stream that are answered in several threads."""

from __future__ import annotations

import json
import threading
from functools import partial

import pytest

from seqrnn.answering.answering_threads import SideBySide
from seqrnn.answering.labeller import Labeller
from seqrnn.cli.rows import MAX_ROWS, RowFormat, answer_rows
from seqrnn.cli.stdio import OutputStream
from seqrnn.library.rows import RowAnswerer
from seqrnn.tasks.task import LabelSelection


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_order_whichever_is_ready_first(threads):
    ready = [threading.Event() for _ in range(9)]

    def last_first(number):
        if threads > 1 and number % threads < threads - 1 and number < 9 // threads * threads:
            assert ready[number + 1].wait(10)  # the next one runs at the same time, and ends before
        ready[number].set()
        return number

    assert list(SideBySide(threads)(last_first, iter(range(9)))) == list(range(9))


def test_one_waits_beside_those_that_are_computed_and_one_is_looked_at():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    for number in SideBySide(2)(lambda item: item, items()):
        assert len(taken) <= number + 4


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_what_came_before_an_error_is_handed_out_before_it_is_raised(threads, count):
    def items():
        yield from range(count)
        raise ValueError("torn")

    found = SideBySide(threads)(lambda item: item, items())
    assert [next(found) for _ in range(count)] == list(range(count))
    with pytest.raises(ValueError, match="torn"):
        next(found)


@pytest.mark.parametrize("threads", [1, 2])
def test_before_a_wait_all_results_are_handed_out(threads):
    handed_out = []

    def items():
        for number in range(6):
            yield number
            if number % 3 == 2:
                yield None
                assert handed_out == list(range(number + 1))

    for number in SideBySide(threads)(lambda item: item, items()):
        handed_out.append(number)
    assert handed_out == list(range(6))


def test_one_item_alone_stays_in_the_thread_that_asks():
    assert list(SideBySide(2)(lambda _: threading.get_ident(), [0])) == [threading.get_ident()]
    others = list(SideBySide(2)(lambda _: threading.get_ident(), [0, 1]))
    assert threading.get_ident() not in others


def test_an_error_reaches_the_caller_and_what_waits_is_not_begun():
    begun = []

    def fail(item):
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        list(SideBySide(2)(fail, range(50)))
    assert len(begun) <= 3


def test_rows_of_many_parts_have_the_same_answers_as_one_after_the_other(train, opened, tmp_path):
    _, path = train("tsv")
    task, backend = opened(path, "numpy")
    labeller = Labeller(task, backend)
    rows = tmp_path / "rows"
    rows.write_text(
        "".join(f"{'red cat ' * (number % 7)}{'dog' * (number % 3)}\n" for number in range(3 * MAX_ROWS + 5))
    )
    layout = RowFormat(True, None, "text", task.plain_fields, partial(task.write, probs=True))

    def answered(threads):
        answers = tmp_path / f"answers.{threads}"
        with OutputStream(str(answers)) as out:
            answerer = RowAnswerer(task.check, partial(labeller.answer, choice=LabelSelection()))
            answer_rows(str(rows), out, layout, answerer, SideBySide(threads))
        return answers.read_text().splitlines()

    alone = answered(1)
    assert [json.loads(line)["id"] for line in alone] == list(range(3 * MAX_ROWS + 5))
    assert answered(2) == alone
