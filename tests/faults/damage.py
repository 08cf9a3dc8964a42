"""Damage done to a run by somebody who then makes its manifests true again, so that no hash tells."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import safetensors.numpy

CASES = Path(__file__).parents[3] / "shared" / "cases" / "faults"
"""Directories of the kind that others have found; not everybody has them."""
SAMPLES = Path(__file__).parents[2] / "sample_data"


def take_case(name: str, folder: Path) -> Path:
    """Copy one of the cases, which nobody may write to, into a folder; return the copy."""
    copy = folder / "run"
    shutil.copytree(CASES / name, copy, copy_function=shutil.copyfile)
    for path in [copy, *copy.iterdir()]:
        path.chmod(path.stat().st_mode | 0o200)
    return copy


def make_true(run: Path) -> None:
    """Write into each manifest of a run the sizes and hashes that its files have now."""
    for path in run.glob("gen-*/manifest.json"):
        manifest = json.loads(path.read_text())
        for name in manifest["files"]:
            file = path.parent / name if (path.parent / name).exists() else run / name
            content = file.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            manifest["files"][name] = {"sha256": sha256, "bytes": len(content)}
        path.write_text(json.dumps(manifest))


def newest(run: Path) -> Path:
    """The newest checkpoint."""
    return max(run.glob("gen-*"))


def write_state(run: Path, text: str) -> None:
    """Write training.json of the newest checkpoint."""
    (newest(run) / "training.json").write_text(text)
    make_true(run)


def edit_tensors(run: Path, change: Any, file: str = "training.safetensors") -> None:
    """Change the tensors of the newest checkpoint by a function of them that may return others."""
    path = newest(run) / file
    tensors = safetensors.numpy.load_file(path)
    changed = change(tensors)
    path.write_bytes(safetensors.numpy.save(tensors if changed is None else changed))
    make_true(run)


def edit_config(run: Path, **settings: object) -> None:
    """Set keys of config.yaml by their last names."""
    lines = (run / "config.yaml").read_text().splitlines()
    for name, value in settings.items():
        (at,) = (number for number, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
        lines[at] = f"{lines[at].partition(':')[0]}: {value}"
    (run / "config.yaml").write_text("\n".join(lines) + "\n")
    make_true(run)


def content_of(run: Path) -> dict[str, bytes]:
    """All that a training has written: whatever fails must leave it as it was."""
    files = (path for path in run.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(run)): path.read_bytes() for path in files}
