"""Messages between two processes, through a pipe.

A message is its length, 8 bytes, and a value as the marshal module writes it, which is fast, and knows
nothing but numbers, strings and what is made of them.
"""

from __future__ import annotations

import marshal
from typing import IO, Any

LENGTH = 8  # bytes


def send(file: IO[bytes], value: Any) -> None:
    """Write one message. Raises OSError where nobody reads."""
    content = marshal.dumps(value)
    file.write(len(content).to_bytes(LENGTH, "big"))
    file.write(content)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """Read one message. Raises EOFError where there is no whole one."""
    head = file.read(LENGTH)
    size = int.from_bytes(head, "big")
    content = file.read(size)
    if len(head) < LENGTH or len(content) < size:
        raise EOFError
    return marshal.loads(content)
