"""Sentences a token a line: CoNLL's columns and CoNLL-U."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seqrnn.data.formats.conll import Conll, looks_like_conll
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.errors import DataError, UsageError
from seqrnn.inference import infer

Write = Callable[..., Source]

CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER
"""
CONLLU = """# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
3\tal mar\tmar\tNOUN\tN\t_\t1\tobl\t_\t_
3.1\tnothing\tnada\tX\tX\t_\t_\t_\t_\t_

1\t#\t#\tSYM\tS\t_\t0\troot\t_\t_

"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function: a file's name, its content, keys of Source -> the source."""
    monkeypatch.chdir(tmp_path)

    def write_source(name: str, content: str, **keys: str) -> Source:
        Path(name).write_text(content, encoding="utf-8")
        return Source((name,), **{"format": name.rpartition(".")[2], **keys})

    return write_source


def sentences(source: Source) -> list[tuple[str, tuple[str, ...], int]]:
    return [(record.source, record.targets, record.line) for record in read_records(source)]


def test_columns_are_word_first_and_tag_last_and_document_marks_are_left_out(write: Write):
    assert sentences(write("a.conll", CONLL)) == [
        ("EU rejects", ("B-ORG", "O"), 3),
        ("Peter", ("B-PER",), 6),
    ]


def test_columns_are_chosen_by_number(write: Write):
    chosen = sentences(write("a.conll", CONLL, text_column="2", label_column="3"))
    assert chosen == [("NNP VBZ", ("B-NP", "B-VP"), 3), ("NNP", ("B-NP",), 6)]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n", "\n \t\n"])
def test_the_last_sentence_needs_no_blank_line(write: Write, ending: str):
    assert sentences(write("a.conll", "\n\na X\n\n\nb Y" + ending)) == [("a", ("X",), 3), ("b", ("Y",), 6)]


def test_a_line_with_tabs_is_cut_at_tabs_only_and_white_space_in_a_word_is_one_underscore(write: Write):
    content = "New  York\tB\n10\u00a0000\tO\n"
    assert sentences(write("a.conll", content)) == [("New_York 10_000", ("B", "O"), 1)]


def test_conllu_leaves_comments_ranges_and_empty_nodes_out(write: Write):
    assert sentences(write("a.conllu", CONLLU)) == [
        ("vamos nos al_mar", ("VERB", "PRON", "NOUN"), 4),
        ("#", ("SYM",), 9),
    ]


@pytest.mark.parametrize(("word", "tag"), [("3", "5"), ("LEMMA", "XPOS"), ("lemma", "xpos")])
def test_conllu_columns_are_chosen_by_number_or_name(write: Write, word: str, tag: str):
    found = sentences(write("a.conllu", CONLLU, text_column=word, label_column=tag))
    assert found[0][:2] == ("ir nosotros mar", ("V", "P", "N"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", "a X\nb\n", r"a\.conll:2: 1 column, expected 2"),
        ("a.conll", "a X\n\nb Y Z\n", r"a\.conll:3: 3 columns, expected 2"),
        ("a.conll", "a\nb\n", r"a\.conll:1: 1 column, expected 2"),
        ("a.conll", "a\tX\nb\t\n", r"a\.conll:2: 1 column, expected 2"),
        ("a.conll", "a\tX\n\tX\n", r"a\.conll:2: no word in column 1"),
        ("a.conllu", "1\tone\ttwo\n", r"a\.conllu:1: no line of CoNLL-U: 3 columns"),
        ("a.conllu", CONLLU.replace("2\tnos", "x\tnos"), r"a\.conllu:5: no line of CoNLL-U: .*'x'"),
    ],
)
def test_a_line_of_another_shape_is_named(write: Write, name: str, content: str, message: str):
    with pytest.raises(DataError, match=message):
        sentences(write(name, content))


def test_a_column_that_is_not_there_is_named_with_the_choice(write: Write):
    with pytest.raises(DataError, match=r"a\.conll:3: no column 7, there are 4; use `data.label_column`"):
        sentences(write("a.conll", CONLL, label_column="7"))
    with pytest.raises(UsageError, match=r"`data.label_column` ner: .* its number"):
        sentences(write("a.conll", CONLL, label_column="ner"))
    with pytest.raises(UsageError, match=r"`data.label_column` POS: .* UPOS"):
        sentences(write("a.conllu", CONLLU, label_column="POS"))


# What a file is


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a"])
def test_blocks_of_columns_are_tagged_tokens(write: Write, name: str):
    found = infer(write(name, CONLL, format="auto"), None)
    assert (found.task, found.format) == ("tagging", "conll")
    assert "3 different tags in the first 2 rows, one for each token" in found.reason


@pytest.mark.parametrize("name", ["a.conllu", "a.txt"])
def test_conllu_is_known_by_its_extension_or_its_ten_columns(write: Write, name: str):
    found = infer(write(name, CONLLU, format="auto"), None)
    assert (found.task, found.format) == ("tagging", "conllu")


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("one two\nthree four\n\nfive six seven\n\n", "text"),
        ("one two\nthree four\n", "text"),
        ("one\ntwo\n\nthree\n", "text"),
        ("the first text\ta\nthe second text\tb\n\nthe third text\ta\n", "text"),
    ],
)
def test_other_lines_are_no_columns(write: Write, content: str, layout: str):
    assert infer(write("a", content, format="auto"), "language-model").format == layout
    assert infer(write("b", content, format="auto"), "tagging").format != "conll"


def test_parallel_files_with_as_many_tokens_everywhere_are_tagged_tokens(write: Write, tmp_path: Path):
    source = write("a.in", "x y  z \nu v\nw\n", format="auto")
    for name, content, task in [
        ("tags", "A B C \nA B\nA\n", "tagging"),
        ("labels", "A\nB\nA\n", "classification"),
    ]:
        write(name, content)
        pair = Source(source.paths, name, "parallel")
        assert infer(pair, None).task == task


def test_parallel_single_words_with_repeated_labels_are_a_classification(write: Write):
    write("names", "ann\nbob\nanna\nbobby\n")
    write("kinds", "f\nm\nf\nm\n")
    assert infer(Source(("names",), "kinds", "parallel"), None).task == "classification"


@pytest.mark.parametrize(
    "row", ['{"tokens": ["a b", "c"], "tags": ["X", "Y"]}', '{"tokens": "a_b c", "tags": "X Y"}']
)
def test_json_lines_bring_tokens_and_tags_as_lists_or_strings(write: Write, row: str):
    source = write("a.jsonl", (row + "\n") * 4)
    assert infer(source, None).task == "tagging"
    assert next(iter(read_records(source))).source == "a_b c"


# Comments, which some files have before a sentence


def pairs(source: Source) -> list[tuple[str, tuple[str, ...]]]:
    return [record[:2] for record in read_records(source)]


GERMEVAL = "".join(f"#\tpage {n}\n1\tAna\tB-per\tO\n2\t#met\tO\tO\n\n" for n in range(3))


@pytest.mark.parametrize(
    "comments",
    [
        "# text = Ana met\n",
        "# sent_id = 3\n# text = a\n",
        "#begin document (a/b); part 000\n",
        "#end document\n",
        "# id 52-aa\tdomain=en\n",
        "# id 52\n",
        "#\n",
        "-DOCSTART- O\n\n# text = x\n",
        "#\tpage 1 of 3\n",
    ],
)
def test_comments_before_a_sentence_are_left_out(write: Write, comments: str):
    content = f"{comments}Ana B-PER\nmet O\n\n{comments}#hashtag B-X\n#1 O\n# O\n\n{comments}"
    assert pairs(write("a.conll", content)) == [
        ("Ana met", ("B-PER", "O")),
        ("#hashtag #1 #", ("B-X", "O", "O")),
    ]


def test_a_first_word_may_begin_with_a_number_sign(write: Write):
    assert pairs(write("a.conll", "#hashtag B-X\nis O\n\n#1 O\n")) == [
        ("#hashtag is", ("B-X", "O")),
        ("#1", ("O",)),
    ]


def test_a_line_within_a_sentence_is_no_comment(write: Write):
    with pytest.raises(DataError, match=r":2: 4 columns, expected 2"):
        pairs(write("a.conll", "Ana B-PER\n# text = x\nmet O\n"))


def test_germeval_columns_are_chosen_by_number(write: Write):
    source = write("a.conll", GERMEVAL, text_column="2", label_column="3")
    assert pairs(source) == [("Ana #met", ("B-per", "O"))] * 3


def test_comments_and_a_column_that_counts_are_told_from_the_first_lines():
    lines = GERMEVAL.split("\n")
    assert looks_like_conll(lines)
    assert Conll().columns_of(lines) == {"text_column": "2", "label_column": "3"}


@pytest.mark.parametrize(
    "content", ["Ana B-PER\nmet O\n\nBo O\n", "1 O\n2 O\n\n1 O\n", "1 a O\n3 b O\n\n1 c O\n"]
)
def test_no_other_column_is_taken_for_one_that_counts(content: str):
    assert Conll().columns_of(content.split("\n")) == {}
