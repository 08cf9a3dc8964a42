"""`seqrnn serve`: what good and bad clients get."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from starlette.exceptions import HTTPException

from seqrnn.cli.rows import InputRow, RowFormat, read_rows
from seqrnn.cli.serving import bounded, connections
from seqrnn.cli.serving.answerer import Choices, JsonAnswer, answerer
from seqrnn.cli.serving.batching import Batcher
from seqrnn.cli.serving.limits import BODIES_AT_ONCE, BodyBudget, Limits
from seqrnn.cli.serving.metrics import Metrics
from seqrnn.data.lines import Line
from seqrnn.errors import UsageError
from seqrnn.library.decoding import DecodingOptions

JSON, LINES = "application/json", "application/x-ndjson"
HEAD = b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
BODY = 20_000
LIMITS = Limits(body=100, rows=4, queue=6, seconds=5.0, connections=2)


class Server:
    """A server in a process of its own."""

    def __init__(self, process, address):
        self.process = process
        self.host, _, port = address.rpartition(":")
        self.port = int(port)

    def ask(self, path, content=None, kind=JSON, **headers):
        """Return status and body of one request."""
        body = content.encode() if isinstance(content, str) else content
        method = "GET" if body is None else "POST"
        with self.connection() as connection:
            connection.request(method, path, body, {"Content-Type": kind, **headers})
            response = connection.getresponse()
            return response.status, response.read().decode()

    def connection(self):
        """Return a connection that a `with` closes, whatever becomes of the request."""
        return closing(http.client.HTTPConnection(self.host, self.port, timeout=20))

    def raw(self, content):
        """Return all that comes back for some bytes, until the server closes the connection."""
        with socket.create_connection((self.host, self.port), timeout=20) as client:
            client.sendall(content)
            return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.fixture(scope="session")
def serving(folder, environment):
    """A context `(run, options) -> Server`."""

    @contextmanager
    def start(run, *options):
        command = [sys.executable, "-m", "seqrnn", "serve", "-m", str(run), "--port", "0", *options]
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        line = process.stderr.readline()
        address = re.search(r"http://(\S+:\d+)/", line)
        assert address, line + process.communicate()[1]
        try:
            yield Server(process, address[1])
        finally:
            process.kill()
            process.communicate()

    return start


@pytest.fixture(scope="module")
def server(serving, classifier):
    with serving(
        classifier, "--timeout", "1", "--max-body", str(BODY), "--max-rows", "50", "--probs"
    ) as found:
        yield found


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def assert_alike(served, written):
    """The same records, but for the last digits, which depend on what else was in the batch."""
    assert len(served) == len(written)
    for one, other in zip(served, written, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.items():
            if isinstance(value, float):
                assert value == pytest.approx(other[key], abs=1e-6)
            elif key == "nbest":
                assert [entry["prediction"] for entry in value] == [n["prediction"] for n in other[key]]
            else:
                assert value == other[key]


def test_lines_are_answered_as_by_the_command(server, seqrnn, classifier):
    rows = 'warm soup today\n{"text": "rain over", "id": "x", "n": [1]}\n\n{"text": 5}\n'
    rows += '{"a": 1, "a": 2}\n{"text"\r\n'
    status, answered = server.ask("/classify", rows, LINES)
    written = seqrnn("classify", "-m", classifier, "--jsonl", "--probs", "-q", stdin=rows.encode())
    assert status == 200
    assert_alike(records(answered), records(written.stdout.decode()))


def test_an_object_is_answered_by_the_same_records(server):
    rows = ["warm soup today", {"text": "rain over", "id": "x"}, {"text": 5}, ["two", "bus"], ""]
    status, answered = server.ask("/classify", json.dumps({"rows": rows}))
    lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in [*rows[:3], "two bus", ""])
    assert status == 200
    assert_alike(json.loads(answered)["answers"], records(server.ask("/classify", f"{lines}\n", LINES)[1]))


def test_lines_of_json_may_be_strings_and_lists(server):
    asked = '"warm soup today"\n["warm", "soup", "today"]\n'
    quoted, tokens = records(server.ask("/classify", asked, LINES)[1])
    (plain,) = records(server.ask("/classify", "warm soup today\n", "text/plain")[1])
    assert quoted["score"] == tokens["score"] == plain["score"]
    assert quoted["text"] == "warm soup today"
    first, _ = records(server.ask("/classify", asked, "text/plain")[1])
    assert first["text"] == '"warm soup today"', "a text as it is"


def test_a_string_is_a_text_and_another_value_an_error(server):
    rows = ['{"text": "soup"}', 5, None, {"nothing": "soup"}]
    answers = json.loads(server.ask("/classify", json.dumps({"rows": rows}))[1])["answers"]
    assert answers[0]["text"] == rows[0]
    assert answers[0]["error"] is None
    assert [answer["prediction"] for answer in answers[1:]] == [None] * 3
    assert all("text" in answer["error"] for answer in answers[1:])


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ('{"rows": [NaN]}', 400, "NaN"),
        ('{"rows": [1e999]}', 400, "too large a number"),
        ('{"rows": [], "rows": []}', 400, "occurs twice"),
        ('{"rows": ' + "[" * 5000 + "]" * 5000 + "}", 400, "nested deeper"),
        ('{"rows": ["a"], "model": "../other"}', 400, 'unknown key "model"'),
        ('{"rows": "a"}', 400, 'no list "rows"'),
        ("[]", 400, "not an object"),
        (b'{"rows": ["\xff"]}', 400, "utf-8"),
        ("", 400, "malformed"),
        (json.dumps({"rows": ["a"] * 51}), 413, "51 rows; send at most 50"),
        (json.dumps({"rows": ["a" * BODY]}), 413, "larger than 20,000 bytes"),
    ],
)
def test_what_is_no_request_is_refused(server, body, status, told):
    found, answered = server.ask("/classify", body)
    assert found == status
    assert told in json.loads(answered)["error"]


def test_too_many_lines_and_other_kinds_of_bodies_are_refused(server):
    assert server.ask("/classify", "a\n" * 51, LINES)[0] == 413
    assert server.ask("/classify", "a", "application/x-www-form-urlencoded")[0] == 415
    assert server.ask("/classify", "a", LINES, **{"Content-Encoding": "gzip"})[0] == 415
    assert server.ask("/generate", '{"rows": []}')[0] == 404
    assert server.ask("/classify")[0] == 405


def test_a_body_without_a_length_is_counted_as_it_comes(server):
    pieces = (b"x" * 1000 for _ in range(200))
    with server.connection() as connection:
        try:
            connection.request("POST", "/classify", pieces, {"Content-Type": LINES}, encode_chunked=True)
            assert connection.getresponse().status == 413
        except (BrokenPipeError, ConnectionResetError):  # it was closed before all was sent
            pass
    assert server.ask("/healthz") == (200, "ok\n")


def test_garbage_and_large_heads_end_only_their_connection(server):
    assert b" 400 " in server.raw(b"\x16\x03\x01 garbage\r\n\r\n")
    assert b" 400 " in server.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000)
    assert server.ask("/healthz") == (200, "ok\n")


def test_a_body_that_does_not_come_times_out(server):
    assert b" 408 " in server.raw(HEAD + b"Content-Length: 10\r\n\r\nab")


def test_a_page_of_another_site_is_refused(server):
    assert server.ask("/", Host="evil.example")[0] == 403
    assert server.ask("/", Host="localhost:80")[0] == 200
    assert bounded.is_loopback("::1")
    assert not bounded.is_loopback("127.0.0.1.evil.example")


def test_the_server_says_what_it_does(server):
    about = json.loads(server.ask("/")[1])
    assert about["endpoint"] == "POST /classify"
    assert server.ask("/classify", json.dumps(about["example"]))[0] == 200
    assert server.ask("/readyz") == (200, "ready\n")
    page = server.ask("/metrics")[1]
    for name in (
        "seqrnn_rows_total",
        "seqrnn_queue_rows",
        'seqrnn_requests_total{endpoint="/classify",status="200"}',
    ):
        assert re.search(rf"^{re.escape(name)} \d", page, re.MULTILINE)


def test_prompts_are_continued_as_by_the_command(serving, seqrnn, storyteller):
    options = ("--max-len", "12", "--seed", "3")
    written = seqrnn("generate", "-m", storyteller, "--prompt", "warm", "--jsonl", "-q", *options)
    with serving(storyteller, *options) as server:
        rows = {"rows": ["cold", "warm", {"prompt": "warm", "id": 7}, 5]}
        answers = json.loads(server.ask("/generate", json.dumps(rows))[1])["answers"]
    expected = json.loads(written.stdout)
    assert answers[1] == {**expected, "id": 1}
    assert answers[2] == {**expected, "id": 7}
    assert answers[3]["error"] is not None


def test_a_signal_lets_requests_finish(serving, classifier):
    with serving(classifier) as server:
        with socket.create_connection((server.host, server.port), timeout=20) as client:
            client.sendall(HEAD + b"Content-Length: 9\r\n\r\n")
            assert server.ask("/healthz")[0] == 200  # the head has come before this
            server.process.send_signal(signal.SIGTERM)
            threading.Timer(0.3, lambda: client.sendall(b"warm soup")).start()
            found = client.recv(65536)
        assert b" 200 " in found
        assert server.process.wait(timeout=20) == -signal.SIGTERM
        assert server.process.stderr.read() == ""


@pytest.mark.parametrize("listens", [True, False])
def test_an_interrupt_is_told_by_the_exit_code(serving, classifier, listens):
    with serving(classifier) as server:
        if listens:
            assert server.ask("/healthz")[0] == 200  # it has begun to listen for signals
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 130
        assert server.process.stderr.read() == ""


def test_a_port_in_use_is_one_line(seqrnn, classifier):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = seqrnn("serve", "-m", classifier, "--port", str(port))
    assert result.returncode == 5
    assert result.stderr.decode().startswith(f"seqrnn: error: 127.0.0.1:{port}: ")
    assert result.stderr.count(b"\n") == 1


def test_options_that_do_not_fit_and_a_missing_package_are_told(seqrnn, classifier, shell):
    refused = seqrnn("serve", "-m", classifier, "--max-len", "5")
    assert refused.returncode == 2
    assert b"--max-len" in refused.stderr
    code = "import sys; sys.modules['uvicorn'] = None; from seqrnn.__main__ import main; main()"
    missing = shell(f'{sys.executable} -c "{code}" serve -m {classifier}')
    assert missing.returncode == 2
    assert missing.stderr.startswith(b"seqrnn: error: serving needs uvicorn")
    assert b"seqrnn[serve]" in missing.stderr


def test_no_file_is_opened_that_a_client_names():
    layout = RowFormat(True, None, "vectors", lambda _: {}, lambda *_: "", opens_files=False)
    (row,) = read_rows([Line(1, "/etc/hosts.npy")], layout)
    assert row.error is not None
    data = SimpleNamespace(source_kind="image")
    run = SimpleNamespace(
        task=SimpleNamespace(command="classify"),
        config=SimpleNamespace(data=data),
        checkpoint=SimpleNamespace(path=SimpleNamespace(parent="runs/x")),
    )
    with pytest.raises(UsageError, match="no file that a client names"):
        answerer(SimpleNamespace(run=run), Choices(None, None, False, None, None, DecodingOptions()))


def rows_of(*texts):
    return [InputRow(number, text) for number, text in enumerate(texts)]


def batched(scenario, answers, limits=LIMITS):
    """Run a scenario `(batcher)` with what answers rows."""

    async def run():
        batcher = Batcher(answers, limits, Metrics("test"), threads=1)
        async with batcher.running():
            return await scenario(batcher)

    return asyncio.run(run())


def test_what_comes_while_a_batch_is_computed_is_the_next_batch():
    batches, gate = [], threading.Event()

    def answers(rows):
        batches.append([row.text for row in rows])
        gate.wait(10)
        return [JsonAnswer(row.text.upper(), False) for row in rows]

    async def scenario(batcher):
        first = asyncio.create_task(batcher.ask(rows_of("a")))
        while not batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batcher.ask(rows_of(*texts))) for texts in ("bc", "d", "ef")]
        await asyncio.sleep(0.01)
        with pytest.raises(HTTPException) as full:
            await batcher.ask(rows_of("g", "h"))
        assert full.value.status_code == 503
        others[1].cancel()
        gate.set()
        return [await first, await others[0], await others[2]]

    assert batched(scenario, answers) == [["A"], ["B", "C"], ["E", "F"]]
    assert batches == [["a"], ["b", "c", "e", "f"]]


def test_rows_that_fail_fail_alone(capsys):
    def answers(rows):
        if any(row.text == "bad" for row in rows):
            raise ValueError("no")
        return [JsonAnswer(row.text, False) for row in rows]

    async def scenario(batcher):
        asked = [batcher.ask(rows_of(text)) for text in ("good", "bad", "fine")]
        return await asyncio.gather(*asked, return_exceptions=True)

    good, bad, fine = batched(scenario, answers)
    assert (good, fine) == (["good"], ["fine"])
    assert bad.status_code == 500
    assert "ValueError" in capsys.readouterr().err


def test_bodies_are_bounded_together():
    budget = BodyBudget(LIMITS)
    shares = [budget.share() for _ in range(BODIES_AT_ONCE)]
    for share in shares:
        share.add(LIMITS.body)
    with pytest.raises(HTTPException) as full:
        budget.share().add(1)
    assert full.value.status_code == 503
    shares[0].release()
    budget.share().add(LIMITS.body)


def test_clients_that_send_no_request_are_dropped(monkeypatch):
    import uvicorn

    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def scenario():
        bound = socket.create_server(("127.0.0.1", 0))
        protocol = connections.bounded_protocol(LIMITS)
        config = uvicorn.Config(
            app, http=protocol, lifespan="off", ws="none", log_config=None, log_level="critical"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve(sockets=[bound]))
        clients = [await asyncio.open_connection(*bound.getsockname()) for _ in range(LIMITS.connections)]
        clients[0][1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")  # a request, and half of the next
        assert b" 204 " in await clients[0][0].readuntil(b"\r\n\r\n")
        late = await asyncio.open_connection(*bound.getsockname())
        rest = [await asyncio.wait_for(_all(reader), 10) for reader, _ in (*clients, late)]
        server.should_exit = True
        for _, writer in (*clients, late):
            writer.close()
        await task
        return rest

    assert asyncio.run(scenario()) == [b"", b"", b""]


async def _all(reader):
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
