"""What the README tells a newcomer to type does what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
TYPED = [
    line[2:].partition("  #")[0] for block in BLOCKS for line in block.splitlines() if line.startswith("$ ")
]


@pytest.mark.parametrize(
    "shortened",
    [pytest.param("", marks=pytest.mark.slow, id="as-typed"), pytest.param("--epochs 3", id="short")],
)
def test_the_first_screen_ends_in_the_answer_that_it_shows(tmp_path, shortened):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    options = f'"$@" $([ "$1" = train ] && echo {shortened})'
    (tmp_path / "seqrnn").write_text(f"#!/bin/sh\nexec {sys.executable} -m seqrnn {options}\n")
    (tmp_path / "seqrnn").chmod(0o755)
    lines = BLOCKS[0].splitlines()
    commands = [line[2:] for line in lines if re.match(r"\$ (seqrnn|echo)", line)]
    done = subprocess.run(
        ["bash", "-ec", f'PATH="$PWD:$PATH"; {"; ".join(commands)}'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [line for line in lines if not line.startswith("$")]


@pytest.mark.parametrize("command", [line for line in TYPED if re.search(r"seqrnn [a-z]+ ", line)])
def test_each_option_that_is_shown_exists(command):
    verb, rest = re.search(r"seqrnn ([a-z]+) ([^|]*)", command).groups()
    pages = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    page = pages.partition(f"## seqrnn {verb}\n")[2].partition("\n## ")[0]
    options = [word for word in shlex.split(rest) if word.startswith("-") and word != "-"]
    assert page
    assert [option for option in options if not re.search(rf"(?<![\w-]){option}\b", page)] == []
