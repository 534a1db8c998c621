"""What a person or a source gets wrong: one clear sentence with its cure, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable

import pytest

from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.metrics import Phase
from tests.faults.conftest import RIGHTS, Install, reader
from tests.faults.installation import Installation, Run
from tests.faults.test_checkpoint import delete_topic
from tests.servers import KafkaBroker, MySQLServer, consume_all

NewMySQL = Callable[..., MySQLServer]
Row = dict[str, object]


class Shop:
    """A table `item` in a database of its own, a project on the database, and what arrived."""

    def __init__(self, mysql: MySQLServer, kafka: KafkaBroker, home: Installation, database: str) -> None:
        self.mysql, self.kafka, self.home, self.database = mysql, kafka, home, database
        self.topic = f"{database}_item"
        mysql.execute(
            f"CREATE DATABASE {database}",
            f"CREATE TABLE {database}.item (id INT PRIMARY KEY, price INT)",
            f"INSERT INTO {database}.item VALUES (1, 10), (2, 20)",
        )
        home.project(f"{database}.*")

    def run(self) -> Run:
        """Run to the incremental step."""
        run = self.home.start()
        run.until_phase(Phase.INCREMENTAL)
        return run

    def delivered(self, run: Run) -> None:
        """Wait until the source's newest transaction is delivered."""
        with self.mysql.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@global.gtid_executed")
            row = cursor.fetchone()
        assert row is not None
        run.until_delivered(str(row[0]))

    def execute(self, *statements: str) -> None:
        """Run statements in the database."""
        self.mysql.execute(f"USE {self.database}", *statements)

    def messages(self, table: str = "item") -> list[tuple[str, Row | None]]:
        """Kind and new image of each message, by the order of commits."""
        records = consume_all(self.kafka.bootstrap, [f"{self.database}_{table}"])
        values = [json.loads(record.value or b"") for record in records]
        values.sort(key=lambda one: one["allMetaData"].get("storeDataSequence") or 0)
        return [(one["recordType"], one["postStruct"]) for one in values]


@pytest.fixture
def shop(mysql57: MySQLServer, kafka: KafkaBroker, install: Install, request: pytest.FixtureRequest) -> Shop:
    number = abs(hash(request.node.name)) % 1_000_000
    return Shop(mysql57, kafka, install(mysql57.port, kafka.bootstrap), f"shop{number}")


def test_wrong_password_then_the_right_one(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(mysql57, kafka, install(mysql57.port, kafka.bootstrap, user=reader(mysql57)), "shop_password")
    source = shop.home.paths.sources / "shop.toml"
    right = source.read_text()
    source.write_text(right.replace("env:SHOP_PASSWORD", "env:HOME"))
    line = shop.home.fails(5, "Access denied for user 'obsync'", "Check user and password")
    assert shop.home.environment["HOME"] not in line
    source.write_text(right)
    run = shop.run()
    # The password changes under way, and the connection breaks.
    mysql57.execute("ALTER USER obsync@'%' IDENTIFIED BY 'another'")
    with mysql57.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'obsync'")
        for (thread,) in cursor.fetchall():
            cursor.execute(f"KILL {thread}")
    shop.execute("INSERT INTO item VALUES (3, 30)")
    run.ends(5, "Access denied for user 'obsync'", "Check user and password")
    mysql57.execute(f"ALTER USER obsync@'%' IDENTIFIED BY '{shop.home.environment['SHOP_PASSWORD']}'")
    run = shop.run()
    shop.delivered(run)
    run.stop()
    assert sorted(shop.messages(), key=str)[0] == ("INSERT", {"id": 3, "price": 30})
    assert len(shop.messages()) == 3


@pytest.mark.parametrize("missing", ["RELOAD", "REPLICATION SLAVE", "SELECT"])
def test_missing_right(new_mysql: NewMySQL, kafka: KafkaBroker, install: Install, missing: str) -> None:
    mysql = new_mysql("5.7")
    rights = ", ".join(right for right in RIGHTS.split(", ") if right != missing)
    home = install(mysql.port, kafka.bootstrap, user=reader(mysql, rights))
    shop = Shop(mysql, kafka, home, f"shop_{missing.lower().replace(' ', '_')}")
    if missing == "SELECT":
        home.fails(6, "no table matches", "grant SELECT")
    else:
        home.fails(5, f"GRANT {missing} ON *.*")
    reader(mysql)
    run = shop.run()
    run.stop()
    assert sorted(shop.messages(), key=str) == [
        ("ROW", {"id": 1, "price": 10}),
        ("ROW", {"id": 2, "price": 20}),
    ]


def test_statements_instead_of_rows(shop: Shop) -> None:
    run = shop.run()
    shop.execute("INSERT INTO item VALUES (3, 30)")
    shop.execute("SET SESSION binlog_format = STATEMENT", "UPDATE item SET price = 31 WHERE id = 3")
    run.ends(6, "as a statement, not as rows", "UPDATE item SET price = 31", "binlog_format = ROW")
    shop.home.fails(6, "as a statement")
    assert shop.messages()[2:] == [("INSERT", {"id": 3, "price": 30})]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE other.x JOIN {0}.item USING (id) SET item.price = 5",
        "DELETE item FROM {0}.item JOIN other.x USING (id)",
        "INSERT {0}.item VALUES (9, 9)",
        "/* c */ REPLACE {0}.item VALUES (9, 9)",
    ],
)
def test_statements_that_reach_a_table_in_scope(shop: Shop, statement: str) -> None:
    shop.execute(
        "CREATE DATABASE IF NOT EXISTS other",
        "DROP TABLE IF EXISTS other.x",
        "CREATE TABLE other.x (id INT)",
        "INSERT INTO other.x VALUES (1)",
    )
    run = shop.run()
    shop.execute("SET SESSION binlog_format = STATEMENT", statement.format(shop.database))
    run.ends(6, "as a statement, not as rows", "binlog_format = ROW")


def test_statements_on_tables_out_of_scope_are_passed_over(shop: Shop) -> None:
    shop.execute(
        "CREATE DATABASE IF NOT EXISTS other", "DROP TABLE IF EXISTS other.y", "CREATE TABLE other.y (id INT)"
    )
    run = shop.run()
    shop.execute(
        "SET SESSION binlog_format = STATEMENT", "INSERT INTO other.y VALUES (1)", "DELETE FROM other.y"
    )
    shop.execute("INSERT INTO item VALUES (3, 30)")
    shop.delivered(run)
    run.stop()
    assert shop.messages()[2:] == [("INSERT", {"id": 3, "price": 30})]


def test_gtid_off(new_mysql: NewMySQL, kafka: KafkaBroker, install: Install) -> None:
    mysql = new_mysql("5.7", gtid=False)
    shop = Shop(mysql, kafka, install(mysql.port, kafka.bootstrap), "shop_gtid")
    shop.home.fails(6, "gtid_mode is OFF", "gtid_mode=ON")


def test_table_dropped_under_way(shop: Shop) -> None:
    shop.execute("CREATE TABLE brand (id INT PRIMARY KEY)", "INSERT INTO brand VALUES (1)")
    run = shop.run()
    shop.execute("INSERT INTO brand VALUES (2)", "DROP TABLE brand", "INSERT INTO item VALUES (3, 30)")
    shop.delivered(run)
    run.stop()
    assert [kind for kind, _ in shop.messages("brand")] == ["ROW", "INSERT"]
    assert shop.messages()[2:] == [("INSERT", {"id": 3, "price": 30})]
    assert any("brand: DROP TABLE" in text for text in shop.home.events())
    run = shop.run()
    shop.execute(
        "CREATE TABLE brand (id INT PRIMARY KEY, name VARCHAR(9))", "INSERT INTO brand VALUES (7, 'x')"
    )
    shop.delivered(run)
    run.stop()
    assert shop.messages("brand")[-1] == ("INSERT", {"id": 7, "name": "x"})


def test_one_ddl_in_the_backlog_is_followed(shop: Shop) -> None:
    run = shop.run()
    run.stop()
    shop.execute(
        "INSERT INTO item VALUES (3, 30)",
        "ALTER TABLE item ADD COLUMN note VARCHAR(20) DEFAULT 'old'",
        "INSERT INTO item VALUES (4, 40, 'new')",
        "UPDATE item SET price = 11 WHERE id = 1",
    )
    run = shop.run()
    shop.delivered(run)
    run.kill()
    run = shop.run()
    shop.execute("DELETE FROM item WHERE id = 2")
    shop.delivered(run)
    run.stop()
    assert shop.messages()[2:] == [
        ("INSERT", {"id": 3, "price": 30}),
        ("INSERT", {"id": 4, "price": 40, "note": "new"}),
        ("UPDATE", {"id": 1, "price": 11, "note": "old"}),
        ("DELETE", None),
    ]


def test_two_ddl_statements_in_the_backlog_stop(shop: Shop) -> None:
    run = shop.run()
    run.stop()
    shop.execute(
        "INSERT INTO item VALUES (3, 30)",
        "ALTER TABLE item ADD COLUMN a INT",
        "INSERT INTO item VALUES (4, 40, 1)",
        "ALTER TABLE item DROP COLUMN a, ADD COLUMN b INT",
        "INSERT INTO item VALUES (5, 50, 2)",
    )
    for _ in range(2):
        shop.home.fails(
            8,
            f"{shop.database}.item",
            "another DDL statement",
            "DROP COLUMN a",
            f"--resync {shop.database}.item",
        )
    # What came before it may be delivered or not: the checkpoint, not a message, tells where the project stands.
    assert shop.messages()[2:] in ([], [("INSERT", {"id": 3, "price": 30})])


def test_topic_deleted_under_way(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install
) -> None:
    kafka = new_kafka()
    home = install(mysql57.port, kafka.bootstrap)
    # How long a topic may be unknown before its messages fail; by default half a minute.
    quick = {"topic.metadata.propagation.max.ms": "2000"}
    home.files.write_source(KafkaSource("events", kafka.bootstrap, properties=quick))
    shop = Shop(mysql57, kafka, home, "shop_topic")
    run = shop.run()
    delete_topic(kafka, shop.topic)
    shop.execute("INSERT INTO item VALUES (3, 30)")
    run.ends(12, shop.topic, "are gone", "run again", "obsync project reset")
    shop.home.fails(12, shop.topic)
    kafka.create_topic(shop.topic, 3)
    run = shop.run()
    shop.delivered(run)
    run.stop()
    assert shop.messages() == [("INSERT", {"id": 3, "price": 30})]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[full\nconnections = 2\n", ("orders.toml", "line ")),
        ("[full]\nconnexions = 2\n", ("orders.toml", "connexions")),
        ("[full]\nconnections = 'two'\n", ("orders.toml", "connections")),
    ],
)
def test_a_project_file_that_is_wrong(shop: Shop, wrong: str, said: tuple[str, ...]) -> None:
    file = shop.home.paths.projects / "orders.toml"
    before = file.read_text().partition("[full]")[0]
    file.write_text(before + wrong)
    shop.home.fails(3, *said)


def test_a_full_disk_for_the_state(shop: Shop) -> None:
    run = shop.run()
    shop.execute("INSERT INTO item VALUES (3, 30)")
    shop.delivered(run)
    files = [path for path in shop.home.paths.state.iterdir() if path.is_file()]
    largest = max(path.stat().st_size for path in files)
    # Writes beyond that fail, as on a full disk; root has no quota to fill.
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    shop.execute("INSERT INTO item VALUES (4, 40)")
    while run.running:
        shop.execute("UPDATE item SET price = price + 1 WHERE id = 4")
        time.sleep(0.2)
    run.ends(15, "state.db", "disk")
    run = shop.run()
    shop.delivered(run)
    run.stop()
    updates = [after for kind, after in shop.messages() if kind == "UPDATE"]
    assert [after["price"] for after in updates if after] == list(range(41, 41 + len(updates)))
