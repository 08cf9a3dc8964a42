"""Edits of a run directory, as JSON can hold them: a finding is kept as what was changed, not as files.

An edit has an `op`, the `file` (`gen/...` is in the newest checkpoint) and what the operation needs:

    json     at, text     the value at a path of keys and indices becomes this text; null deletes it
    twin     at           a key of an object is written twice
    header   at, text     as `json`, in the header of a file of tensors, whose length is corrected
    tensor   name, dtype, shape, fill, rename    a tensor is another, and the file is right about it
    yaml     key, text    a setting of config.yaml has this text
    bytes    at, cut, hex bytes are cut out and others put in
    become   kind         the file is absent, empty, a link, a loop, a FIFO, a directory, or 4 GB of nothing

A text is a string, or pieces with how often each is repeated: `[["[", 1000], ["]", 1000]]`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

Edit = Mapping[str, Any]
Text = str | list[list[Any]]

HERE = "\ue000here\ue000"  # marks the place of a text in JSON
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, SafetensorError)
"""What a file raises that an earlier edit has made into something else."""

NOTHING = 4 << 30  # bytes of a sparse file


def apply(run: Path, edits: Sequence[Edit], rehash: bool) -> None:
    """Change a run directory; `rehash` makes its manifests right again before they are edited themselves."""
    manifests = [edit for edit in edits if edit["file"] == "gen/manifest.json"]
    for edit in edits:
        if edit not in manifests:
            _apply(run, edit)
    if rehash:
        for manifest in run.glob("gen-*/manifest.json"):
            _rehash(run, manifest)
    for edit in manifests:
        _apply(run, edit)


def path_of(run: Path, file: str) -> Path:
    """The file of an edit."""
    if not file.startswith("gen/"):
        return run / file
    return max(run.glob("gen-*")) / file.removeprefix("gen/")


def _apply(run: Path, edit: Edit) -> None:
    path = path_of(run, edit["file"])
    if edit["op"] == "become":
        _become(path, edit["kind"])
        return
    if not path.is_file() or path.is_symlink() or path.stat().st_size >= NOTHING:
        return
    with suppress(*UNREADABLE):
        path.write_bytes(_CHANGE[edit["op"]](path.read_bytes(), edit))


def _json(content: bytes, edit: Edit) -> bytes:
    at, text = list(edit["at"]), edit["text"]
    if edit["file"].endswith(".jsonl"):
        rows = content.splitlines(keepends=True)
        number = at.pop(0)
        rows[number] = _json(rows[number], {**edit, "file": "", "at": at}).rstrip(b"\n") + b"\n"
        return b"".join(rows)
    document = {"": json.loads(content)}
    *above, last = ["", *at]
    parent: Any = document
    for key in above:
        parent = parent[key]
    if text is None:
        del parent[last]
        return json.dumps(document.get("", {}), ensure_ascii=False).encode()
    parent[last] = HERE
    return _filled(json.dumps(document[""], ensure_ascii=False), text)


def _filled(document: str, text: Text) -> bytes:
    before, _, after = document.partition(json.dumps(HERE, ensure_ascii=False))
    return (before + spelled(text) + after).encode(errors="surrogatepass")


def spelled(text: Text) -> str:
    """The text of an edit, written out."""
    return text if isinstance(text, str) else "".join(piece * count for piece, count in text)


def _twin(content: bytes, edit: Edit) -> bytes:
    document = json.loads(content)
    *above, last = edit["at"]
    parent = document
    for key in above:
        parent = parent[key]
    twin = json.dumps(parent[last])
    parent[last] = HERE
    return _filled(json.dumps(document, ensure_ascii=False), f"{twin}, {json.dumps(last)}: {twin}")


def _header(content: bytes, edit: Edit) -> bytes:
    size = int.from_bytes(content[:8], "little")
    change = _twin if edit.get("twin") else _json
    header = change(content[8 : 8 + size], edit)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def _tensor(content: bytes, edit: Edit) -> bytes:
    tensors = safetensors.numpy.load(content)
    old = tensors.pop(edit["name"], np.zeros(1, np.float32))
    if "shape" in edit:
        old = np.resize(old, edit["shape"])
    new = old.astype(edit.get("dtype", old.dtype))
    if "fill" in edit:
        new = np.array(new)
        with np.errstate(all="ignore"):  # to an integer, nan is whatever it becomes
            new.flat[: max(1, new.size // 2)] = np.array(float(edit["fill"])).astype(new.dtype)
    if edit.get("rename") != "":
        tensors[edit.get("rename", edit["name"])] = np.ascontiguousarray(new)
    return safetensors.numpy.save(tensors)


def _yaml(content: bytes, edit: Edit) -> bytes:
    section, _, key = edit["key"].rpartition(".")
    indent = "  " if section else ""
    pattern = re.compile(rf"^{indent}{key}: .*$", re.MULTILINE)
    return pattern.sub(lambda _: f"{indent}{key}: {spelled(edit['text'])}", content.decode()).encode()


def _bytes(content: bytes, edit: Edit) -> bytes:
    at = int(edit["at"] * len(content)) if isinstance(edit["at"], float) else edit["at"]
    return content[:at] + bytes.fromhex(edit["hex"]) + content[at + edit["cut"] :]


def _become(path: Path, kind: str) -> None:
    if path.is_dir() and not path.is_symlink():
        return
    content = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)
    if kind == "empty":
        path.touch()
    elif kind == "link":
        path.with_name("elsewhere").write_bytes(content)
        path.symlink_to("elsewhere")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "sparse":
        path.touch()
        os.truncate(path, NOTHING)


_CHANGE = {"json": _json, "twin": _twin, "header": _header, "tensor": _tensor, "yaml": _yaml, "bytes": _bytes}


def _rehash(run: Path, manifest: Path) -> None:
    """Write into a manifest what its files hold now, so that only their content can give them away."""
    content = json.loads(manifest.read_bytes())
    for name in content["files"]:
        path = manifest.parent / name if (manifest.parent / name).exists() else run / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < NOTHING:
            data = path.read_bytes()
            content["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest.write_text(json.dumps(content, indent=2) + "\n")
