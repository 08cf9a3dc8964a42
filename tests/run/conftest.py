"""What several tests of the run directory need."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def directory_with_mode(mode):
    """A directory whose permission bits count, also where the tests run as root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chmod(name, mode)
        user = os.geteuid()
        os.seteuid(NOBODY if user == 0 else user)
        yield Path(name)
        os.seteuid(user)
        os.chmod(name, 0o755)


@pytest.fixture
def read_only():
    """A directory that this process may read and not write."""
    with directory_with_mode(0o555) as path:
        yield path


@pytest.fixture
def closed():
    """A directory that this process may not look into."""
    with directory_with_mode(0) as path:
        yield path
