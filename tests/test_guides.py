"""What the README and the guides tell a newcomer to type works, and their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from forked import Forker

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "guides"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(GUIDES.glob("*.md"))
}
PAGES["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
SHORT = """#!/bin/sh
case "$1" in
    train) set -- "$@" --steps 2 --evaluate-every 2 ;;
    tune) set -- "$@" --steps 2 --trials 2 ;;
esac
exec {seqrnn} "$@"
"""
AS_TYPED = '#!/bin/sh\nexec {seqrnn} "$@"\n'
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
WITH_COMMANDS = [page for page, text in PAGES.items() if page != "README.md" and BLOCK.search(text)]
TYPED = [
    (page, line[2:].partition("  #")[0])
    for page, text in PAGES.items()
    for block in BLOCK.findall(text)
    for line in block.splitlines()
    if re.match(r"\$ .*seqrnn [a-z]+ ", line)
]


@pytest.fixture(scope="module")
def seqrnn(tmp_path_factory):
    """The command, as a child of a process that has imported PyTorch."""
    forker = Forker({**os.environ, "OMP_NUM_THREADS": "1"}, tmp_path_factory.mktemp("forker"))
    yield shlex.join(forker.command)
    forker.close()


@pytest.fixture(scope="module")
def few_data(tmp_path_factory):
    """The sample data with one example in eight: enough for a command to run, not to learn."""
    few = tmp_path_factory.mktemp("few") / "sample_data"
    few.mkdir()
    for path in (ROOT / "sample_data").iterdir():
        if path.suffix == ".npz":
            arrays = np.load(path)
            np.savez(few / path.name, **{name: arrays[name][::8] for name in arrays})
        elif path.suffix in {".tsv", ".csv", ".jsonl", ".conll", ".txt"}:
            ends = "\n\n" if path.suffix == ".conll" else "\n"
            examples = path.read_text(encoding="utf-8").rstrip().split(ends)
            (few / path.name).write_text("".join(each + ends for each in examples[::8]), encoding="utf-8")
        else:
            (few / path.name).symlink_to(path)
    return few


def run(tmp_path, lines, program, data=ROOT / "sample_data"):
    """Run the lines that begin with `$` in a directory with the sample data; return what they print."""
    (tmp_path / "sample_data").symlink_to(data)
    (tmp_path / "seqrnn").write_text(program)
    (tmp_path / "seqrnn").chmod(0o755)
    commands = [line[2:] for line in lines if line.startswith("$ ")]
    done = subprocess.run(
        ["bash", "-ec", "\n".join(['PATH="$PWD:$PATH"', *commands])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def first_screen():
    """Return what the README shows first, without what makes the environment."""
    lines = BLOCK.findall(PAGES["README.md"])[0].splitlines()
    return [line for line in lines if not line.startswith("$") or re.match(r"\$ (seqrnn|echo)", line)]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(AS_TYPED, marks=pytest.mark.slow, id="as-typed"),
        pytest.param(SHORT.replace("--steps 2 --evaluate-every 2", "--epochs 3"), id="short"),
    ],
)
def test_the_first_screen_ends_in_the_answer_that_it_shows(tmp_path, seqrnn, program):
    lines = first_screen()
    program = program.format(seqrnn=seqrnn)
    assert run(tmp_path, lines, program) == [line for line in lines if not line.startswith("$")]


@pytest.mark.parametrize(
    "program",
    [pytest.param(AS_TYPED, marks=pytest.mark.slow, id="as-typed"), pytest.param(SHORT, id="short")],
)
@pytest.mark.parametrize(
    "page", [page for page, text in PAGES.items() if page != "README.md" and BLOCK.search(text)]
)
def test_all_commands_of_a_guide_run_one_after_the_other(tmp_path, seqrnn, few_data, page, program):
    lines = "".join(BLOCK.findall(PAGES[page])).splitlines()
    data = few_data if program is SHORT else ROOT / "sample_data"
    printed = run(tmp_path, lines, program.format(seqrnn=seqrnn), data)
    if program is AS_TYPED:
        assert [line for line in lines if not line.startswith("$") and line not in printed] == []


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if "```python" in text])
def test_all_python_of_a_page_runs(tmp_path, page):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL)).replace(
        'budget="60s"', "steps=2"
    )
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "command"), TYPED)
def test_each_option_that_is_shown_exists(page, command):
    for verb, rest in re.findall(r"seqrnn ([a-z]+) ([^|;]*)", command):
        pages = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
        help_of_verb = pages.partition(f"## seqrnn {verb}\n")[2].partition("\n## ")[0]
        options = [word for word in shlex.split(rest) if word.startswith("-") and word != "-"]
        assert help_of_verb
        assert [option for option in options if not re.search(rf"(?<![\w-]){option}\b", help_of_verb)] == []


@pytest.mark.parametrize(
    "path", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name
)
def test_each_link_leads_to_a_file_and_a_heading_of_it(path):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        found = path.parent / name if name else path
        if not link.startswith("http") and (not found.exists() or (anchor and anchor not in anchors(found))):
            missing.append(link)
    assert missing == []


def anchors(path):
    """Return the anchors of a page's headings, as GitHub and MkDocs make them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_the_pictures_are_those_that_the_script_draws():
    done = subprocess.run([sys.executable, ROOT / ".ci" / "pictures.py", "--check"], check=False)
    assert done.returncode == 0
    shown = set(re.findall(r"pictures/([\w-]+\.svg)", "".join(PAGES.values())))
    assert shown == {path.name for path in (GUIDES / "pictures").iterdir()}


def test_each_guide_is_in_the_contents_of_the_site():
    contents = (ROOT / ".ci" / "mkdocs.yml").read_text(encoding="utf-8")
    assert [
        page for page in PAGES if page != "README.md" and page.removeprefix("docs/") not in contents
    ] == []
