"""The distribution that only answers, `.ci/answering`, where nothing but its requirements is there."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ANSWERING = tomllib.loads((ROOT / ".ci/answering/pyproject.toml").read_text(encoding="utf-8"))
LEFT_OUT = {"torch", "scikit-learn", "sacrebleu", "chardet"}


def name_of(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def closure(requirements):
    """The names of distributions that requirements bring, without those of extras."""
    found, left = {}, [name_of(requirement) for requirement in requirements]
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system or version of Python
        left += [name_of(entry) for entry in found[name].requires or () if "extra ==" not in entry]
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory, environment, folder):
    """A function that runs Python where there are only the packages that `seqrnn-answering` requires."""
    packages = tmp_path_factory.mktemp("packages")
    for found in closure(ANSWERING["project"]["dependencies"]).values():
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}
        for top in tops:
            if not (packages / top).exists():
                (packages / top).symlink_to(found.locate_file(top))
    assert not (packages / "torch").exists()
    variables = {**environment, "PYTHONPATH": f"{ROOT}:{packages}"}

    def run(*arguments, stdin=b""):
        return subprocess.run(
            [sys.executable, "-S", *map(str, arguments)],
            input=stdin,
            env=variables,
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=60,
        )

    return run


def test_its_requirements_are_those_of_seqrnn_but_for_training():
    own = ANSWERING["project"]
    assert {*own["dependencies"]} == {
        entry for entry in ALL["dependencies"] if name_of(entry) not in LEFT_OUT
    }
    for name, packages in own["optional-dependencies"].items():
        assert packages == ALL["optional-dependencies"][name]
    assert own["scripts"] == ALL["scripts"]
    assert own["requires-python"] == ALL["requires-python"]


def test_it_labels_rows_as_with_torch(bare, seqrnn, classifier):
    command = ("classify", "-m", classifier, "--jsonl", "-q")
    rows = b"warm soup\nrain over the hills\n\n"
    answered = bare("-m", "seqrnn", *command, stdin=rows)
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout == seqrnn(*command, stdin=rows).stdout


def test_it_writes_text_as_with_torch(bare, seqrnn, storyteller):
    command = ("generate", "-m", storyteller, "--prompt", "warm", "--max-len", "20", "-q")
    answered = bare("-m", "seqrnn", *command)
    assert answered.stdout == seqrnn(*command).stdout != b""
    scored = bare(
        "-m", "seqrnn", "evaluate", "-m", storyteller, "--per-line", "--json", "-q", stdin=b"warm\n"
    )
    assert scored.returncode == 0, scored.stderr


def test_it_inspects_runs_and_data(bare, classifier):
    shown = bare("-m", "seqrnn", "inspect", classifier, "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["task"] == "classification"
    shown = bare("-m", "seqrnn", "inspect", "train.tsv")
    assert shown.returncode == 0, shown.stderr
    assert b"PyTorch" in shown.stdout + shown.stderr


def test_it_is_a_library(bare, classifier):
    code = f"import seqrnn; print(seqrnn.load({str(classifier)!r}).classify(['warm soup'])[0].prediction)"
    answered = bare("-c", code)
    assert answered.stdout == b"food\n", answered.stderr
    code = "import seqrnn\ntry: seqrnn.train('train.tsv', 'x')\nexcept seqrnn.UsageError as e: print(e)"
    assert b"needs PyTorch" in bare("-c", code).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("train", "train.tsv", "-o", "untrained"),
        ("evaluate", "-m", "RUN", "test.tsv"),
        ("explain", "-m", "RUN"),
        ("report", "RUN", "test.tsv", "-o", "page.html"),
        ("classify", "-m", "RUN", "--backend", "torch"),
        ("serve", "-m", "RUN"),
    ],
)
def test_what_needs_more_says_so_in_one_line(bare, folder, classifier, command):
    before = sorted(folder.iterdir())
    ended = bare(
        "-m", "seqrnn", *(str(classifier) if part == "RUN" else part for part in command), stdin=b"a\n"
    )
    assert ended.returncode == 2
    assert ended.stdout == b""
    assert re.fullmatch(rb"seqrnn: error: [^\n]+ needs [^\n]+; install [^\n]+\n", ended.stderr)
    assert sorted(folder.iterdir()) == before


def test_settings_are_dumped_and_help_is_shown(bare):
    assert b"hidden_size" in bare("-m", "seqrnn", "train", "train.tsv", "--dump-config").stdout
    for command in ("train", "evaluate", "report", "serve"):
        assert bare("-m", "seqrnn", command, "--help").returncode == 0


def test_the_container_recipe_copies_installs_and_starts_what_is_there():
    recipe = (ROOT / ".ci/answering/Containerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(\S+) /source/(\S+)$", recipe, re.MULTILINE)
    assert copied
    for source, target in copied:
        assert source == target  # the build finds the sources two folders up
        assert (ROOT / source).is_dir()
    (installed,) = re.findall(r"'/source/\.ci/answering\[(\w+)\]'", recipe)
    assert installed in ANSWERING["project"]["optional-dependencies"]
    _, command, *options = json.loads(re.findall(r"^ENTRYPOINT (.*)$", recipe, re.MULTILINE)[0])
    usage = subprocess.run(
        [sys.executable, "-m", "seqrnn", command, "--help"], capture_output=True, text=True, check=True
    )
    for option in options:
        assert not option.startswith("-") or option in usage.stdout
