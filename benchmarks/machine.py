"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import confluent_kafka
import msgspec

from benchmarks.debezium import VERSION as DEBEZIUM_VERSION
from obsync_tui import __version__
from obsync_tui.engine.native.backend import backend
from tests.servers.downloads import KAFKA_VERSION, MYSQL_PROGRAMS


class Machine(msgspec.Struct, frozen=True):
    """The machine and the versions, and when; sizes in GiB."""

    day: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    java: str
    obsync: str
    librdkafka: str
    mysql: str
    kafka: str
    debezium: str


def this_machine() -> Machine:
    """Look at the machine that runs this."""
    return Machine(
        day=datetime.now(UTC).strftime("%Y-%m-%d"),
        processor=_field("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        cores=os.cpu_count() or 0,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        java=_first_line("java", "-version"),
        obsync=f"{__version__} ({_first_line('git', 'describe', '--always', '--dirty')}, {backend()} row plans)",
        librdkafka=confluent_kafka.libversion()[0],
        mysql=MYSQL_PROGRAMS["5.7"].release,
        kafka=KAFKA_VERSION,
        debezium=DEBEZIUM_VERSION,
    )


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _first_line(*command: str) -> str:
    try:
        result = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parent,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return result.stdout.splitlines()[0] if result.stdout else "unknown"
