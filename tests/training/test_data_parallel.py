"""Several workers train what one would: the same losses, and runs that either can go on with."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from workers import NAMES, STREAMED, shortened, trained

SCRIPT = Path(__file__).with_name("workers.py")


def launched(folder, count):
    """Run the script in so many processes; what the first one prints."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared["PYTHONPATH"] = str(SCRIPT.parents[2])
    workers = [
        subprocess.Popen(
            [sys.executable, SCRIPT, str(folder)], env={**shared, "RANK": str(rank)}, stdout=subprocess.PIPE
        )
        for rank in range(count)
    ]
    outputs = [worker.communicate(timeout=120)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * count
    return json.loads(outputs[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    os.environ["SEQRNN_CACHE"] = str(folder / "cache")
    shortened(folder)
    return folder


@pytest.fixture(scope="module")
def by_two(folder):
    """What two workers find in all trainings; they also go on with one that a single process began."""
    trained(folder, STREAMED, run="by one")
    return launched(folder, 2)


def check_equal(found, expected):
    for figure, values in expected.items():
        np.testing.assert_allclose(found[figure], values, rtol=1e-4, err_msg=figure)


@pytest.mark.parametrize("name", NAMES)
def test_two_workers_have_the_losses_of_one(name, folder, by_two):
    check_equal(by_two[name], trained(folder, name))


def test_a_training_goes_on_with_another_number_of_workers(folder, by_two):
    whole = trained(folder, STREAMED, run="whole", steps=24)
    rest = {
        "losses": whole["losses"][12:],
        "tokens": whole["tokens"][12:],
        "evaluated": whole["evaluated"][2:],
    }
    check_equal(by_two["by one"], rest)
    check_equal(trained(folder, STREAMED, run=f"{STREAMED}-2", steps=24), rest)
