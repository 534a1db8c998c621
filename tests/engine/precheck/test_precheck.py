"""The precheck on real servers: all well, and each thing that can be wrong with its cure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from obsync_tui.engine.mysql.server import LogFilters, Variables
from obsync_tui.engine.precheck import connectivity, local
from obsync_tui.engine.precheck.model import CheckResult, Outcome, Subject
from obsync_tui.engine.precheck.run import precheck
from obsync_tui.engine.precheck.source_server import (
    check_clock,
    check_log_filters,
    check_retention,
    check_version,
)
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, Sasl
from obsync_tui.model.project import (
    Delivery,
    Guarantee,
    Message,
    Objects,
    Project,
    TableRule,
    TopicMode,
    Topics,
)
from obsync_tui.model.secret import Secret, SecretReference
from tests.servers import KafkaBroker, MySQLServer, free_port
from tests.servers.kafka_secured import PASSWORDS, USER, SecuredKafkaBroker

BAD = (Outcome.FAIL, Outcome.WARNING)


def secrets(reference: SecretReference) -> Secret:
    return Secret(str(reference).removeprefix("env:"))


@dataclass
class Setup:
    """A project on real servers; `database` is its own."""

    server: MySQLServer
    broker: KafkaBroker
    database: str
    state_dir: Path

    @property
    def source(self) -> MySQLSource:
        return MySQLSource("shop", "127.0.0.1", "root", self.server.port)

    @property
    def destination(self) -> KafkaSource:
        return KafkaSource("events", self.broker.bootstrap)

    @property
    def project(self) -> Project:
        return Project(
            id=f"np_{uuid4().hex[:12]}",
            name="orders",
            source="shop",
            destination="events",
            objects=Objects((f"{self.database}.*",)),
        )

    def check(
        self,
        project: Project | None = None,
        source: DataSource | None = None,
        destination: DataSource | None = None,
    ) -> list[CheckResult]:
        return precheck(
            project or self.project,
            source or self.source,
            destination or self.destination,
            secrets,
            self.state_dir,
        )


def one(results: list[CheckResult], item: str, subject: str = "") -> CheckResult:
    """The only result on the item that is not a pass."""
    (found,) = [
        r for r in results if r.item == item and subject in r.subject and r.outcome is not Outcome.PASS
    ]
    return found


def bad(results: list[CheckResult]) -> set[str]:
    # The test servers do not sync their log; that is reported in every run.
    return {r.item for r in results if r.outcome is not Outcome.PASS} - {"sync_binlog"}


@pytest.fixture(params=["mysql57", "mysql80"])
def setup(request: pytest.FixtureRequest, kafka: KafkaBroker, tmp_path: Path) -> Iterator[Setup]:
    server: MySQLServer = request.getfixturevalue(request.param)
    database = f"pre{uuid4().hex[:8]}"
    server.execute(
        f"CREATE DATABASE {database}", f"CREATE TABLE {database}.orders (id INT PRIMARY KEY, note VARCHAR(9))"
    )
    yield Setup(server, kafka, database, tmp_path / "state")
    server.execute(f"DROP DATABASE {database}")


def test_a_good_project_passes(setup: Setup) -> None:
    results = setup.check()
    assert bad(results) == set(), results
    sync = one(results, "sync_binlog")
    assert (sync.outcome, "SET GLOBAL sync_binlog = 1" in sync.cure) == (Outcome.WARNING, True)
    assert {r.item for r in results} >= {
        "state directory", "disk", "connection", "version", "gtid_mode", "enforce_gtid_consistency", "log_bin",
        "binlog_format", "binlog_row_image", "binlog_row_value_options", "binlog_transaction_compression", "sync_binlog",
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


def test_partial_json_fails(mysql80: MySQLServer, kafka: KafkaBroker, tmp_path: Path) -> None:
    mysql80.execute("CREATE DATABASE IF NOT EXISTS pj", "CREATE TABLE IF NOT EXISTS pj.t (a INT PRIMARY KEY)")
    mysql80.execute("SET GLOBAL binlog_row_value_options = 'PARTIAL_JSON'")
    try:
        result = one(Setup(mysql80, kafka, "pj", tmp_path).check(), "binlog_row_value_options")
    finally:
        mysql80.execute("SET GLOBAL binlog_row_value_options = ''", "DROP DATABASE pj")
    assert (result.outcome, "binlog_row_value_options = ''" in result.cure) == (Outcome.FAIL, True)


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


def test_topics_that_cannot_be(setup: Setup) -> None:
    db, broker = setup.database, setup.broker
    setup.server.execute(f"CREATE TABLE {db}.`käse` (a INT PRIMARY KEY)")
    names = one(setup.check(), "topic names")
    assert (names.outcome, f"{db}.käse" in names.text, "[[objects.tables]]" in names.cure) == (
        Outcome.FAIL,
        True,
        True,
    )
    setup.server.execute(f"DROP TABLE {db}.`käse`")
    broker.create_topic(f"{db}.orders")
    assert "only in . and _" in one(setup.check(), "topic names").text
    project = setup.project
    typo = msgspec.structs.replace(project, message=Message(topic="${tabel}"))
    assert "'${tabel}' is not a variable" in one(setup.check(typo), "topic names").text
    existing = msgspec.structs.replace(
        project, message=Message(topic=f"{db}-x"), topics=Topics(mode=TopicMode.EXISTING)
    )
    assert f"1 topics do not exist: {db}-x" in one(setup.check(existing), "topics").text
    broker.create_topic(f"{db}-x", 7)
    assert bad(setup.check(existing)) == set()
    create = msgspec.structs.replace(project, message=Message(topic=f"{db}-x"))
    partitions = one(setup.check(create), "partitions")
    assert (partitions.outcome, "7 partitions, not 3" in partitions.text) == (Outcome.WARNING, True)
    replicas = msgspec.structs.replace(
        project, message=Message(topic=f"{db}-y"), topics=Topics(replication=3)
    )
    assert "eplication factor" in one(setup.check(replicas), "topics").text


def test_rows_that_a_topic_may_not_take_are_warned_of(setup: Setup) -> None:
    db = setup.database
    setup.server.execute(f"CREATE TABLE {db}.wide (a INT PRIMARY KEY, l LONGBLOB)")
    setup.broker.create_topic(f"{db}_wide", 3, {"max.message.bytes": "50000"})
    size = one(setup.check(), "message size")
    assert size.outcome is Outcome.WARNING
    assert "50,000 bytes" in size.text and f"{db}.wide" in size.text


def test_a_foreign_checkpoint_topic_fails(setup: Setup) -> None:
    project = setup.project
    setup.broker.create_topic(f"__obsync.{project.id}", 1)
    result = one(setup.check(project), "checkpoint topic")
    assert (result.outcome, "cleanup.policy=compact" in result.cure) == (Outcome.FAIL, True)


def test_the_probe_does_not_fence_a_running_instance(setup: Setup) -> None:
    project = setup.project
    running = Producer(
        {"bootstrap.servers": setup.broker.bootstrap, "transactional.id": f"obsync.{project.id}"}
    )
    setup.broker.create_topic(f"{setup.database}-running")
    running.init_transactions(30)
    running.begin_transaction()
    running.produce(f"{setup.database}-running", b"x")
    assert bad(setup.check(project)) == set()
    running.commit_transaction(30)


def test_rights_in_kafka(setup: Setup) -> None:
    with SecuredKafkaBroker() as broker:
        destination = KafkaSource(
            "events",
            broker.sasl_bootstrap,
            sasl=Sasl("SCRAM-SHA-512", USER, SecretReference(f"env:{PASSWORDS[USER]}")),
        )
        project, topic = setup.project, f"{setup.database}_orders"
        results = setup.check(project, destination=destination)
        assert bad(results) == {"transactions", "checkpoint topic", "topics"}
        acls = {item: one(results, item).cure for item in ("transactions", "checkpoint topic", "topics")}
        assert (
            f"--transactional-id 'obsync.{project.id}' --resource-pattern-type prefixed"
            in acls["transactions"]
        )
        assert f"--allow-principal User:{USER}" in acls["topics"]
        assert "--operation Create --operation Write --operation Read" in acls["topics"]
        assert f"--topic '__obsync.{project.id}'" in acls["checkpoint topic"]
        prefixed = ResourcePatternType.PREFIXED
        for operation in (AclOperation.WRITE, AclOperation.DESCRIBE):
            broker.grant(operation, ResourceType.TRANSACTIONAL_ID, f"obsync.{project.id}", pattern=prefixed)
        every = (
            AclOperation.CREATE,
            AclOperation.WRITE,
            AclOperation.READ,
            AclOperation.DESCRIBE,
            AclOperation.DESCRIBE_CONFIGS,
        )
        for name in (topic, f"__obsync.{project.id}"):
            for operation in every:
                broker.grant(operation, ResourceType.TOPIC, name)
        assert bad(setup.check(project, destination=destination)) == set()
        broker.create_topic(f"{topic}2", 3)
        broker.grant(AclOperation.DESCRIBE, ResourceType.TOPIC, f"{topic}2")
        shown = msgspec.structs.replace(project, message=Message(topic=f"{topic}2"))
        unwritable = one(setup.check(shown, destination=destination), "topics")
        assert (unwritable.outcome, f"may not write to {topic}2" in unwritable.text) == (Outcome.FAIL, True)


def test_transactions_are_not_asked_for_when_not_used(setup: Setup) -> None:
    project = msgspec.structs.replace(setup.project, delivery=Delivery(guarantee=Guarantee.AT_LEAST_ONCE))
    results = setup.check(project)
    assert "not used" in next(r for r in results if r.item == "transactions").text
    assert not [r for r in results if r.item == "checkpoint topic"]


def test_a_transaction_time_out_above_the_brokers_limit_fails(setup: Setup) -> None:
    project = msgspec.structs.replace(setup.project, delivery=Delivery(transaction_timeout_s=3600))
    result = one(setup.check(project), "transactions")
    assert (result.outcome, "transaction_timeout_s" in result.cure) == (Outcome.FAIL, True)


def test_test_source(mysql57: MySQLServer, kafka: KafkaBroker) -> None:
    mysql = MySQLSource("shop", "127.0.0.1", "root", mysql57.port)
    assert [(r.item, r.outcome) for r in connectivity.test_source(mysql, secrets)] == [
        ("connection", Outcome.PASS),
        ("version", Outcome.PASS),
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
