"""Clients that send too much, too little, rubbish, or do not read: the engine answers the others all the same."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import ListProjects, Logs, Nothing, PutDraft
from obsync_tui.engine.server.application import MAX_BODY_BYTES
from obsync_tui.model.history import LogPage
from tests.engine.resident import ResidentEngine, until
from tests.engine.server.rawhttp import ask

PROJECTS = 400
# A disk that does not answer while there is a file `held` in the home; `asked` tells that somebody waits for it.
HOLDING = """
import os, time
from pathlib import Path
from obsync_tui.engine.history.logs import ComponentLogs
newest = ComponentLogs.newest
def held(*arguments, **named):
    while (home := Path(os.environ["OBSYNC_HOME"])).joinpath("held").exists():
        home.joinpath("asked").touch()
        time.sleep(0.01)
    return newest(*arguments, **named)
ComponentLogs.newest = held
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentEngine]:
    """An engine with a long list of projects, which has little patience with who does not read."""
    before = "import obsync_tui.engine.server.listener as one; one.READ_TIMEOUT_S = 3.0" + HOLDING
    with closing(ResidentEngine(tmp_path_factory.mktemp("a") / "h", before=before)) as made:
        made.sources()
        first = made.project("p0")
        text = made.files.read_project("p0")[0]
        for number in range(1, PROJECTS):
            named = text.replace('"p0"', f'"p{number}"').replace(first.id, f"np_{number:012}")
            (made.paths.projects / f"p{number}.toml").write_text(named)
        made.start()
        assert [one.error for one in made.call(op.PROJECTS, ListProjects())] == [""] * PROJECTS
        yield made


def connect(engine: ResidentEngine) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(30)
    made.connect(str(engine.at.path))
    return made


def rest(connected: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    while part := connected.recv(65536):
        received += part
    return received


def test_a_body_that_is_too_large(engine: ResidentEngine) -> None:
    with pytest.raises(RemoteError, match="body is larger") as refused:
        engine.call(op.PUT_DRAFT, PutDraft("d", "source", "t", "x" * (MAX_BODY_BYTES + 1)))
    assert (refused.value.code, refused.value.status) == ("BadRequest", 400)
    with connect(engine) as endless:
        endless.sendall(b"PUT /v1/drafts/d HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            endless.sendall(piece)
        assert endless.recv(20).startswith(b"HTTP/1.1 400")
    rss = engine.call(op.ENGINE, Nothing()).rss_bytes
    with connect(engine) as endless:
        endless.sendall(b"PUT /v1/drafts/d HTTP/1.1\r\nHost: e\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            endless.sendall(b"x" * 65536)
    assert engine.call(op.ENGINE, Nothing()).rss_bytes < rss + (30 << 20)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff" * 500,
        b"GET\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\n" + b"x" * 100_000,
        b"GET /v1/hello HTTP/1.1\r\nHost: e\r\nContent-Length: -5\r\n\r\n",
        b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: e\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["zeros", "short", "endless-header", "negative-length", "no-ascii", "tls"],
)
def test_what_is_no_http(engine: ResidentEngine, sent: bytes) -> None:
    with connect(engine) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = rest(client)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")), answer[:100]
    assert engine.call(op.HELLO, Nothing()).access == "admin"


@pytest.mark.parametrize(
    "body",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        '"\\ud800"',
        "nul",
        "1e999",
        '{"kind": 1}',
        "[]",
        '{"a": 1, "a": 2}',
        "\x00",
    ],
    ids=["deep-list", "deep-object", "surrogate", "half", "huge", "type", "list", "twice", "nul"],
)
def test_what_is_no_request(engine: ResidentEngine, body: str) -> None:
    answer = ask(engine.at.path, "PUT", "/v1/drafts/d", body)
    assert answer.status == 400 and json.loads(answer.text)["code"] == "BadRequest", answer


def test_targets_that_lead_astray(engine: ResidentEngine) -> None:
    for target in (
        "/v1/projects/..%2f..%2fetc%2fpasswd",
        "/v1/projects/%00",
        "/v1/projects/%ff%fe",
        "/v1/projects/" + "a" * 5000,
        "/v1/projects/p0/file?name=p1",
        "/v1/projects?tag=%00%ff",
        "/v1/watch?topics=project:%2e%2e",
        "/v1/watch?topics=projects&every_s=x",
        "/v1/projects/p0/events?limit=99999999999999999999",
        "/v1/projects/p0/metrics?from_s=nan&to_s=inf",
    ):
        answer = ask(engine.at.path, "GET", target)
        assert answer.status < 500 and "Unexpected" not in answer.text, (target, answer)
    assert json.loads(ask(engine.at.path, "GET", "/v1/projects/p0/file?name=p1").text)["name"] == "p0"
    assert ask(engine.at.path, "TRACE", "/v1/hello").status == 405
    assert ask(engine.at.path, "GET", "/").status == 404


def test_half_requests_hold_nothing_up(engine: ResidentEngine) -> None:
    before = engine.call(op.ENGINE, Nothing()).descriptors
    with ExitStack() as stack:
        for sent in (
            b"",
            b"GET /v1/he",
            b"PUT /v1/drafts/d HTTP/1.1\r\nHost: e\r\nContent-Length: 100\r\n\r\n{",
        ) * 20:
            stack.enter_context(connect(engine)).sendall(sent)
        began = time.monotonic()
        assert engine.call(op.HELLO, Nothing()).access == "admin"
        assert time.monotonic() - began < 10
        assert engine.call(op.ENGINE, Nothing()).descriptors >= before + 60
    until(lambda: engine.call(op.ENGINE, Nothing()).descriptors < before + 10, "closed ones are forgotten")


def test_clients_that_never_read(engine: ResidentEngine) -> None:
    path = engine.paths.projects / "p0.toml"
    text = path.read_text()
    before = engine.call(op.ENGINE, Nothing())
    with ExitStack() as stack:
        for _ in range(20):
            deaf = stack.enter_context(connect(engine))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(b"GET /v1/watch?topics=projects&every_s=0.25 HTTP/1.1\r\nHost: e\r\n\r\n")
        clients = [stack.enter_context(EngineClient(engine.at)) for _ in range(180)]
        for client in clients:
            client.call(op.HELLO, Nothing())
        until(lambda: engine.call(op.ENGINE, Nothing()).clients == 20, "they watch")
        taken = []
        for number in range(60):
            path.write_text(f'tags = ["t{number}"]\n{text}')
            began = time.monotonic()
            clients[number * 3].call(op.HELLO, Nothing())
            taken.append(time.monotonic() - began)
        assert sorted(taken)[54] < 1, sorted(taken)[-10:]
        most = engine.call(op.ENGINE, Nothing())
        assert most.rss_bytes < before.rss_bytes + (100 << 20)
        until(lambda: engine.call(op.ENGINE, Nothing()).clients == 0, "who never reads is let go")
        assert engine.call(op.HELLO, Nothing()).access == "admin"
    until(lambda: engine.call(op.ENGINE, Nothing()).descriptors <= before.descriptors + 10, "all are gone")


def test_a_slow_reader_is_kept(engine: ResidentEngine) -> None:
    """One that reads a little now and then is served, with fewer frames."""
    path = engine.paths.projects / "p1.toml"
    text = path.read_text()
    ending = threading.Event()

    def edit() -> None:
        while not ending.wait(0.1):
            path.write_text(f'tags = ["t{time.monotonic_ns()}"]\n{text}')

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        with connect(engine) as slow:
            slow.sendall(b"GET /v1/watch?topics=projects&every_s=0.25 HTTP/1.1\r\nHost: e\r\n\r\n")
            received = 0
            began = time.monotonic()
            while time.monotonic() - began < 7:  # twice the patience with one that does not read
                received += len(slow.recv(65536))
                time.sleep(0.1)
            assert received > 500_000
            assert slow.recv(65536)
    finally:
        ending.set()
        editor.join()


def test_calls_whose_clients_are_killed(engine: ResidentEngine) -> None:
    before = engine.call(op.ENGINE, Nothing())
    for _ in range(30):
        with connect(engine) as client:
            client.sendall(b"POST /v1/sources/shop/test HTTP/1.1\r\nHost: e\r\nContent-Length: 2\r\n\r\n{}")
    until(lambda: engine.call(op.ENGINE, Nothing()).threads <= before.threads + 2, "their threads end")
    assert "Traceback" not in engine.said


def test_a_log_on_a_disk_that_does_not_answer_holds_up_nobody_else(engine: ResidentEngine) -> None:
    held, found = engine.home / "held", []
    held.touch()
    waiting = threading.Thread(target=lambda: found.append(engine.call(op.LOGS, Logs("p0"))))
    waiting.start()
    until((engine.home / "asked").exists, "the log is asked for")
    assert len(engine.call(op.PROJECTS, ListProjects())) == PROJECTS
    assert waiting.is_alive() and not found
    held.unlink()
    waiting.join(30)
    assert found == [LogPage((), "", "0-0")]
