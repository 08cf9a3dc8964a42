"""Install extras of seqrnn into the environment that runs this: `install_extras.py EXTRA...`.

What cannot be installed in time, each extra by itself, is told and no error: what needs it says so.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 600  # seconds for an extra; PySpark alone has 450 MB
STALLED = 20  # seconds in which nothing of a download comes


def installed(extra: str) -> None:
    """Install an extra, or say why not."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    limits = ["--timeout", str(STALLED), "--retries", "1", "-c", str(ROOT / ".ci/constraints.txt")]
    try:
        subprocess.run([*pip, *limits, "-e", f"{ROOT}[{extra}]"], check=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"{extra}: not installed within {PATIENCE} seconds", flush=True)
    except subprocess.CalledProcessError as error:
        print(f"{extra}: not installed, pip ended with {error.returncode}", flush=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        installed(name)
