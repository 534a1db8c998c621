"""Checks one by one, and the test of a data source."""

from pathlib import Path

import msgspec
import pytest

from obsync_tui.engine.mysql.server import LogFilters, Variables
from obsync_tui.engine.precheck import connectivity, local
from obsync_tui.engine.precheck.model import Outcome, Subject
from obsync_tui.engine.precheck.source_server import (
    check_clock,
    check_log_filters,
    check_retention,
    check_version,
)
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.secret import SecretReference
from tests.engine.precheck.project import secrets
from tests.servers import KafkaBroker, MySQLServer


def test_test_source(mysql57: MySQLServer, kafka: KafkaBroker) -> None:
    mysql = MySQLSource("shop", "127.0.0.1", "root", mysql57.port)
    assert [(r.item, r.outcome) for r in connectivity.test_source(mysql, secrets)] == [
        ("connection", Outcome.PASS),
        ("version", Outcome.PASS),
        ("clock", Outcome.PASS),
    ]
    wrong = msgspec.structs.replace(mysql, password=SecretReference("env:wrong"))
    (refused,) = connectivity.test_source(wrong, secrets)
    assert (refused.outcome, "1045" in refused.text, "wrong" in str(refused)) == (Outcome.FAIL, True, False)
    (events,) = connectivity.test_source(KafkaSource("events", kafka.bootstrap), secrets)
    assert (events.outcome, kafka.bootstrap in events.text) == (Outcome.PASS, True)
    refusing = KafkaSource("events", kafka.bootstrap, properties={"acks": "1"})
    (unfit,) = connectivity.test_source(refusing, secrets)
    assert (unfit.outcome, "acks" in unfit.text) == (Outcome.FAIL, True)


@pytest.mark.parametrize(
    ("version", "comment", "outcome"),
    [
        ("5.7.22-log", "MySQL Community Server (GPL)", Outcome.PASS),
        ("8.0.15", "", Outcome.PASS),
        ("8.4.2", "", Outcome.WARNING),
        ("5.6.51-log", "", Outcome.FAIL),
        ("9.1.0", "", Outcome.FAIL),
        ("10.11.6-MariaDB-1", "", Outcome.FAIL),
        ("5.5.5-10.3", "mariadb.org binary distribution", Outcome.FAIL),
    ],
)
def test_versions(version: str, comment: str, outcome: Outcome) -> None:
    result = check_version(Subject("shop"), Variables(version=version, version_comment=comment))
    assert result.outcome is outcome


def test_figures_that_are_only_warned_of() -> None:
    subject, base = Subject("shop"), Variables(version="8.0.15")
    assert check_clock(subject, -0.4).outcome is Outcome.PASS
    assert "-5.0 s" in check_clock(subject, -5.0).text
    assert check_clock(subject, -5.0).outcome is Outcome.WARNING
    assert check_retention(subject, base).outcome is Outcome.PASS
    hour = msgspec.structs.replace(base, binlog_expire_logs_seconds=3600)
    assert check_retention(subject, hour).outcome is Outcome.WARNING
    assert check_retention(subject, msgspec.structs.replace(base, expire_logs_days=1)).outcome is Outcome.PASS
    only = LogFilters(only=frozenset({"a"}))
    assert [check_log_filters(subject, only, [db]).outcome for db in "ab"] == [Outcome.PASS, Outcome.FAIL]


def test_local_state(tmp_path: Path) -> None:
    here = Subject("this machine")
    assert local.check_state_dir(here, tmp_path / "new" / "state").outcome is Outcome.PASS
    assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    blocked = local.check_state_dir(here, tmp_path / "file" / "state")
    assert (blocked.outcome, "OBSYNC_HOME" in blocked.cure) == (Outcome.FAIL, True)
    outcomes = [local.check_disk(here, tmp_path / "x", free << 20).outcome for free in (1, 100, 1000)]
    assert outcomes == [Outcome.FAIL, Outcome.WARNING, Outcome.PASS]
