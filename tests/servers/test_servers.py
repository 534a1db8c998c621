"""The servers do what the other tests rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from confluent_kafka import Producer

from tests.servers import KafkaBroker, MySQLServer, Record, consume_all


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _place(record: Record) -> tuple[int, int]:
    return record.partition, record.offset


@pytest.mark.parametrize("version", ["5.7", "8.0"])
def test_mysql_keeps_its_data_through_kill_and_restart(
    new_mysql: Callable[..., MySQLServer], version: str
) -> None:
    server = new_mysql(version, ["--max-allowed-packet=32M"])
    server.execute("CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)")
    port = server.port
    server.kill()
    assert not server.running
    with pytest.raises(pymysql.err.OperationalError):
        server.connect()
    server.start()
    server.execute("INSERT INTO d.t VALUES (2)")
    server.restart()
    assert server.port == port
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a, @@max_allowed_packet, @@binlog_row_image FROM d.t ORDER BY a")
        assert cursor.fetchall() == ((1, 32 << 20, "FULL"), (2, 32 << 20, "FULL"))
        cursor.execute("SELECT @@global.gtid_executed, @@server_uuid")
        row = cursor.fetchone()
    assert row is not None
    assert row[0] == f"{row[1]}:1-4"


def test_two_mysql_servers_have_their_own_identity(new_mysql: Callable[..., MySQLServer]) -> None:
    identities = set()
    for server in (new_mysql("5.7"), new_mysql("5.7")):
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@server_uuid, @@server_id, @@global.gtid_executed")
            row = cursor.fetchone()
        assert row is not None
        assert row[2] == ""
        identities.update(row[:2])
    assert len(identities) == 4


def test_mysql_without_gtid(new_mysql: Callable[..., MySQLServer]) -> None:
    with new_mysql("5.7", gtid=False).connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@gtid_mode")
        assert cursor.fetchone() == ("OFF",)


def test_mysql_80_with_tls(new_mysql: Callable[..., MySQLServer]) -> None:
    server = new_mysql("8.0", tls=True)
    assert server.certificates is not None
    connection = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user="root",
        ssl_ca=str(server.certificates.ca),
        ssl_verify_identity=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchone() == ("Ssl_version", "TLSv1.2")


def test_pause_freezes_and_resume_goes_on(new_mysql: Callable[..., MySQLServer]) -> None:
    server = new_mysql("5.7")
    server.pause()
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=server.port, user="root", connect_timeout=1, read_timeout=1)
    server.resume()
    server.connect().close()
    server.pause()
    server.stop()  # a frozen server stops too
    assert not server.running


def test_kafka_keeps_committed_records_through_kill_and_restart(
    new_kafka: Callable[..., KafkaBroker],
) -> None:
    broker = new_kafka({"message.max.bytes": "2000000"}, num_partitions=2)
    broker.create_topic("t", partitions=3)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "t", "log_level": 0})
    producer.init_transactions()
    for batch, end in enumerate([producer.commit_transaction, producer.abort_transaction]):
        producer.begin_transaction()
        for number in range(6):
            producer.produce("t", str(batch), str(number), partition=number % 3)
        producer.flush()
        end()
    producer.begin_transaction()
    producer.produce("t", "open", partition=0)
    producer.flush()
    broker.kill()
    broker.start()
    committed = consume_all(broker.bootstrap, ["t"])
    assert sorted((record.key, record.value, record.partition) for record in committed) == [
        (str(number).encode(), b"0", number % 3) for number in range(6)
    ]
    assert len(consume_all(broker.bootstrap, ["t"], "read_uncommitted")) == 13
    broker.restart()
    again = consume_all(broker.bootstrap, ["t"])
    # Order holds within a partition; the broker's answers decide it between partitions.
    assert sorted(again, key=_place) == sorted(committed, key=_place)


OWNER = """
import time
from tests.servers import KafkaBroker, MySQLServer
mysql, kafka = MySQLServer().start(), KafkaBroker().start()
for server in mysql, kafka:
    print(server.pid, server.directory, flush=True)
mysql.pause()
print("ready", flush=True)
time.sleep(600)
"""


def test_servers_are_gone_with_a_killed_owner() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        *lines, ready = [owner.stdout.readline() for _ in range(3)]
        assert ready == "ready\n"
        servers = [(int(pid), Path(directory)) for pid, directory in map(str.split, lines)]
        assert all(_alive(pid) and directory.exists() for pid, directory in servers)
    finally:
        owner.kill()
        owner.wait()
    while any(_alive(pid) or directory.exists() for pid, directory in servers):
        time.sleep(0.05)  # the run's timeout ends this


def test_up_prints_addresses_and_ends_on_sigterm() -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "up", "--mysql", "5.7"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert up.stdout is not None
        words = up.stdout.readline().split()
        port = int(words[words.index("-P") + 1])
        pymysql.connect(host="127.0.0.1", port=port, user="root").close()
        assert "Ctrl-C" in up.stdout.readline()
        os.kill(up.pid, signal.SIGTERM)
        assert up.wait() == 0
        with pytest.raises(pymysql.err.OperationalError):
            pymysql.connect(host="127.0.0.1", port=port, user="root")
    finally:
        up.kill()
        up.wait()
