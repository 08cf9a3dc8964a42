"""Whatever a run directory holds, it is answered, or refused in one line: drawn anew, and as found before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fuzz_edits
import pytest
from fuzz_process import Outcome
from fuzz_verdict import Known, Probe, faults

HERE = Path(__file__).parent
CORPUS = HERE / "corpus.jsonl"
SECONDS = "4"


def test_changed_run_directories_are_answered_or_refused() -> None:
    command = [sys.executable, HERE / "fuzz.py", "--seconds", SECONDS, "--replay", CORPUS]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["found"] == []
    assert report["replayed"] == len(CORPUS.read_text().splitlines())
    assert report["codes"].get("4", 0) >= report["replayed"] - 1, "changes are seen"


FINE = Outcome(4, b"", "seqrnn: error: x: damaged; copy it again\n", 1000, hung=False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, None),
        ({"code": 1}, "ends with 1"),
        ({"code": 8}, "ends with 8"),
        ({"code": -11}, "ends with -11"),
        ({"code": -9, "hung": True}, "hangs"),
        ({"stdout": b"a"}, "stdout holds something"),
        ({"stderr": FINE.stderr * 2}, "2 lines of error"),
        ({"stderr": ""}, "0 lines of error"),
        ({"stderr": "x.py:1: RuntimeWarning: overflow\n" + FINE.stderr}, "Warning"),
        ({"peak": 1 << 30}, "held 10"),
        ({"code": 0, "stderr": "", "stdout": b"{}\n"}, "1 answers to 2 rows"),
        ({"code": 0, "stderr": "", "stdout": b"{}\nnan\n"}, "not JSON"),
        ({"changes": {"metrics.jsonl": False}}, "changed the directory"),
        ({"changes": {"metrics.jsonl": False}, "code": 6, "question": "resume"}, None),
        ({"changes": {"gen-00000008": True}, "code": 6, "question": "resume"}, None),
        ({"changes": {"gen-00000006": False}, "code": 6, "question": "resume"}, "changed the directory"),
        ({"changes": {"metrics.jsonl": False}, "code": 4, "question": "resume"}, "changed the directory"),
    ],
)
def test_the_fuzzer_sees_what_is_wrong(change, word) -> None:
    fields = {name: getattr(FINE, name) for name in Outcome.__dataclass_fields__}
    outcome = Outcome(**{name: change.get(name, value) for name, value in fields.items()})
    probe = Probe("classifier", change.get("question", "classify"), [], True)
    known = Known(probe, 2, FINE.peak, 1000, change.get("changes", {}))
    assert any(word in wrong for wrong in faults(outcome, known)) if word else not faults(outcome, known)


def test_a_changed_file_fits_its_manifest_again(tmp_path) -> None:
    run = tmp_path / "run"
    (run / "gen-00000001").mkdir(parents=True)
    (run / "labels.json").write_text('{"labels": ["a", "b"]}')
    manifest = run / "gen-00000001" / "manifest.json"
    manifest.write_text(json.dumps({"files": {"labels.json": {}}}))
    edit = {"op": "json", "file": "labels.json", "at": ["labels", 1], "text": [["9", 30]]}
    fuzz_edits.apply(run, [edit], rehash=True)
    assert (run / "labels.json").read_text() == '{"labels": ["a", ' + "9" * 30 + "]}"
    assert json.loads(manifest.read_text())["files"]["labels.json"]["bytes"] == 49
