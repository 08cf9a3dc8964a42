from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.data.dataset.columns import Column, ColumnWriter, Dataset, smallest_dtype

EXAMPLES = [[7, 8, 9], [], [5], [1, 2, 3, 4, 65_535]]


def write(path: Path, examples: list[list[int]], batch: int = 3) -> Column:
    with ColumnWriter(path, np.uint16) as writer:
        for start in range(0, len(examples), batch):
            writer.append(examples[start : start + batch])
    return Column.open(path)


def test_every_example_is_read_back_as_it_was_appended(tmp_path: Path) -> None:
    column = write(tmp_path / "source", EXAMPLES)
    found = [column.values[a:b].tolist() for a, b in zip(column.offsets, column.offsets[1:], strict=False)]
    assert found == EXAMPLES
    assert len(column) == 4
    assert column.lengths.tolist() == [3, 0, 1, 5]


def test_the_files_are_ordinary_npy_files_of_the_asked_dtype(tmp_path: Path) -> None:
    write(tmp_path / "source", EXAMPLES)
    values = np.load(tmp_path / "source.values.npy")
    assert values.dtype == np.uint16
    assert values.tolist() == [7, 8, 9, 5, 1, 2, 3, 4, 65_535]
    assert np.load(tmp_path / "source.offsets.npy").tolist() == [0, 3, 3, 4, 9]


def test_a_column_stays_on_disk_until_it_is_used(tmp_path: Path) -> None:
    column = write(tmp_path / "source", EXAMPLES)
    assert isinstance(column.values.base, np.memmap)
    assert not column.values.flags.writeable


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=12), st.data())
def test_stretches_of_a_column_are_cut_where_its_examples_are(examples, data) -> None:
    column = Column.of([np.array(example, dtype=np.int64) for example in examples])
    size = len(column.values)
    length = data.draw(st.integers(0, size))
    places = st.lists(st.integers(0, size - length), min_size=1, max_size=3, unique=True)
    starts = sorted(data.draw(places))
    ends = set(column.offsets.tolist())
    expected: list[list[int]] = []
    for start in starts:
        for at in range(start, start + length):
            if at == start or at in ends:
                expected.append([])
            expected[-1].append(int(column.values[at]))
    found = column.stretches(np.array(starts), length)
    cut = np.split(found.values, found.offsets[1:-1])
    assert [part.tolist() for part in cut if len(part)] == expected
    assert len(found) == len(expected)


def test_gathered_rows_are_padded_to_the_longest_of_them(tmp_path: Path) -> None:
    batch = write(tmp_path / "source", EXAMPLES).gather(np.array([2, 0, 1]), pad_value=99)
    assert batch.dtype == np.int64
    assert batch.tolist() == [[5, 99, 99], [7, 8, 9], [99, 99, 99]]


def test_a_width_cuts_the_longer_and_pads_the_shorter(tmp_path: Path) -> None:
    batch = write(tmp_path / "source", EXAMPLES).gather(np.array([3, 2]), width=2)
    assert batch.tolist() == [[1, 2], [5, 0]]


def test_the_last_example_can_be_gathered_wider_than_the_column_is_long(tmp_path: Path) -> None:
    batch = write(tmp_path / "source", [[1], [2]]).gather(np.array([1]), width=5)
    assert batch.tolist() == [[2, 0, 0, 0, 0]]


def test_a_column_without_tokens_or_examples_can_be_opened(tmp_path: Path) -> None:
    assert write(tmp_path / "a", [[], []]).gather(np.array([0, 1])).shape == (2, 0)
    assert len(write(tmp_path / "b", [])) == 0


@given(
    examples=st.lists(st.lists(st.integers(0, 2**16 - 1), max_size=6), min_size=1, max_size=8),
    data=st.data(),
)
def test_gather_agrees_with_a_loop_over_lists(
    examples: list[list[int]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    column = write(tmp_path_factory.mktemp("column") / "source", examples, batch=2)
    rows = data.draw(st.lists(st.integers(0, len(examples) - 1), min_size=1))
    width = max(len(examples[row]) for row in rows)
    expected = [examples[row] + [0] * (width - len(examples[row])) for row in rows]
    assert column.gather(np.array(rows)).tolist() == expected


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "source", EXAMPLES)
    file = tmp_path / "source.values.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="length"):
        Column.open(tmp_path / "source")


def test_a_dataset_opens_its_columns_by_name(tmp_path: Path) -> None:
    write(tmp_path / "source", [[4, 5], [6]])
    write(tmp_path / "label", [[0], [1]])
    dataset = Dataset.open(tmp_path, ["source", "label"])
    assert len(dataset) == 2
    assert dataset["label"].gather(np.array([1, 0])).tolist() == [[1], [0]]


def test_the_dtype_is_the_smallest_that_holds_every_id() -> None:
    assert smallest_dtype(2**8) == np.uint8
    assert smallest_dtype(2**8 + 1) == smallest_dtype(2**16) == np.uint16
    assert smallest_dtype(2**16 + 1) == np.int32


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_vectors_are_read_back_and_gathered_with_zeros_behind_them(tmp_path: Path, dtype: type) -> None:
    examples = [np.arange(6).reshape(2, 3), np.empty((0, 3)), np.array([[7, 8, 9]])]
    with ColumnWriter(tmp_path / "source", np.dtype((dtype, (3,)))) as writer:
        writer.append(examples[:1])
        writer.append(examples[1:])
    column = Column.open(tmp_path / "source")
    assert (column.values.shape, column.values.dtype, column.lengths.tolist()) == ((3, 3), dtype, [2, 0, 1])
    assert np.load(tmp_path / "source.values.npy").tolist() == column.values.tolist()
    batch = column.gather(np.array([2, 1, 0]))
    assert batch.tolist() == [[[7, 8, 9], [0] * 3], [[0] * 3] * 2, [[0, 1, 2], [3, 4, 5]]]
    assert batch.dtype == (np.float32 if dtype is np.float32 else np.int64)
    assert column.gather(np.array([0, 2]), width=1).tolist() == [[[0, 1, 2]], [[7, 8, 9]]]
