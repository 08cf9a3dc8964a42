from __future__ import annotations

from collections import Counter

import pytest

from seqrnn.data.dataset.split import Fold, FoldSplit, Split, StratifiedSplit, assign
from seqrnn.data.record import Record

LABELS = [*"a" * 130, *"b" * 55, *"c" * 15, "rare"]
RECORDS = [Record(f"text {i * 7 % 201}", (LABELS[i * 7 % 201],)) for i in range(201)]
SEVERAL = [Record(f"text {i}", tuple("abcd"[j] for j in range(4) if i % (j + 2) == 0)) for i in range(300)]


def held_out(split: Split, records: list[Record]) -> list[Record]:
    parts = assign(split, records)
    return [record for batch, out in parts for record, is_out in zip(batch, out, strict=True) if is_out]


def counted(records: list[Record]) -> Counter[str]:
    return Counter(label for record in records for label in record.targets)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_label_has_its_share_held_out_and_a_label_of_one_example_none(
    fraction: float, seed: int
) -> None:
    found = counted(held_out(StratifiedSplit(fraction, seed), RECORDS))
    for label, number in counted(RECORDS).items():
        assert abs(found[label] - fraction * number) < 2
    assert found["rare"] == 0


def test_the_seed_decides_and_the_first_of_a_label_always_stays() -> None:
    first = {label: next(r for r in RECORDS if r.targets == (label,)) for label in "abc"}
    parts = [held_out(StratifiedSplit(0.1, seed), RECORDS) for seed in (1, 1, 2, 3, 4, 5, 6, 7, 8)]
    assert parts[0] == parts[1] != parts[2]
    assert not any(record in part for part in parts for record in first.values())


def test_no_fraction_holds_nothing_out() -> None:
    assert held_out(StratifiedSplit(0.0, 1), RECORDS) == []


def test_of_several_labels_the_rarest_decides() -> None:
    found, all_of_them = counted(held_out(StratifiedSplit(0.2, 1), SEVERAL)), counted(SEVERAL)
    for label in "abcd":
        assert 0.1 < found[label] / all_of_them[label] < 0.3


@pytest.mark.parametrize("of", ["examples", "sources", "stratified"])
def test_each_example_is_in_one_fold_and_folds_are_as_large_as_each_other(of: str) -> None:
    folds = [held_out(FoldSplit(Fold(number, 4), 1, of), RECORDS) for number in range(4)]  # type: ignore[arg-type]
    assert sorted(map(len, folds)) == [50, 50, 50, 51]
    assert sorted(record.source for fold in folds for record in fold) == sorted(r.source for r in RECORDS)
    if of == "stratified":
        for label, number in counted(RECORDS).items():
            assert {counted(fold)[label] for fold in folds} <= {number // 4, number // 4 + 1}


def test_a_source_is_in_one_fold_with_all_its_targets() -> None:
    records = [Record(f"source {i % 20}", (str(i),)) for i in range(100)]
    folds = [held_out(FoldSplit(Fold(number, 5), 1, "sources"), records) for number in range(5)]
    assert [len({record.source for record in fold}) for fold in folds] == [4] * 5
    assert sum(map(len, folds)) == 100
