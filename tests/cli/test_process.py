"""What the process is told about threads, memory and the library behind NumPy."""

from __future__ import annotations

import gc

import pytest

from seqrnn.cli import process

ZEN_4 = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n" + "flags\t: fpu\n" * 99


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A function `content of cpuinfo -> what is asked of the libraries`."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(process.os, "environ", environment)

    def limit(content, threads=2):
        info = tmp_path / "cpuinfo"
        if content is not None:
            info.write_text(content)
        monkeypatch.setattr(process, "CPU_INFO", info)
        assert process.limit_threads(threads) == threads
        return environment

    return limit


def test_products_take_one_thread_and_pytorch_all(asked):
    found = asked(ZEN_4, 3)
    assert (found["OPENBLAS_NUM_THREADS"], found["OMP_NUM_THREADS"]) == ("1", "3")


@pytest.mark.parametrize(
    ("content", "kernels"),
    [
        (ZEN_4, "Haswell"),
        (ZEN_4.replace(": 25", ": 26"), None),
        (ZEN_4.replace("AuthenticAMD", "GenuineIntel"), None),
        ("processor: 0\nBogoMIPS: 50.00\nno colon\n", None),
        ("", None),
        (None, None),
    ],
)
def test_kernels_are_chosen_where_openblas_chooses_slower_ones(asked, content, kernels):
    assert asked(content).get("OPENBLAS_CORETYPE") == kernels


def test_a_user_s_choice_of_kernels_stays(asked, monkeypatch):
    process.os.environ["OPENBLAS_CORETYPE"] = "SkylakeX"
    assert asked(ZEN_4)["OPENBLAS_CORETYPE"] == "SkylakeX"


def test_the_collector_leaves_alone_what_stays():
    threshold = gc.get_threshold()
    try:
        process.prepare_for_many_rows()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] == process.YOUNG
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
