"""The project's frame: what is pinned, what is forbidden, what stands where."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import seqrnn

ROOT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def run(*command: str | Path, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned_at_a_version_that_the_project_allows():
    lines = (ROOT / ".ci/constraints.txt").read_text(encoding="utf-8").split("\n")
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    project = PROJECT["project"]
    extras = [project["optional-dependencies"][name] for name in ("dev", "ray", "spark")]
    for requirement in chain(project["dependencies"], *extras):
        name, _, least = requirement.partition(">=")
        pinned = pins[plain(name.partition("[")[0])]
        assert [int(part) for part in pinned.split(".")] >= [int(part) for part in least.split(".") if part]


def test_the_contracts_name_every_module():
    layers, _, torch_only, _ = PROJECT["tool"]["importlinter"]["contracts"]
    modules = {
        path.stem for path in (ROOT / "seqrnn").iterdir() if path.stem not in {"__init__", "__pycache__"}
    }
    in_layers = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    without_torch = {name.removeprefix("seqrnn.") for name in torch_only["source_modules"]}
    assert in_layers == modules
    assert without_torch == (modules - {"training", "backends"}) | {"backends.numpy", "backends.onnx"}


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("search/step.py", "import torch", "Only training and its backend import torch BROKEN"),
        ("errors.py", "import seqrnn.search.step", "Each layer imports only from those below it BROKEN"),
        (
            "networks/heads.py",
            "import numpy",
            "A network is described without the libraries that compute it BROKEN",
        ),
        (
            "metrics/language.py",
            "import seqrnn.search.step",
            "Each layer imports only from those below it BROKEN",
        ),
    ],
)
def test_an_import_against_the_layers_is_caught(tmp_path, module, line, contract):
    shutil.copytree(ROOT / "seqrnn", tmp_path / "seqrnn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "seqrnn" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    linted = run(TOOLS / "lint-imports", "--no-cache", "--no-logo", cwd=tmp_path)
    assert linted.returncode == 1
    assert contract in linted.stdout


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import pickle", "TID251"),
        ("from torch import load", "TID251"),
        ("import torch", "TID253"),
        ("import sklearn", "TID253"),
    ],
)
def test_pickle_and_slow_imports_are_caught(line, rule):
    linted = run(TOOLS / "ruff", "check", "--stdin-filename", "seqrnn/data/new.py", "-", stdin=line + "\n")
    assert rule in linted.stdout


def test_the_version_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", seqrnn.__version__)


def test_only_the_usual_files_stand_at_the_top():
    listed = run("git", "ls-files")
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in listed.stdout.splitlines()}
    expected = {
        "pyproject.toml",
        "seqrnn",
        "tests",
        "sample_data",
        "README.md",
        "LICENSE",
        "Makefile",
        "SECURITY.md",
    }
    assert expected <= top
    assert {name for name in top - expected if not name.startswith(".")} <= {"CHANGELOG.md", "docs"}


def test_the_table_of_where_to_add_what_names_what_is_there():
    """The files of each row exist, and one of them, or of the folder of a new one, has each other name."""
    page = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    table = page.partition("## Where to add what\n")[2].partition("\n## ")[0]
    rows = [set(re.findall(r"`([^`]+)`", line)) for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 20
    for named in rows:
        paths = {name for name in named if "/" in name or name.endswith(".py")}
        found = [ROOT / "seqrnn" / path.removeprefix("seqrnn/") for path in paths]
        found = [path.parent if "NAME" in path.name else path for path in found]
        files = [file for path in found for file in (path.glob("*.py") if path.is_dir() else [path])]
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        assert [name for name in named - paths if name.rpartition(".")[2] not in text] == []


def test_continuous_integration_makes_what_it_has_to():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    made = re.findall(r"^make (\w+)$", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert made == ["test", "answering", "recipes"]


def test_make_alone_lists_what_there_is_to_make():
    shown = run("make", "--no-print-directory")
    assert shown.returncode == 0
    listed = re.findall(r"^make (\w+)", shown.stdout, flags=re.MULTILINE)
    assert {
        "help",
        "demo",
        "test",
        "fast",
        "slow",
        "answering",
        "recipes",
        "faults",
        "bench",
        "docs",
        "layers",
        "clean",
    } == set(listed)
