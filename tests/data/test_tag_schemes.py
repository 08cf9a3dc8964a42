"""What tags mark is told from the tags, whatever their spelling, and odd ones do not hide it."""

from __future__ import annotations

from collections import Counter

import pytest

from seqrnn.data.fields.tag_schemes import mark_of, read_tags, read_tags_as, scheme_of_older_runs


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O B-a I-a", "bio"),
        ("O I-a", "bio"),
        ("B I O", "bio"),
        ("O B-a I-a E-a S-a", "bioes"),
        ("O B-a L-a U-a I-a", "bioes"),
        ("O B-a M-a E-a S-a", "bioes"),
        ("B M E S", "bioes"),
        ("O B-a M-a E-a W-a", "bioes"),
        ("O B_a I_a", "bio"),
        ("o b-a i-a", "bio"),
        ("NOUN VERB", None),
        ("B-a NOUN", None),
        ("O S", None),
        ("", None),
    ],
)
def test_the_scheme_is_told_from_the_tags(tags: str, scheme: str | None) -> None:
    reading = read_tags(Counter(tags.split()))
    assert (reading.scheme, reading.odd) == (scheme, {})


@pytest.mark.parametrize(
    ("odd", "read"),
    [
        ("0", "is read as O, outside of all spans"),
        ("X-a", "is read as O, outside of all spans"),
        ("o", "is read as 'O'"),
        ("B_a", "is read as 'B-a'"),
        ("i-a", "is read as 'I-a'"),
    ],
)
def test_an_odd_tag_among_many_is_named_and_hides_no_scheme(odd: str, read: str) -> None:
    reading = read_tags({"O": 60, "B-a": 20, "I-a": 10, odd: 1})
    assert (reading.scheme, reading.odd) == ("bio", {odd: read})
    assert read_tags_as("bio", {"O": 60, "B-a": 20, "I-a": 10, odd: 1}).odd.keys() == {odd}


def test_what_most_tags_have_is_the_way_they_are_written() -> None:
    assert read_tags({"O": 60, "B_a": 20, "I_a": 10, "B-a": 2}).odd == {"B-a": "is read as 'B_a'"}
    assert read_tags({"o": 60, "b-a": 20, "O": 3}).odd == {"O": "is read as 'o'"}


def test_many_tags_of_no_scheme_are_no_slips() -> None:
    assert read_tags({"O": 60, "B-a": 20, "X": 10}).scheme is None
    with pytest.raises(ValueError, match=r"^X$"):
        read_tags_as("bio", {"O": 60, "B-a": 20, "X": 10})
    with pytest.raises(ValueError, match=r"^E-a$"):
        read_tags_as("bio", {"O": 60, "B-a": 20, "E-a": 10})


@pytest.mark.parametrize(
    ("tag", "letter", "kind"),
    [
        ("B-x-y", "B", "x-y"),
        ("I_geo_loc", "I", "geo_loc"),
        ("U-a", "S", "a"),
        ("l-a", "E", "a"),
        ("M", "I", ""),
        ("B-a\nb", "B", "a\nb"),
    ],
)
def test_a_tag_is_a_letter_and_a_type(tag: str, letter: str, kind: str) -> None:
    mark = mark_of(tag)
    assert mark is not None
    assert mark[:2] == (letter, kind)


@pytest.mark.parametrize("tag", ["0", "X-a", "Ba", "", "O-a", "BI-a", " "])
def test_other_tags_mark_nothing(tag: str) -> None:
    assert mark_of(tag) is None


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [("B-a I-a O", "bio"), ("B-a E-a O", "bioes"), ("B-a M-a E-a O", None), ("B-a O 0", None), ("A B", None)],
)
def test_runs_that_kept_no_scheme_have_the_one_they_were_trained_with(tags: str, scheme: str | None) -> None:
    assert scheme_of_older_runs(tags.split()) == scheme
