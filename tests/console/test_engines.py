"""Engines that are not what the console expects: other versions, viewers' access, errors, a keymap that is wrong."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from obsync_tui.api import operations as api
from obsync_tui.api.errors import AccessDenied, ErrorAnswer
from obsync_tui.terminal.profile import Wishes
from tests.console.driving import console, run, running
from tests.console.terminal import Emulated
from tests.engine.resident import ResidentEngine
from tests.fakes.console_client import FakeClient


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "0.0.9"}, "the engine is version 0.0.9, this console"),
        ({"version": "9.0.0"}, "the engine is version 9.0.0, this console"),
        ({"protocol": 2}, "the engine speaks protocol 2, this console 1"),
    ],
)
def test_another_version_is_said_and_works(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        client.hello = msgspec.structs.replace(client.hello, **changes)
        async with console(client, tmp_path) as it:
            await it.sees(said, "orders", "RUN incr")
            assert it.lines[0].endswith(f"engine {client.hello.version} 3d0h")

    run(test)


# An engine that knows less: an operation is missing, and a figure that was added since.
OLDER = """
import obsync_tui; obsync_tui.__version__ = "0.0.9"
from obsync_tui.api import operations
operations.OPERATIONS = tuple(one for one in operations.OPERATIONS if one.name != "object-ddl")
from obsync_tui.engine.server import application
encode = application.encode
application.encode = lambda value: encode(value).replace(b'"looked_bytes":0,', b"").replace(b',"looked_bytes":0', b"")
"""
# An engine that knows more: its answers have a field that this console does not know, and it speaks the next protocol.
NEWER = """
import obsync_tui; obsync_tui.__version__ = "9.0.0"
from obsync_tui.model import views; views.PROTOCOL = 2
from obsync_tui.engine.server import application
encode = application.encode
def more(value):
    found = encode(value)
    return b'{"added_since":[1],' + found[1:] if found.startswith(b"{") and found != b"{}" else found
application.encode = more
"""


@pytest.mark.parametrize(("before", "version"), [(OLDER, "0.0.9"), (NEWER, "9.0.0")], ids=["older", "newer"])
def test_a_real_engine_of_another_version_is_worked_with(tmp_path: Path, before: str, version: str) -> None:
    with closing(ResidentEngine(tmp_path / "home", before=before)) as home:
        home.sources()
        home.project("orders")
        hello = home.start()
        assert (hello.version, hello.protocol) == (version, 2 if before == NEWER else 1)
        with Emulated(["--zone", "utc"], module="obsync_tui", OBSYNC_HOME=str(home.home)) as it:
            it.sees("Projects (1)", "orders", f"engine {version} <1m")
            it.type("\r")
            it.sees("Events (", "from", f"engine {version}")
            it.type("l")
            it.sees("project  level INFO", f"engine {version}")
            it.type("4")
            it.sees("engine  level INFO", f"obsync {version} serves")
            it.type("2")
            it.sees("Data sources (2)", "events", "shop")
            it.type("jC")
            it.sees("Name of the copy")
            it.type("2\r")
            it.sees("shop2 is written", "Data sources (3)", f"engine {version}")
            it.type("5")
            it.sees(f"version     {version}  (this console: ", "projects    1, 0 running")
        answer = home.command(
            "project", "ddl", "orders", "shop.item", code=3 if before == OLDER else 4
        ).stderr
        assert ("no such operation. Is the engine of another version?" in answer) == (before == OLDER), answer


def test_a_viewer_may_only_look(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        client.hello = msgspec.structs.replace(client.hello, access="viewer")
        client.answers[api.SOURCES.name] = AccessDenied(
            ErrorAnswer("AccessDenied", "viewers may not", "sources", "Ask the owner."), 403
        )
        async with console(client, tmp_path) as it:
            await it.sees(" RO ")
            await it.press("x")
            await it.sees("pause: this session is read-only")
            await it.press("2")
            await it.sees("sources: viewers may not. Ask the owner.")

    run(test)


def test_another_engine_after_a_restart_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        async with console(client, tmp_path) as it:
            client.leave()
            await it.until(lambda: it.app.away_s is not None)
            client.hello = msgspec.structs.replace(client.hello, pid=77)
            client.come_back()
            await it.until(lambda: it.app.away_s is None)
            await it.sees("another engine answers now")

    run(test)


def test_a_wrong_keymap_is_said_and_the_keys_are_the_usual_ones(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(
            FakeClient((running("orders"),)), tmp_path, complaint="keymap.toml: there is no action 'x'"
        ) as it:
            await it.sees("keymap.toml: there is no action 'x'")
            await it.press("x")
            await it.sees("Pause orders?")

    run(test)


def test_a_fault_of_the_console_leaves_its_traceback_in_a_file(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        client.answers[api.SOURCES.name] = 5
        async with console(client, tmp_path) as it:
            await it.press("2")
            await it.until(lambda: not it.app.is_running)

    with pytest.raises(Exception, match="not iterable"):
        run(test)
    assert "TypeError" in (tmp_path / "crash.txt").read_text()
    assert (tmp_path / "crash.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("theme", ["ansi-light", "textual-dark", "nord"])
def test_themes(tmp_path: Path, theme: str) -> None:
    async def test() -> None:
        async with console(
            FakeClient((running("orders"),)), tmp_path, wishes=Wishes(theme=theme, zone="utc")
        ) as it:
            await it.sees("orders")
            await it.press("ctrl+t")
            await it.sees("theme ", "orders")

    run(test)


def test_a_slow_console_waits_five_beats(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        async with console(client, tmp_path, wishes=Wishes(slow=True, zone="utc")) as it:
            for _ in range(5):
                await it.beat()
            await it.sees(" slow ", "orders")
            client.feed(running("orders"), running("stock", 1))
            await it.until(lambda: len(it.app.picture.projects) == 2)
            it.app._beats = 0
            await it.beat()
            assert "stock" not in it.text
            it.app._beats = 4
            await it.beat()
            await it.sees("stock")

    run(test)
