"""Write docs/cli.md from what `seqrnn --help` prints; with --check, only tell whether it is current."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from seqrnn.cli.app import COMMANDS

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"

HEAD = """# The command line

Each page below is what the command's `--help` prints; `make docs` writes this file.
"""


def page() -> str:
    """Return the text of docs/cli.md."""
    return HEAD + "".join(_section(command) for command in ("", *COMMANDS))


def _section(command: str) -> str:
    shown = f"seqrnn {command}".strip()
    return f"\n## {shown}\n\n```text\n$ {shown} --help\n{_help(command)}\n```\n"


def _help(command: str) -> str:
    # Whatever terminal this runs in, the page is plain and 100 columns wide.
    environment = {k: v for k, v in os.environ.items() if k not in {"FORCE_COLOR", "PY_COLORS"}}
    environment |= {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}
    line = [sys.executable, "-m", "seqrnn", *command.split(), "--help"]
    shown = subprocess.run(line, env=environment, check=True, capture_output=True, encoding="utf-8")
    return "\n".join(row.rstrip() for row in shown.stdout.strip("\n").split("\n"))


def main() -> int:
    """Write or check the page; return the exit status."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/cli.md: not what --help prints now; run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
