"""Proves from the topics alone, read committed, that every journaled change arrived exactly once and in order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from obsync_tui.model.position import Gtid, GtidSet
from tests.faults.banks import Naming
from tests.faults.installation import Run
from tests.faults.workload import KEYS, TABLES, Workload, key_text
from tests.servers import KafkaBroker, Record, consume_all

KINDS = {"INSERT": "I", "UPDATE": "U", "DELETE": "D"}
Row = dict[str, object]
# OceanBase ends a statement after 10 s by itself; MySQL takes the hint for a comment.
_PATIENCE = "/*+ QUERY_TIMEOUT(600000000) */"


@dataclass(frozen=True)
class Change:
    """What the journal holds of one thing that happened to a key."""

    version: int
    kind: str
    gtid: str


@dataclass
class Names:
    """The journal's name of each transaction by the one that messages carry."""

    naming: Naming = Naming.SAME
    by_message: dict[str, str] = field(default_factory=dict)
    by_journal: dict[str, str] = field(default_factory=dict)

    def agree(self, message: str, journal: str) -> bool:
        """Whether a message's transaction is that of the journal."""
        if self.naming is Naming.SAME:
            return message == journal
        if self.by_journal.setdefault(journal, message) != message:
            return False
        if self.naming is Naming.MERGED:
            # At the purge, which comes after what it merges.
            return Gtid.parse(message).gno >= Gtid.parse(journal).gno
        return self.by_message.setdefault(message, journal) == journal

    def disorder(self) -> list[str]:
        """Transactions whose messages are named out of order: all up to a purge carry its name, or their own."""
        if self.naming is not Naming.MERGED:
            return []
        named = sorted((Gtid.parse(journal).gno, Gtid.parse(m).gno) for journal, m in self.by_journal.items())
        return [
            f"transaction {own} came as {name}, the next, {next_own}, as {next_name}"
            for (own, name), (next_own, next_name) in pairwise(named)
            if name >= next_own and name != next_name
        ]

    def journal_of(self, message: str) -> str:
        """The journal's name; the message's own where it is not known."""
        return self.by_message.get(message, message)


@dataclass
class Checked:
    """What was proved: counts, for reports and assertions."""

    messages: int = 0
    rows: int = 0
    changes: int = 0
    keys: int = 0
    transactions: int = 0
    skipped: int = 0
    names: Names = field(default_factory=Names, repr=False)
    problems: list[str] = field(default_factory=list)


def check(
    workload: Workload, kafka: KafkaBroker, newest_cut: str, again: Mapping[str, str] | None = None
) -> Checked:
    """Compare the topics with journal and tables; AssertionError names the first things that are wrong.

    `newest_cut` is a set, in the journal's names, that holds everything the full synchronization may have read: a
    change missing from the messages must be in it, and older than the key's ROW. Call it when the project has
    delivered all.

    `again` are tables that were read again after a gap, each with a set that holds everything that reading saw: of their
    changes up to it only the order is told.
    """
    checked = Checked(names=Names(workload.server.naming))
    cut = GtidSet.parse(newest_cut)
    seen = {table: GtidSet.parse(text) for table, text in (again or {}).items()}
    journal = _journal(workload)
    sums: dict[str, int] = defaultdict(int)
    for table in TABLES:
        records = consume_all(kafka.bootstrap, [f"{workload.database}_{table}"])
        checked.messages += len(records)
        by_key = _by_key(table, records, checked)
        final = _tables_rows(workload, table)
        keys = {key for name, key in journal if name == table}
        for key in sorted(keys | set(by_key)):
            messages, changes = by_key.get(key, []), journal.get((table, key), [])
            if table in seen:
                _check_again(table, key, messages, changes, final.get(key), seen[table], sums, checked)
            else:
                _check_key(table, key, messages, changes, final.get(key), cut, sums, checked)
        if set(final) - keys:
            checked.problems.append(f"{table}: rows without journal: {sorted(set(final) - keys)[:3]}")
    checked.transactions = len(sums)
    checked.problems += checked.names.disorder()
    for gtid, total in sums.items():
        if total and not any(_holds(one, checked.names.journal_of(gtid)) for one in (cut, *seen.values())):
            checked.problems.append(f"transaction {gtid} replays to a sum of {total}, not 0")
    assert not checked.problems, f"{len(checked.problems)} problems: " + "\n".join(checked.problems[:12])
    assert checked.keys and checked.changes + checked.rows == checked.messages
    return checked


def check_at_the_end(workload: Workload, run: Run, kafka: KafkaBroker, newest_cut: str) -> Checked:
    """Let the writers end and the project deliver everything, stop it, then check; what was counted is printed."""
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(checked)
    return checked


def _holds(cut: GtidSet, gtid: str) -> bool:
    parsed = Gtid.parse(gtid)
    return cut.contains(parsed.uuid, parsed.gno)


def _journal(workload: Workload) -> dict[tuple[str, str], list[Change]]:
    with workload.server.connect(database=workload.database) as connection, connection.cursor() as cursor:
        name = workload.server.journal_name
        cursor.execute(f"SELECT {_PATIENCE} tab, k, ver, kind, {name} FROM journal ORDER BY tab, k, ver")
        found: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for table, key, version, kind, gtid in cursor.fetchall():
            found[table, key].append(Change(version, kind, gtid))
    for (table, key), changes in found.items():
        assert [c.version for c in changes] == list(range(1, len(changes) + 1)), (table, key)
    return found


def _tables_rows(workload: Workload, table: str) -> dict[str, Row]:
    with workload.server.connect(database=workload.database) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {key_text(tuple(row[name] for name in KEYS[table])): row for row in rows}


def _by_key(table: str, records: list[Record], checked: Checked) -> dict[str, list[tuple[Record, dict[str, object]]]]:  # fmt: skip
    """The messages of each key in the order of their partition, of which there must be one."""
    found: dict[str, list[tuple[Record, dict[str, object]]]] = defaultdict(list)
    partitions: dict[str, int] = {}
    sequences: dict[int, int] = {}
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        assert record.key is not None and record.value is not None
        key, message = record.key.decode(), json.loads(record.value)
        if partitions.setdefault(key, record.partition) != record.partition:
            checked.problems.append(
                f"{table} {key!r} is in partitions {partitions[key]} and {record.partition}"
            )
        sequence = message["allMetaData"].get("storeDataSequence")
        if sequence is not None:
            if sequence <= sequences.get(record.partition, 0):
                checked.problems.append(f"{table} {key!r}: storeDataSequence {sequence} does not rise")
            sequences[record.partition] = sequence
        found[key].append((record, message))
    return found


def _check_key(
    table: str,
    key: str,
    messages: list[tuple[Record, dict[str, object]]],
    changes: list[Change],
    final: Row | None,
    cut: GtidSet,
    sums: dict[str, int],
    checked: Checked,
) -> None:
    """One key's messages against its history."""

    def wrong(text: str) -> None:
        checked.problems.append(f"{table} {key!r}: {text}")

    checked.keys += 1
    expected, state = 0, None  # type: int, Row | None
    for i, (record, message) in enumerate(messages):
        kind, before, after = (message[name] for name in ("recordType", "prevStruct", "postStruct"))
        if kind == "ROW":
            checked.rows += 1
            assert isinstance(after, dict)
            if i:
                wrong(f"a ROW at {record.partition}@{record.offset} after other messages")
            expected, state = int(after["ver"]), after
            continue
        checked.changes += 1
        version = int(after["ver"]) if isinstance(after, dict) else expected + 1
        if not i:
            if kind != "INSERT":
                wrong(f"starts with {kind} {version}, without ROW")
            expected = version - 1
        expected += 1
        if version != expected or version > len(changes):
            wrong(f"version {version} at {record.partition}@{record.offset}, expected {expected} of {len(changes)}")  # fmt: skip
            expected = version
            continue
        change = changes[version - 1]
        gtid = str(message["allMetaData"]["transId"])  # type: ignore[index]
        if KINDS[str(kind)] != change.kind or not checked.names.agree(gtid, change.gtid):
            wrong(f"{kind} of {gtid}, the journal has {change}")
        if isinstance(before, dict) and before != state:
            wrong(f"version {version} starts from {before}, the message before it left {state}")
        sums[gtid] += _balance(after) - _balance(before)
        state = after if isinstance(after, dict) else None
    if expected != len(changes) and messages:
        wrong(f"ends at version {expected}, the journal at {len(changes)}")
    if state != final:
        wrong(f"replays to {state}, the source has {final}")
    first = _first_version(messages)
    for change in changes[: first if messages else None]:
        checked.skipped += 1
        if not _holds(cut, change.gtid):
            wrong(f"{change} never arrived")


def _check_again(
    table: str,
    key: str,
    messages: list[tuple[Record, dict[str, object]]],
    changes: list[Change],
    final: Row | None,
    seen: GtidSet,
    sums: dict[str, int],
    checked: Checked,
) -> None:
    """One key's messages where its table was read again: each ROW is a new beginning, and what follows it is whole."""

    def wrong(text: str) -> None:
        checked.problems.append(f"{table} {key!r}, read again: {text}")

    checked.keys += 1
    version, state = 0, None  # type: int, Row | None
    for record, message in messages:
        kind, before, after = (message[name] for name in ("recordType", "prevStruct", "postStruct"))
        place = f"{kind} at {record.partition}@{record.offset}"
        told = int(after["ver"]) if isinstance(after, dict) else version + 1
        if kind == "ROW":
            checked.rows += 1
            if told < version:
                wrong(f"{place} has version {told}, the message before it {version}")
        else:
            checked.changes += 1
            gtid = str(message["allMetaData"]["transId"])  # type: ignore[index]
            # Its DELETE may lie in the gap.
            if told != version + 1 and not (kind == "INSERT" and told > version):
                wrong(f"{place} has version {told}, the message before it {version}")
            if isinstance(before, dict) and before != state:
                wrong(f"{place} starts from {before}, the message before it left {state}")
            if told > len(changes) or KINDS[str(kind)] != changes[told - 1].kind:
                wrong(f"{place}: the journal has {changes[told - 1 : told]}")
            elif not checked.names.agree(gtid, changes[told - 1].gtid):
                wrong(f"{place} is of {gtid}, the journal has {changes[told - 1]}")
            sums[gtid] += _balance(after) - _balance(before)
        version, state = told, after if isinstance(after, dict) else None
    checked.skipped += sum(change.version > version for change in changes)
    for change in changes:
        if change.version > version and not (final is None and _holds(seen, change.gtid)):
            wrong(f"{change} never arrived")
    if final is not None and state != final:
        wrong(f"replays to {state}, the source has {final}")


def _balance(image: object) -> int:
    return int(image["balance"]) if isinstance(image, dict) else 0


def _first_version(messages: list[tuple[Record, dict[str, object]]]) -> int:
    """How many versions lie at or before the point from which the messages tell of the key."""
    if not messages:
        return 0
    _, message = messages[0]
    after = message["postStruct"]
    version = int(after["ver"]) if isinstance(after, dict) else 0
    return version if message["recordType"] == "ROW" else version - 1
