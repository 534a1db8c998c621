"""Commands from the test to the service's process: one JSON object a line on a Unix socket, one answer each."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Handler = Callable[..., Any]


def serve(path: Path, handlers: dict[str, Handler]) -> None:
    """Answer commands on threads of their own, for ever."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, handlers), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _answer(connection: socket.socket, handlers: dict[str, Handler]) -> None:
    with connection, connection.makefile("rwb") as stream:
        for line in stream:
            request = json.loads(line)
            try:
                reply = {"result": handlers[request["command"]](*request["arguments"])}
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            stream.write(json.dumps(reply).encode() + b"\n")
            stream.flush()


def ask(path: Path, command: str, *arguments: object) -> Any:
    """The answer to one command; RuntimeError with the service's own words when it fails."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        with connection.makefile("rwb") as stream:
            stream.write(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            stream.flush()
            reply = json.loads(stream.readline())
    if "error" in reply:
        raise RuntimeError(reply["error"])
    return reply["result"]
