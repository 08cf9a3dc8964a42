"""Build seqrnn-answering, install it into an empty environment, ask a model there, and say how large it is.

Needs a package index. The model is trained by the environment that runs this.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "answering"
HOME = BUILD / "environment"
PYTHON = HOME / "bin" / "python"
RUN = BUILD / "run"
MAILS = ROOT / "sample_data"
ROW = "My chain broke on Friday, can you mend it?\n"


def called(*command: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command; show what it says on standard error."""
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, cwd=BUILD, text=True, check=False)


def checked(*command: str | Path, stdin: str = "") -> str:
    """Return what a command prints; end with it if it fails."""
    done = called(*command, stdin=stdin)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
    return done.stdout


def installed() -> None:
    """Make an empty environment and install the distribution into it."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    venv.create(HOME, with_pip=True)
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-compile",
    ]
    checked(*pip, "-c", ROOT / ".ci/constraints.txt", ROOT / ".ci/answering")


def asked() -> None:
    """Ask a model, and be told what to install to train one."""
    sizes = ["--steps", "60", "--hidden-size", "32", "-q"]
    checked(sys.executable, "-m", "seqrnn", "train", MAILS / "mails.train.tsv", "-o", RUN, *sizes)
    command = HOME / "bin" / "seqrnn"
    ask: list[str | Path] = ["-m", "seqrnn", "classify", "-m", RUN, "--jsonl"]
    if checked(command, *ask[2:], stdin=ROW) != checked(sys.executable, *ask, stdin=ROW):
        sys.exit("seqrnn-answering: answers differ from those of seqrnn")
    refused = called(command, "train", MAILS / "mails.train.tsv", "-o", BUILD / "untrained")
    if refused.returncode != 2:
        sys.exit(f"seqrnn-answering: train ended with {refused.returncode}")


def main() -> None:
    """Install, ask and measure."""
    installed()
    asked()
    packages = next((HOME / "lib").glob("python*")) / "site-packages"
    print(f"seqrnn-answering answers; its packages: {checked('du', '-sh', packages).split()[0]}")


if __name__ == "__main__":
    main()
