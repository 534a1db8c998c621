"""Who may do what: the owner, an admin, a viewer and a stranger walk every route of a real engine."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.endpoint import Endpoint
from obsync_tui.api.errors import AccessDenied, NotOurEngine
from obsync_tui.api.requests import Events, ListProjects, Named, Nothing, PutDraft, Start
from obsync_tui.api.wire import READ_ONLY_HEADER
from tests.engine.conftest import NewEngine
from tests.engine.resident import ResidentEngine, until
from tests.engine.server.rawhttp import Answer, as_user, ask, routes

STRANGER, VIEWER, ADMIN = 65534, 65533, 65532


@pytest.fixture(scope="module", autouse=True)
def second_user() -> None:
    """These tests prove nothing with one user: where they count, that is a failure."""
    if os.getuid() == 0:
        return
    if os.environ.get("CI"):
        pytest.fail("a second user cannot be had: run the tests as root")
    pytest.skip("a second user cannot be had: run as root")


@pytest.fixture(scope="module")
def shared(open_directory: Path) -> Iterator[ResidentEngine]:
    """An engine that a viewer and an admin may reach."""
    with closing(
        ResidentEngine(open_directory / "h", {"OBSYNC_SOCKET": str(open_directory / "s" / "e.sock")})
    ) as made:
        made.sources()
        made.project("orders")
        made.paths.settings_file.write_text(f'[access]\nviewer = ["{VIEWER}"]\nadmin = ["{ADMIN}"]\n')
        made.start()
        yield made


def walk(engine: ResidentEngine, headers: dict[str, str] | None = None) -> dict[str, tuple[str, int, str]]:
    """Every operation by its name: access, status and code of the answer."""
    document = json.loads(ask(engine.at.path, "GET", "/v1/openapi.json").text)
    known = routes(document)
    return {
        route.name: (route.access, *_asked(ask(engine.at.path, route.method, route.path, "{}", headers)))
        for route in known
    }


def _asked(answer: Answer) -> tuple[int, str]:
    code = json.loads(answer.text).get("code", "") if answer.status >= 400 else ""
    return answer.status, code


def test_the_socket_is_open_to_those_who_may(shared: ResidentEngine) -> None:
    assert stat.S_IMODE(shared.at.path.stat().st_mode) == 0o666
    assert stat.S_IMODE(shared.at.path.parent.stat().st_mode) == 0o711


def test_a_stranger_is_refused_everywhere(shared: ResidentEngine) -> None:
    known = routes(json.loads(ask(shared.at.path, "GET", "/v1/openapi.json").text))

    def work() -> object:
        found = {}
        for route in known:
            answer = ask(shared.at.path, route.method, route.path, "{}")
            found[route.name] = [*_asked(answer), "orders" in answer.text or "shop" in answer.text]
        return found

    found = as_user(STRANGER, work)
    assert isinstance(found, dict) and len(found) == len(known) > 40
    assert {name: seen for name, seen in found.items() if seen != [403, "AccessDenied", False]} == {}


def test_a_viewer_reads_and_changes_nothing(shared: ResidentEngine) -> None:
    known = routes(json.loads(ask(shared.at.path, "GET", "/v1/openapi.json").text))
    before = sorted(path.name for path in shared.paths.config.rglob("*"))

    def work() -> object:
        return {route.name: _asked(ask(shared.at.path, route.method, route.path, "{}")) for route in known}

    found = as_user(VIEWER, work)
    assert isinstance(found, dict)
    access = {route.name: route.access for route in known}
    refused = {name for name, (status, code) in found.items() if (status, code) == (403, "AccessDenied")}
    assert refused == {name for name, needed in access.items() if needed == "admin"}
    assert {name: seen for name, seen in found.items() if seen[0] >= 500 and seen[1] == "Unexpected"} == {}
    assert {"engine-stop", "project-start", "source-put", "seal", "drafts", "source-test"} <= refused
    assert not refused & {"projects", "project", "hello", "sources", "watch", "metrics", "openapi"}
    assert sorted(path.name for path in shared.paths.config.rglob("*")) == before
    assert all(
        found[name][0] == 200 for name in ("projects", "project", "hello", "sources", "watch", "openapi")
    )


def test_a_read_only_session_of_the_owner_is_a_viewers(shared: ResidentEngine) -> None:
    for name, (access, status, code) in walk(shared, {READ_ONLY_HEADER: "1"}).items():
        assert ((status, code) == (403, "AccessDenied")) == (access == "admin"), name
    client = shared.client(read_only=True)
    assert client.call(op.HELLO, Nothing()).access == "viewer"
    with pytest.raises(AccessDenied, match="only reading is allowed"):
        client.call(op.START, Start("orders"))
    assert len(client.call(op.PROJECTS, ListProjects())) == 1


def test_an_admin_may_what_the_owner_may_and_is_named(shared: ResidentEngine) -> None:
    def work() -> object:
        body = json.dumps({"kind": "source", "title": "t", "body": "{}"})
        put = ask(shared.at.path, "PUT", "/v1/drafts/of-admin", body)
        started = ask(shared.at.path, "POST", "/v1/projects/orders/start", "{}")
        paused = ask(shared.at.path, "POST", "/v1/projects/orders/pause", "{}")
        return [put.status, started.status, paused.status, ask(shared.at.path, "GET", "/v1/hello").text]

    put, started, paused, hello = as_user(ADMIN, work)  # type: ignore[misc]
    assert (put, started, paused) == (200, 200, 200)
    assert json.loads(hello)["access"] == "admin"
    events = shared.call(op.EVENTS, Events("orders"))
    assert [event.kind for event in events if str(ADMIN) in f"{event.text} {event.who}"] == [
        "running",
        "paused",
    ]


def test_an_edit_of_the_rules_acts_without_a_restart(new_engine: NewEngine, open_directory: Path) -> None:
    engine = new_engine({"OBSYNC_SOCKET": str(open_directory / "later" / "e.sock")})
    engine.start()
    assert stat.S_IMODE(engine.at.path.stat().st_mode) == 0o600

    def work() -> object:
        try:
            return ask(engine.at.path, "GET", "/v1/hello").status
        except PermissionError:
            return 0

    assert as_user(VIEWER, work) == 0
    engine.paths.settings_file.parent.mkdir(exist_ok=True)
    engine.paths.settings_file.write_text(f'[access]\nviewer = ["{VIEWER}"]\n')
    time.sleep(1.1)  # settings may be a second old
    engine.look()
    until(lambda: as_user(VIEWER, work) == 200, "the viewer gets in")
    engine.paths.settings_file.write_text("[access]\nviewer = 1\n")
    until(
        lambda: "settings stay as they were" in engine.said or as_user(VIEWER, work) != 200,
        "the file is read",
    )
    assert as_user(VIEWER, work) == 200, "while the file is wrong the rules before it hold"
    engine.paths.settings_file.write_text("")
    until(lambda: as_user(VIEWER, work) == 403, "the viewer is shut out")
    engine.look()
    until(lambda: as_user(VIEWER, work) == 0, "the socket is closed again")


def squat(path: Path, ready: int, told: int) -> None:
    """Listen at the path as another user, and tell how many bytes the first client sent."""
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(5)
        os.write(ready, b"x")
        count = 0
        for _ in range(2):
            connection, _ = listening.accept()
            while received := connection.recv(1000):
                count += len(received)
    os.write(told, str(count).encode())


def test_a_squatter_gets_nothing(new_engine: NewEngine, open_directory: Path) -> None:
    directory = open_directory / "squatted"
    directory.mkdir()
    directory.chmod(0o777)
    path = directory / "e.sock"
    ready, ready_writer = os.pipe()
    told, told_writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            squat(path, ready_writer, told_writer)
        finally:
            os._exit(0)
    try:
        os.close(told_writer)
        assert os.read(ready, 1) == b"x"
        path.chmod(0o666)
        with (
            EngineClient(Endpoint(path, os.getuid())) as client,
            pytest.raises(NotOurEngine, match="65534 holds the socket"),
        ):
            client.call(op.PUT_DRAFT, PutDraft("d", "source", "t", "a password"))
        home = new_engine({"OBSYNC_SOCKET": str(path)})
        refused = home.command("engine", "status", code=18)
        assert "holds the socket" in refused.stderr and "nothing was sent" in refused.stderr
        assert select.select([told], [], [], 30)[0] and os.read(told, 100) == b"0"
    finally:
        os.kill(pid, signal.SIGKILL)  # it waits for clients that a failed test does not send
        os.waitpid(pid, 0)
    assert not home.paths.state.exists()


def test_the_project_that_is_not_there_is_hidden_from_nobody_who_may_read(shared: ResidentEngine) -> None:
    def work() -> object:
        return ask(shared.at.path, "GET", "/v1/projects/nothing").status

    assert (as_user(VIEWER, work), as_user(STRANGER, work)) == (404, 403)
    assert shared.call(op.PROJECT, Named("orders")).summary.name == "orders"
