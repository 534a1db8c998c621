"""The precheck of a source on real servers: all well, and each thing that can be wrong with its cure."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from obsync_tui.engine.precheck.model import Outcome
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.project import (
    Objects,
    TableRule,
)
from tests.engine.precheck.project import Setup, bad, one
from tests.servers import KafkaBroker, MySQLServer, free_port


def test_a_good_project_passes(setup: Setup) -> None:
    results = setup.check()
    assert bad(results) == set(), results
    sync = one(results, "sync_binlog")
    assert (sync.outcome, "SET GLOBAL sync_binlog = 1" in sync.cure) == (Outcome.WARNING, True)
    assert {r.item for r in results} >= {
        "state directory", "disk", "connection", "version", "gtid_mode", "enforce_gtid_consistency", "log_bin",
        "binlog_format", "binlog_row_image", "binlog_transaction_compression", "sync_binlog",
        "log retention", "clock", "rights", "log filters", "objects", "keys", "storage engines", "column types",
        "foreign keys", "virtual columns", "transactions", "checkpoint topic", "topic names", "topics", "message size",
    }  # fmt: skip
    topics = Cluster({"bootstrap.servers": setup.broker.bootstrap}, "events").partitions()
    assert not [name for name in topics if setup.database in name], "a check creates nothing"


SETTINGS = [
    ("binlog_format", "STATEMENT", "SET GLOBAL binlog_format = ROW"),
    ("binlog_row_image", "MINIMAL", "SET GLOBAL binlog_row_image = FULL"),
    ("gtid_mode", "ON_PERMISSIVE", "SET GLOBAL gtid_mode = ON"),
]


@pytest.mark.parametrize(("name", "value", "cure"), SETTINGS)
def test_a_setting_that_loses_changes_fails(setup: Setup, name: str, value: str, cure: str) -> None:
    with setup.server.connect() as root, root.cursor() as cursor:
        cursor.execute(f"SELECT @@global.{name}")
        before = cursor.fetchone()
        assert before is not None
        cursor.execute(f"SET GLOBAL {name} = {value}")
        try:
            result = one(setup.check(), name)
        finally:
            cursor.execute(f"SET GLOBAL {name} = {before[0]}")
    assert (result.outcome, result.subject) == (Outcome.FAIL, "shop")
    assert value in result.text
    assert cure in result.cure


def test_a_server_without_gtids_or_log_filters_fails(
    new_mysql: Callable[..., MySQLServer], kafka: KafkaBroker, tmp_path: Path
) -> None:
    server = new_mysql("5.7", ["--binlog-ignore-db=quiet"], gtid=False)
    server.execute("CREATE DATABASE quiet", "CREATE TABLE quiet.t (a INT PRIMARY KEY)")
    results = Setup(server, kafka, "quiet", tmp_path).check()
    assert bad(results) == {"gtid_mode", "enforce_gtid_consistency", "log filters"}
    assert "OFF_PERMISSIVE" in one(results, "gtid_mode").cure
    assert "binlog_ignore_db" in one(results, "log filters").cure


def test_missing_rights_come_with_grants_that_cure_them(setup: Setup) -> None:
    setup.server.execute("DROP USER IF EXISTS pre", "CREATE USER pre")
    source = MySQLSource("shop", "127.0.0.1", "pre", setup.server.port)
    results = setup.check(source=source)
    rights = one(results, "rights")
    assert rights.outcome is Outcome.FAIL
    assert "GRANT RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'pre'@'%';" in rights.cure
    assert one(results, "objects").outcome is Outcome.FAIL
    assert one(results, "topics").outcome is Outcome.NOT_RUN
    setup.server.execute(*[s for s in rights.cure.removeprefix("Run: ").split(";") if s.strip()])
    assert bad(setup.check(source=source)) == set()


def test_objects_that_are_not_there_fail(setup: Setup) -> None:
    named = msgspec.structs.replace(
        setup.project, objects=Objects((f"{setup.database}.orders", f"{setup.database}.gone"))
    )
    assert f"{setup.database}.gone" in one(setup.check(named), "objects").text
    nothing = msgspec.structs.replace(setup.project, objects=Objects((f"{setup.database}.x*",)))
    assert one(setup.check(nothing), "objects").text == "the rules match no table"
    unreadable = msgspec.structs.replace(setup.project, objects=Objects(("shop",)))
    assert "<db>.<table>" in one(setup.check(unreadable), "objects").text


def test_tables_that_cannot_be_followed(setup: Setup) -> None:
    db = setup.database
    setup.server.execute(
        f"CREATE TABLE {db}.keyless (a INT)",
        f"CREATE TABLE {db}.old (a INT PRIMARY KEY) ENGINE = MyISAM",
        f"CREATE TABLE {db}.line (a INT PRIMARY KEY, o INT, CONSTRAINT fk FOREIGN KEY (o) REFERENCES {db}.orders (id) ON DELETE CASCADE)",
        f"CREATE TABLE {db}.strange (a INT PRIMARY KEY, t VARCHAR(9) CHARACTER SET dec8, e ENUM('😀'), l LONGTEXT, v INT AS (a) VIRTUAL)",
    )
    project = msgspec.structs.replace(
        setup.project,
        objects=Objects(
            (f"{db}.*",), tables=(TableRule(f"{db}.orders", sharding_columns=("nope",)), TableRule("a.b"))
        ),
    )
    results = setup.check(project)
    assert bad(results) == {"keys", "storage engines", "foreign keys", "column types", "table settings"}
    assert f"{db}.keyless" in one(results, "keys").text
    assert f"ALTER TABLE `{db}`.`old` ENGINE = InnoDB;" in one(results, "storage engines").cure
    foreign = one(results, "foreign keys")
    assert f"fk on {db}.line (ON DELETE CASCADE)" in foreign.text
    assert f"ALTER TABLE `{db}`.`line` DROP FOREIGN KEY `fk`" in foreign.cure
    types = [r for r in results if r.item == "column types"]
    assert [r.outcome for r in types] == [Outcome.FAIL, Outcome.WARNING]
    assert f"{db}.strange.t (character set dec8)" in types[0].text
    assert f"{db}.strange.e" in types[1].text
    settings = [r.outcome for r in results if r.item == "table settings"]
    assert settings == [Outcome.FAIL, Outcome.WARNING]
    assert f"{db}.strange.v" in next(r for r in results if r.item == "virtual columns").text


def test_functional_indexes_fail_on_early_8_0(
    mysql80: MySQLServer, kafka: KafkaBroker, tmp_path: Path
) -> None:
    mysql80.execute("CREATE DATABASE fi", "CREATE TABLE fi.t (a INT PRIMARY KEY, INDEX f ((a * 2)))")
    assert one(Setup(mysql80, kafka, "fi", tmp_path).check(), "functional indexes").outcome is Outcome.FAIL
    mysql80.execute("DROP DATABASE fi")


def test_what_depends_on_a_connection_is_not_run_without_it(setup: Setup) -> None:
    dead_source = MySQLSource("shop", "127.0.0.1", "root", free_port())
    dead_destination = KafkaSource("events", f"127.0.0.1:{free_port()}")
    results = setup.check(source=dead_source, destination=dead_destination)
    outcomes = {(r.subject, r.item): r.outcome for r in results if r.subject != "this machine"}
    assert outcomes == {
        ("shop", "connection"): Outcome.FAIL,
        **{("shop", item): Outcome.NOT_RUN for item in ("version", "log settings", "rights", "objects")},
        ("events", "connection"): Outcome.FAIL,
        **{("events", item): Outcome.NOT_RUN for item in ("transactions", "checkpoint topic", "topics")},
    }
    assert all(r.cure for r in results if r.outcome is Outcome.FAIL)


def test_sources_of_the_wrong_kind_fail(setup: Setup) -> None:
    results = setup.check(source=setup.destination, destination=setup.source)
    assert [r.outcome for r in results if r.item == "kind"] == [Outcome.FAIL, Outcome.FAIL]
