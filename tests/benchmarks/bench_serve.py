"""`seqrnn serve` under 64 clients for a minute: one is slow, one sends garbage and one 100 MB at a time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from report import ROOT, write_section

CLIENTS = 64  # of which three are hostile
SECONDS = float(os.environ.get("SECONDS", "60"))
ROWS = 4  # of each request
LARGE = 100 << 20  # bytes
TRAIN = ROOT / "sample_data" / "mails.train.tsv"
PYTHON = [sys.executable, "-m", "seqrnn"]
TEXTS = [line.split("\t")[0] for line in TRAIN.read_text(encoding="utf-8").splitlines()]
SIZE = ("--unidirectional", "--hidden-size", "64", "--embedding-size", "64")
Address = tuple[str, int]


def head(size: int) -> bytes:
    """Return the head of a request whose body has that many bytes."""
    return (
        "POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n\r\n"
    ).encode()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body."""
    told = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = re.search(r"content-length: (\d+)", told, re.IGNORECASE)
    assert size is not None
    return int(told.split()[1]), await reader.readexactly(int(size[1]))


async def good(address: Address, number: int, end: float, waits: list[float], failures: list[str]) -> None:
    """Ask for some rows again and again over one connection; note each wait, and what was no right answer."""
    reader, writer = await asyncio.open_connection(*address)
    turn = number
    while time.perf_counter() < end:
        texts = [TEXTS[(turn * ROWS + row) % len(TEXTS)] for row in range(ROWS)]
        turn += CLIENTS
        body = json.dumps({"rows": texts}).encode()
        start = time.perf_counter()
        writer.write(head(len(body)) + body)
        status, content = await read_answer(reader)
        waits.append(time.perf_counter() - start)
        answers = json.loads(content).get("answers", ())
        if status != 200 or [answer["text"] for answer in answers if answer["error"] is None] != texts:
            failures.append(content[:200].decode())
    writer.close()


async def slow(address: Address, end: float) -> int:
    """Send a body a byte a second; return how often the server has had enough."""
    ended = 0
    while time.perf_counter() < end:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(head(1000))
        with suppress(ConnectionError):
            while time.perf_counter() < end and not reader.at_eof() and not reader._buffer:  # type: ignore[attr-defined]
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)
            ended += time.perf_counter() < end
        writer.close()
    return ended


async def garbage(address: Address, end: float) -> int:
    """Send bytes that are no HTTP, or no JSON; return how often."""
    sent = 0
    while time.perf_counter() < end:
        reader, writer = await asyncio.open_connection(*address)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(os.urandom(2000) if sent % 2 else head(1000) + b"[" * 1000)
            await asyncio.wait_for(reader.read(1000), 20)
        writer.close()
        sent += 1
        await asyncio.sleep(0.02)
    return sent


async def large(address: Address, end: float) -> int:
    """Send 100 MB, in chunks of no told length; return how often."""
    sent = 0
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while time.perf_counter() < end:
        reader, writer = await asyncio.open_connection(*address)
        with suppress(ConnectionError):
            writer.write(head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
            for _ in range(LARGE // 0x10000):
                writer.write(chunk)
                await writer.drain()
            await reader.read(1000)
        writer.close()
        sent += 1
        await asyncio.sleep(0.1)
    return sent


async def resident(process: int, end: float) -> float:
    """Return the most resident memory of a process until the end, in MiB."""
    most = 0
    while time.perf_counter() < end:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        most = max(most, int(status.split("VmRSS:")[1].split()[0]))
        await asyncio.sleep(0.1)
    return most / 1024


async def load(address: Address, process: int) -> list[list[str]]:
    """Ask with all clients at once; return the rows of the table."""
    waits: list[float] = []
    failures: list[str] = []
    before = await resident(process, time.perf_counter() + 0.2)
    end = time.perf_counter() + SECONDS
    clients = [good(address, number, end, waits, failures) for number in range(CLIENTS - 3)]
    *_, slowed, sent, oversize, peak = await asyncio.gather(
        *clients, slow(address, end), garbage(address, end), large(address, end), resident(process, end)
    )
    marks = statistics.quantiles(waits, n=1000)
    figures = {
        "good requests (61 clients, 4 rows each)": f"{len(waits):,}",
        "of them failed": f"{len(failures):,}",
        "rows/s": f"{len(waits) * ROWS / SECONDS:,.0f}",
        "wait, median": f"{1000 * marks[499]:.1f} ms",
        "wait, p99": f"{1000 * marks[989]:.1f} ms",
        "longest wait": f"{1000 * max(waits):.1f} ms",
        "slow bodies that were given up": str(slowed),
        "garbage sent": f"{sent:,} times",
        "100 MB sent": f"{oversize:,} times",
        "resident memory before": f"{before:.0f} MiB",
        "resident memory, most": f"{peak:.0f} MiB",
    }
    print(*failures[:3], sep="\n")
    return [["", ""], *([name, figure] for name, figure in figures.items())]


def main() -> None:
    """Measure and write down."""
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        subprocess.run([*PYTHON, "train", str(TRAIN), "-o", run, *SIZE, "--steps", "20", "-q"], check=True)
        command = [*PYTHON, "serve", "-m", str(run), "--port", "0", "--timeout", "5"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        found = re.search(r"http://(\S+):(\d+)/", process.stderr.readline())
        assert found is not None
        try:
            rows = asyncio.run(load((found[1], int(found[2])), process.pid))
        finally:
            process.terminate()
            process.wait()
    note = "The clients are one process on the same machine, whose time is in the waits.\n\n"
    write_section(
        "bench_serve.py", f"`seqrnn serve` under 64 clients for {SECONDS:.0f} s (LSTM 64, mails)", rows, note
    )


if __name__ == "__main__":
    main()
