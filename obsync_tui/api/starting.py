"""Starting an engine from a client: a session of its own, no terminal, and the wait until it says ready."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from obsync_tui.api.endpoint import Endpoint
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.operations import HELLO
from obsync_tui.api.requests import Nothing
from obsync_tui.config.paths import Paths, private_directory
from obsync_tui.model.views import Hello

START_TIMEOUT_S = 30.0
_POLL_S = 0.05
_TAIL_BYTES = 4096
# What the engine prints before its own log is open, and a crash of the interpreter.
OUTPUT_FILE = "engine.out"


def hello(at: Endpoint) -> Hello | None:
    """Who answers on the socket; None when nobody does. NotOurEngine when somebody else does."""
    if not at.path.exists():
        return None
    from obsync_tui.api.client import EngineClient  # HTTP, which a command without an engine does without

    with EngineClient(at) as client:
        try:
            return client.call(HELLO, Nothing())
        except EngineAway:
            return None


def start_engine(
    paths: Paths, at: Endpoint, environment: Mapping[str, str], waiting: Callable[[float], None] | None = None
) -> Hello:
    """Start an engine and wait until it answers; EngineAway with its last words when it does not.

    `waiting` is called with the seconds that have passed. An engine that somebody else starts meanwhile is as good.
    """
    if found := hello(at):
        return found
    directory = private_directory(paths.logs / "engine")
    output = directory / OUTPUT_FILE
    with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "obsync_tui", "engine", "run"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            close_fds=True,
        )
    began = time.monotonic()
    while (passed := time.monotonic() - began) < START_TIMEOUT_S:
        ended = process.poll() is not None
        if found := hello(at):
            return found
        if ended:
            break
        if waiting is not None:
            waiting(passed)
        time.sleep(_POLL_S)
    raise EngineAway(
        f"the engine did not start: {last_words(output) or 'it said nothing'}",
        where=str(at.path),
        cure="Look at: obsync engine logs. To see it start: obsync engine run",
    )


def last_words(output: Path) -> str:
    """The last line that an engine printed."""
    try:
        with open(output, "rb") as file:
            file.seek(max(0, output.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("obsync: ") if lines else ""
