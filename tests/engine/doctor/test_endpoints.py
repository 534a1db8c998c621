"""Data sources: real ones, and hosts that never answer, within the limit."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.config.secrets import SecretResolver
from obsync_tui.engine.doctor import endpoints
from obsync_tui.engine.doctor.endpoints import check_sources
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource, Sasl
from obsync_tui.model.finding import Level
from obsync_tui.model.secret import Secret, SecretReference
from tests.servers import KafkaBroker, MySQLServer, OceanBaseServer


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield listening.getsockname()[1]


def secrets(reference: SecretReference) -> Secret:
    return SecretResolver(Path("/nowhere/secret.key"), {"PASSWORD": "pw"}).resolve(reference)


def test_servers_that_answer(mysql80: MySQLServer, kafka: KafkaBroker, oceanbase: OceanBaseServer) -> None:
    sources: list[DataSource] = [
        MySQLSource("shop", "127.0.0.1", "root", mysql80.port),
        KafkaSource("events", kafka.bootstrap),
        OceanBaseSource("ob", "127.0.0.1", "root", oceanbase.port),
    ]
    found = check_sources(sources, secrets, limit_s=60)
    assert [(one.subject, one.check, one.level) for one in found] == [
        ("data source shop", "connection", Level.OK),
        ("data source shop", "version", Level.OK),
        ("data source shop", "clock", Level.OK),
        ("data source events", "connection", Level.OK),
        ("data source ob", "connection", Level.OK),
        ("data source ob", "version", Level.WARNING),
        ("data source ob", "clock", Level.OK),
    ]
    assert "differs from this machine's by" in found[2].what


def test_a_clock_that_is_ahead(mysql80: MySQLServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obsync_tui.engine.mysql.server.time.time", lambda: time.time_ns() / 1e9 - 3600)
    found = check_sources([MySQLSource("shop", "127.0.0.1", "root", mysql80.port)], secrets, limit_s=60)
    clock = next(one for one in found if one.check == "clock")
    assert (clock.level, "NTP" in clock.cure, "+3600" in clock.what) == (Level.WARNING, True, True)


def test_refused_and_not_there(mysql80: MySQLServer) -> None:
    wrong = MySQLSource("shop", "127.0.0.1", "nobody", mysql80.port, SecretReference("env:PASSWORD"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = MySQLSource("gone", "127.0.0.1", "u", closed.getsockname()[1])
        secret, refused, unreachable = check_sources([wrong, gone], secrets, limit_s=60)
    assert (secret.level, secret.what) == (Level.OK, "found (env)")
    assert (refused.level, "1045" in refused.what, "password" in refused.cure) == (Level.FAILURE, True, True)
    assert (unreachable.level, "2003" in unreachable.what, unreachable.where) == (Level.FAILURE, True, f"127.0.0.1:{gone.port}")  # fmt: skip
    assert bool(unreachable.cure)


@pytest.mark.parametrize(
    ("reference", "what", "cure"),
    [
        ("env:UNSET", "is not set", "Export UNSET"),
        ("file:/nowhere/pw", "cannot be read", "owns the path"),
        ("cmd:false", "exit code 1", "Run it in a shell"),
        ("sealed:gAAAA", "key file", "backup"),
    ],
)
def test_secrets_that_cannot_be_had_here(black_hole: int, reference: str, what: str, cure: str) -> None:
    password = SecretReference(reference)
    sources: list[DataSource] = [
        MySQLSource("shop", "127.0.0.1", "u", black_hole, password),
        KafkaSource("events", f"127.0.0.1:{black_hole}", sasl=Sasl("PLAIN", "u", password)),
    ]
    started_s = time.monotonic()
    found = check_sources(sources, secrets, limit_s=60)
    assert [(one.check, one.level, what in one.what, cure in one.cure) for one in found] == [("secret", Level.FAILURE, True, True)] * 2  # fmt: skip
    assert time.monotonic() - started_s < 5


def test_black_holes_take_their_time_together(black_hole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_ANSWER_S", 1.5)
    sources: list[DataSource] = []
    for number in range(8):
        sources += [
            MySQLSource(f"m{number}", "127.0.0.1", "u", black_hole, connect_timeout_s=100),
            OceanBaseSource(f"o{number}", "127.0.0.1", "u", black_hole, connect_timeout_s=100),
            KafkaSource(f"k{number}", f"127.0.0.1:{black_hole}"),
        ]
    started_s = time.monotonic()
    found = check_sources(sources, secrets, limit_s=10)
    assert time.monotonic() - started_s < 9
    assert [(one.check, one.level, bool(one.cure)) for one in found] == [
        ("connection", Level.FAILURE, True)
    ] * 24
    assert not any("no answer within" in one.what for one in found)


def test_one_that_never_comes_back_costs_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def test_source(source: DataSource, resolve: object, *, limit_s: float) -> list[object]:
        time.sleep(60 if source.name == "hangs" else 0)
        return []

    monkeypatch.setattr(endpoints, "test_source", test_source)
    sources = [MySQLSource(name, "h", "u") for name in ("quick", "hangs")]
    started_s = time.monotonic()
    (found,) = check_sources(sources, secrets, limit_s=0.5)
    assert time.monotonic() - started_s < 20
    assert (found.subject, found.level, found.where) == ("data source hangs", Level.FAILURE, "h:3306")
    assert "no answer within" in found.what and "obsync source test hangs" in found.cure


def test_a_secret_is_asked_for_once(mysql80: MySQLServer) -> None:
    asked: list[SecretReference] = []

    def once(reference: SecretReference) -> Secret:
        asked.append(reference)
        return Secret("")

    source = MySQLSource("shop", "127.0.0.1", "root", mysql80.port, SecretReference("cmd:x"))
    assert check_sources([source], once, limit_s=60)[1].level is Level.OK
    assert asked == ["cmd:x"]
