"""HTTP by hand on a unix socket: what a client in C, or one that means harm, would send."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Document = dict[str, object]
# Values for the places in a path.
PLACES = {"name": "orders", "component": "store", "action": "pause", "id": "draft", "record": "1"}


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when nothing did."""

    status: int
    text: str = ""


@dataclass(frozen=True)
class Route:
    """An operation of the OpenAPI document, with a path that can be asked for."""

    method: str
    path: str
    access: str
    name: str


class UnixConnection(http.client.HTTPConnection):
    """A connection to a socket's path."""

    def __init__(self, path: str, timeout_s: float = 60) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(
    path: Path, method: str, target: str, body: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One call on a connection of its own; of an endless answer the status only."""
    connection = UnixConnection(str(path))
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        endless = answer.getheader("content-type") == "application/x-ndjson"
        return Answer(answer.status, "" if endless else answer.read().decode())
    finally:
        connection.close()


def routes(document: Document) -> list[Route]:
    """Every operation of the document, and those that stand beside it."""
    found = [
        Route("GET", "/v1/openapi.json", "viewer", "openapi"),
        Route("GET", "/v1/watch?topics=projects", "viewer", "watch"),
        Route("GET", "/metrics", "viewer", "metrics"),
    ]
    paths = document["paths"]
    assert isinstance(paths, dict)
    for path, methods in paths.items():
        for method, operation in methods.items():
            filled = path
            for place, value in PLACES.items():
                filled = filled.replace(f"{{{place}}}", value)
            assert "{" not in filled, f"say in PLACES what stands in {path}"
            found.append(Route(method.upper(), filled, operation["x-access"], operation["operationId"]))
    return found


def as_user(uid: int, work: Callable[[], object]) -> object:
    """What the work answers (as JSON) in a process of another user; it must not need files of ours."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            content = json.dumps(work()).encode()
            while content:
                content = content[os.write(writer, content) :]
            code = 0
        except BaseException as error:
            os.write(writer, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    _, status = os.waitpid(pid, 0)
    answer = json.loads(content or b"null")
    assert os.waitstatus_to_exitcode(status) == 0, answer
    return answer
