"""`seqrnn report`: a page of one file, whatever is in the run and the data."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html

MOST_BYTES = 2_000_000


def page_of(seqrnn, *args: str | Path) -> tuple[str, html.HtmlElement]:
    result = seqrnn("report", *args)
    assert result.returncode == 0, result.stderr.decode()
    text = result.stdout.decode()
    return text, html.fromstring(text)


def of_class(tree, name: str) -> list[html.HtmlElement]:
    return tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {name} ')]")


def text_of(element) -> str:
    return " ".join(element.text_content().split())


@pytest.fixture(scope="module")
def page(seqrnn, classifier) -> tuple[str, html.HtmlElement]:
    """The page of the classifier on its test data."""
    return page_of(seqrnn, classifier, "test.tsv")


def test_the_page_loads_nothing_and_runs_nothing(page) -> None:
    text, tree = page
    assert len(text) < MOST_BYTES
    places = tree.xpath("//@src | //@href | //@data | //@action | //@srcset | //@poster")
    assert all(place.startswith(("#", "data:")) for place in places)
    assert "url(" not in text
    assert "@import" not in text
    assert not tree.xpath("//script | //link | //iframe | //object | //embed | //form")
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'")


def test_the_page_can_be_read_without_seeing_it(page) -> None:
    _, tree = page
    assert tree.get("lang") == "en"
    heads = [int(head.tag[1]) for head in tree.xpath("//h1 | //h2 | //h3")]
    assert heads.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(heads))
    keys = tree.xpath("//@id")
    assert len(keys) == len(set(keys))
    for drawing in tree.xpath("//svg[not(@aria-hidden)]"):
        named = drawing.get("aria-labelledby").split()
        assert {each.get("id") for each in drawing if each.tag in {"title", "desc"}} == set(named)
    assert all(head.get("scope") for head in tree.xpath("//table//th"))
    assert all(area.get("tabindex") == "0" and area.get("aria-label") for area in of_class(tree, "scroll"))
    targets = tree.xpath("//a/@href")
    assert {target.removeprefix("#") for target in targets} <= set(keys)


def test_the_figures_are_those_of_evaluate(seqrnn, classifier, page) -> None:
    measured = json.loads(seqrnn("evaluate", "-m", classifier, "test.tsv", "--json").stdout)
    numbers = json.loads(seqrnn("report", classifier, "test.tsv", "--json").stdout)
    assert numbers["figures"] == measured
    tiles = dict(
        zip(page[1].xpath("//*[@id='summary']//dl[@class='tiles']//dt/text()"),
            page[1].xpath("//*[@id='summary']//dl[@class='tiles']//dd/text()"), strict=True)
    )  # fmt: skip
    assert tiles["accuracy"] == f"{measured['accuracy']:.2%}"
    assert tiles["examples"] == str(measured["examples"])


def test_every_section_names_the_command_of_its_numbers(page, classifier) -> None:
    sections = page[1].xpath("//section")
    assert [section.get("id") for section in sections][:4] == ["summary", "curves", "classes", "mistakes"]
    for section in sections:
        command = section.xpath(".//footer//code/text()")[0]
        assert command.startswith("seqrnn ")
        assert str(classifier) in command


def test_what_each_section_comes_to_is_told_at_the_top(page) -> None:
    tree = page[1]
    heads = tree.xpath("//dl[@class='glance']/dt/a")
    told = dict(
        zip((head.get("href") for head in heads), tree.xpath("//dl[@class='glance']/dd"), strict=True)
    )
    assert {"#curves", "#classes", "#calibration", "#saliency"} <= told.keys()
    for target, sentence in told.items():
        (section,) = tree.xpath(f"//section[@id='{target[1:]}']")
        assert text_of(section.xpath(".//p[@class='verdict']")[0]) == text_of(sentence)


def test_mistakes_are_the_wrong_answers_of_classify(seqrnn, classifier) -> None:
    data = "mistaken.tsv"
    folder = classifier.parent
    rows = [line.split("\t") for line in (folder / "test.tsv").read_text().splitlines()]
    turned = [
        (text, "food" if label == "travel" and n % 2 else label) for n, (text, label) in enumerate(rows)
    ]
    (folder / data).write_text("".join(f"{text}\t{label}\n" for text, label in turned))
    numbers = json.loads(seqrnn("report", classifier, data, "--json").stdout)
    found = numbers["sections"]["mistakes"]
    answered = seqrnn("classify", "-m", classifier, "--probs", stdin="\n".join(t for t, _ in turned).encode())
    said = [line.split("\t") for line in answered.stdout.decode().splitlines()]
    wrong = [
        (text, label, name, float(share))
        for (text, label), (name, share) in zip(turned, said, strict=True)
        if label != name
    ]
    assert found["wrong"] == len(wrong) > 0
    surest = max(wrong, key=lambda each: each[3])
    assert found["worst"][0]["probability"] == pytest.approx(surest[3], abs=1e-4)
    cases = {(case["picture"]["text"], case["expected"], case["predicted"]) for case in found["worst"]}
    assert cases <= {each[:3] for each in wrong}


def test_rows_are_looked_at_as_many_as_are_asked_for(seqrnn, classifier) -> None:
    text, _ = page_of(seqrnn, classifier, "train.tsv", "--examples", "40")
    rows = len((classifier.parent / "train.tsv").read_text().splitlines())
    assert f"Of {-(-rows // 8)} rows, spread evenly over all {rows}." in text


def test_without_data_the_page_is_of_what_was_held_out(seqrnn, classifier) -> None:
    numbers = json.loads(seqrnn("report", classifier, "--json").stdout)
    logged = [json.loads(line) for line in (classifier / "metrics.jsonl").read_text().splitlines()]
    assert numbers["data"]["name"] == "the part that it held out (train.tsv)"
    assert numbers["figures"]["accuracy"] == pytest.approx(logged[-1]["accuracy"])
    assert numbers["figures"]["loss"] == pytest.approx(logged[-1]["loss"], rel=1e-5)


def test_where_the_training_data_have_changed_the_page_is_of_the_run_alone(
    seqrnn, folder, options, tmp_path
) -> None:
    data, run = tmp_path / "rows.tsv", tmp_path / "run"
    data.write_bytes((folder / "train.tsv").read_bytes())
    assert seqrnn("train", data, "-o", run, "--steps", "2", *options[4:]).returncode == 0
    data.write_text(data.read_text() + "more\tfood\n")
    result = seqrnn("report", run)
    assert result.returncode == 0
    assert b"name a file after the run" in result.stderr
    assert "No data to measure it on" in text_of(html.fromstring(result.stdout.decode()))


HOSTILE = [
    '<script>alert("1")</script>',
    "<img src=x onerror=alert(1)>",
    "\x1b[31m\x9b31m",
    "\u202etxt.exe",
    "]]></svg><script>",
    "{{ 7 * 7 }}",
]


def test_labels_and_texts_and_names_are_shown_and_never_work(seqrnn, small, tmp_path) -> None:
    folder = tmp_path / "<b>&run\x1b"
    folder.mkdir()
    data = folder / "<script>rows\x1b'.tsv"
    rows = [
        (f"{text} {number % 3}", HOSTILE[number % len(HOSTILE)]) for number in range(24) for text in HOSTILE
    ]
    data.write_text("".join(f"{text}\t{label}\n" for text, label in rows), encoding="utf-8")
    run = folder / "<img src=x>"
    assert (
        seqrnn("train", data, "-o", run, "--task", "classification", "--steps", "3", *small).returncode == 0
    )
    text, tree = page_of(seqrnn, run, data)
    assert not tree.xpath("//script | //img | //b[not(ancestor::p[@class='case-told'])]")
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")
    assert not {"\x1b", "\x9b", "\u202e"}.intersection(text)
    assert "49" not in text_of(tree.get_element_by_id("mistakes")).split()
    shown = text_of(tree)
    assert '<script>alert("1")</script>' in shown
    assert "\\x1b[31m" in shown
    assert "\\u202etxt.exe" in shown
    titles = tree.xpath("//title/text()")
    assert titles[0].startswith("<img src=x>: ")


def test_thousands_of_classes_and_of_rows_make_a_page_that_opens(seqrnn, small, tmp_path) -> None:
    data, run = tmp_path / "many.tsv", tmp_path / "run"
    rows = [f"word{n % 7} thing{n % 11}\tlabel{n % 1500:04d}\n" for n in range(6000)]
    data.write_text("".join(rows), encoding="utf-8")
    assert (
        seqrnn("train", data, "-o", run, "--task", "classification", "--steps", "2", *small).returncode == 0
    )
    text, tree = page_of(seqrnn, run, data)
    assert len(text) < 300_000
    assert len(of_class(tree, "matrix")[0].xpath("tbody/tr")) == 24
    shown = text_of(tree)
    assert "The 24 of 1,500 classes with the most mistakes." in shown
    assert "The 200 of 1,500 classes that occur and have the lowest F1." in shown
    assert "1,500 labels, the first 200 of them" in shown


def test_what_cannot_be_is_refused_in_one_line(seqrnn, classifier, tmp_path) -> None:
    for args, code, words in [
        ((tmp_path,), 4, "no run directory"),
        ((classifier, tmp_path / "absent.tsv"), 3, "absent.tsv"),
        ((classifier, "test.tsv", "train.tsv"), 2, "one file of data"),
        ((classifier, "test.tsv", "--src", "a", "--tgt", "b"), 2, "--src"),
    ]:
        result = seqrnn("report", *args)
        assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (code, b"", 1), args
        assert words in result.stderr.decode()


def test_what_is_missing_is_told_before_anything_else(classifier) -> None:
    hide = "import sys; sys.modules['jinja2'] = None; from seqrnn.__main__ import main; main()"
    command = [sys.executable, "-c", hide, "report", classifier, "test.tsv"]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr == b"seqrnn: error: a report needs Jinja2; pip install 'seqrnn[report]'\n"


def test_several_labels_a_row_and_models_without_data_have_pages(seqrnn, several, storyteller) -> None:
    _, tree = page_of(seqrnn, several, "several.tsv")
    assert tree.xpath("//*[@id='classes']//table")
    page_of(seqrnn, storyteller)


def test_runs_are_compared_on_the_same_rows(seqrnn, classifier, folder, options) -> None:
    assert (
        seqrnn(
            "train", "train.tsv", "-o", "another-cell", "--cell", "elman", *options[:2], *options[4:]
        ).returncode
        == 0
    )
    result = seqrnn("report", classifier, "another-cell", "test.tsv", "--json")
    assert result.returncode == 0, result.stderr.decode()
    numbers = json.loads(result.stdout)
    (pair,) = numbers["paired"]
    first, second = (run["figures"]["accuracy"] for run in numbers["runs"])
    assert pair["difference"] == pytest.approx(second - first)
    assert (pair["first"], pair["second"], pair["test"]) == ("classifier", "another-cell", "McNemar")
    _, tree = page_of(seqrnn, classifier, "another-cell", "test.tsv")
    assert [section.get("id") for section in tree.xpath("//section")] == [
        "summary", "paired", "curves", "states",
    ]  # fmt: skip
    assert "model.cell" in text_of(tree.get_element_by_id("summary"))


def test_runs_of_other_tasks_and_other_data_are_not_compared(
    seqrnn, classifier, several, storyteller
) -> None:
    for args, words in [
        ((classifier, storyteller), "compare runs of one task"),
        ((classifier, several), "name a file of data after the runs"),
        ((classifier, "test.tsv", classifier), "name the runs first"),
    ]:
        result = seqrnn("report", *args)
        assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1), args
        assert words in result.stderr.decode()
