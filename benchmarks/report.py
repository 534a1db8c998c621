"""docs/performance.md: the measured tables, with the machine and what the words mean."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.machine import Machine
from benchmarks.measure import (
    PLAIN,
    Figure,
    Result,
    Run,
    Versus,
    cpu_s_per_million,
    late_rows_per_s,
    rows_per_s,
    whole_rows_per_s,
)

_HEAD = """# Performance

Written by `python -m benchmarks --write`; a whole run takes about {minutes} minutes on the machine below.

## How it is measured

obsync is its command in a process of its own, with the defaults of a new project: Default format, Hash, exactly once,
a real Kafka broker on the same cores. Debezium {debezium} is its engine in a JVM of its own with its defaults; its
consumer counts bytes and sends nothing anywhere. Both take the same rows from the same MySQL, one after the other, round by
round; figures are medians of {rounds}.

- **rows/s** is from the first row read (Debezium: handed to the consumer) to the return of the commit that holds the last
  one (Debezium: its last record). **second half** is the rate of the second half of the rows, when the JVM has compiled
  what it runs; **whole process** counts from the process' start.
- **CPU** is user and system time of the process between the first and the last row, in seconds per million rows.
- After each case a `read_committed` consumer counts every key in Kafka: each is there exactly once per round, or there is
  no figure.
- A row of ten columns is about 190 bytes: BIGINT, INT, INT UNSIGNED, DECIMAL, DOUBLE, two VARCHAR, DATETIME, TIMESTAMP,
  TINYINT. "One row per event" is what OceanBase's binlog looks like.
- The rows of the thousand-table cases are single-row INSERTs in transactions of ten; every transaction writes another table
  than the one before. The first half contains what each table costs once, the compilation of its row plan; "second half"
  is the same ratio without it.
- The cases on OceanBase's engine read by flashback and by view logs; a plain reader is one streaming cursor of PyMySQL and
  `json.dumps`, with the same messages, sent nowhere. "INSERT to visible" counts from the clock before the INSERT of a row,
  in the writer, to the return of a `read_committed` consumer's poll; `--live-s 600` writes for ten minutes.
- The resident engine is `obsync engine run`, asked over its socket while its projects run. "Round trip" is to a process that
  does nothing but answer, at the same time: that part of a client's wait is the machine's.
"""


def performance_page(results: Sequence[Result], machine: Machine, rounds: int, minutes: float) -> str:
    """The page as Markdown."""
    peers = [one for one in results if isinstance(one, Versus) and one.other_name == "Debezium"]
    plain = [one for one in results if isinstance(one, Versus) and one.other_name == PLAIN]
    tables = [one for one in results if isinstance(one, Versus) and one.other_name not in ("Debezium", PLAIN)]
    figures = [one for one in results if isinstance(one, Figure)]
    head = _HEAD.format(minutes=round(minutes) or 1, debezium=machine.debezium, rounds=rounds)
    return "\n".join(
        [head, *_machine(machine), *_peers(peers), *_plain(plain), *_tables(tables), *_figures(figures)]
    )


def _machine(machine: Machine) -> list[str]:
    return [
        "## Machine and versions\n",
        f"{machine.day}. {machine.cores} cores ({machine.processor}), {machine.memory_gib} GiB, {machine.system}. "
        f"obsync {machine.obsync}, Python {machine.python}, librdkafka {machine.librdkafka}; MySQL {machine.mysql}, "
        f"Kafka {machine.kafka}; Debezium {machine.debezium}, {machine.java}. Everything runs on these cores.\n",
    ]


def _peers(results: list[Versus]) -> list[str]:
    if not results:
        return []
    lines = [
        "## obsync and Debezium\n",
        "| | obsync, rows/s | Debezium, rows/s | ratio | required | obsync, CPU | Debezium, CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        cells = [one.title, _rate(one.obsync), _rate(one.other), _ratio(one), _required(one)]
        lines.append(_row([*cells, _cpu(one.obsync), _cpu(one.other)]))
    lines += [
        "\n| second half and whole process, rows/s | obsync, second half | Debezium, second half | obsync, whole "
        "| Debezium, whole |",
        "|---|---|---|---|---|",
    ]
    for one in results:
        late = [_late(one.obsync), _late(one.other)]
        lines.append(_row([one.title, *late, _whole(one.obsync), _whole(one.other)]))
    return [*lines, ""]


def _plain(results: list[Versus]) -> list[str]:
    if not results:
        return []
    lines = [
        "## obsync and a plain reader\n",
        "| | obsync, rows/s | plain reader, rows/s | ratio | required | obsync, CPU | plain reader, CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        cells = [one.title, _rate(one.obsync), _rate(one.other), _ratio(one), _required(one)]
        lines.append(_row([*cells, _cpu(one.obsync), _cpu(one.other)]))
    return [*lines, ""]


def _tables(results: list[Versus]) -> list[str]:
    if not results:
        return []
    lines = [
        "## Many tables\n",
        "| | rows/s | one table, rows/s | of one table | required | second half | CPU | one table, CPU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        ratio = f"{one.ratio:.0%}" if one.ratio is not None else "–"
        required = f"≥ {one.required_ratio:.0%}" if one.required_ratio is not None else "measured only"
        late = f"{late_rows_per_s(one.obsync) / late_rows_per_s(one.other):.0%}" if one.other else "–"
        cells = [one.title, _rate(one.obsync), _rate(one.other), ratio, required, late]
        lines.append(_row([*cells, _cpu(one.obsync), _cpu(one.other)]))
    return [*lines, ""]


def _figures(results: list[Figure]) -> list[str]:
    if not results:
        return []
    lines = ["## Figures\n", "| | measured | required |", "|---|---|---|"]
    for one in results:
        required = (
            "measured only" if one.required_at_most is None else f"≤ {one.required_at_most:,g} {one.unit}"
        )
        digits = 0 if one.value >= 100 else 2 if one.value < 10 else 1
        lines.append(_row([one.title, f"{one.value:,.{digits}f} {one.unit}", required]))
    return [*lines, ""]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rate(runs: tuple[Run, ...]) -> str:
    return f"{rows_per_s(runs):,.0f}" if runs else "not measured"


def _late(runs: tuple[Run, ...]) -> str:
    return f"{late_rows_per_s(runs):,.0f}" if runs else "not measured"


def _whole(runs: tuple[Run, ...]) -> str:
    return f"{whole_rows_per_s(runs):,.0f}" if runs else "not measured"


def _cpu(runs: tuple[Run, ...]) -> str:
    return f"{cpu_s_per_million(runs):.1f}" if runs else "not measured"


def _ratio(one: Versus) -> str:
    return f"**{one.ratio:.2f} ×**" if one.ratio is not None else "–"


def _required(one: Versus) -> str:
    return f"≥ {one.required_ratio:g} ×" if one.required_ratio is not None else "measured only"
