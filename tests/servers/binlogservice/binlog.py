"""The binlog of the tenant: files on disk that any reader of MySQL's format can walk, and what they hold.

GTIDs count from 1 under one server uuid. What is on disk beyond the saved state, after a kill, is cut off: an instance
goes on behind its last complete transaction.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from tests.servers.binlogservice import events
from tests.servers.binlogservice.events import EventType, frame
from tests.servers.binlogservice.rowevents import Body

SERVER_ID = 1147473732
_WRITE_BYTES = 4 << 20


@dataclass
class BinlogFile:
    """A file, the last GTID before it, and how much of it is complete."""

    name: str
    previous: int
    size: int = 0
    last_s: int = 0


@dataclass
class State:
    """What an instance remembers; `last_scn` is up to where the tenant's commits are in the files."""

    server_uuid: str
    server_id: int = SERVER_ID
    executed: int = 0
    last_scn: int = 0
    last_us: int = 0
    next_file: int = 1
    next_table_id: int = 1
    instance: int = 1
    files: list[BinlogFile] = field(default_factory=list)


@dataclass(frozen=True)
class Transaction:
    """One commit: rows, or a DDL statement."""

    commit_us: int
    rows: Iterable[Sequence[Body]] = ()
    ddl: bytes = b""
    database: bytes = b""


class Binlog:
    """Appends transactions and names files; safe for threads. `changed` is notified when there is more to read.

    `generation` counts the instances that this process has been; readers of one that is gone are cut off.
    """

    def __init__(self, directory: Path, max_file_bytes: int) -> None:
        self.changed = threading.Condition()
        self.generation = 0
        self._writing = threading.RLock()
        self._directory = directory
        self._max_file_bytes = max_file_bytes
        self._xid = 0
        directory.mkdir(exist_ok=True)
        self._state_path = directory / "state.json"
        self._state = self._read_state()
        for entry in self._state.files:
            with open(self.path(entry.name), "r+b") as file:
                file.truncate(entry.size)
        # Every start of a converter begins a file.
        self._end_file()
        self._begin_file()
        self._save()

    def _read_state(self) -> State:
        if not self._state_path.exists():
            return State(str(uuid4()))
        found = json.loads(self._state_path.read_text())
        found["files"] = [BinlogFile(**entry) for entry in found["files"]]
        state = State(**found)
        # A table's id is of the converter's run.
        state.next_table_id += 1000
        return state

    @property
    def server_uuid(self) -> UUID:
        return UUID(self._state.server_uuid)

    @property
    def server_id(self) -> int:
        return self._state.server_id

    @property
    def last_scn(self) -> int:
        return self._state.last_scn

    @property
    def executed(self) -> int:
        """Number of the last GTID; all from 1 on were given."""
        return self._state.executed

    @property
    def purged(self) -> int:
        """Number of the last GTID that no file holds."""
        return self._state.files[0].previous

    @property
    def files(self) -> list[BinlogFile]:
        """The files, oldest first."""
        return list(self._state.files)

    @property
    def last_s(self) -> int:
        """When the last transaction was committed, in seconds."""
        return self._state.last_us // 1_000_000

    def gtid_set(self, last: int) -> str:
        """`uuid:1-N`, empty for none."""
        if not last:
            return ""
        return f"{self._state.server_uuid}:1" + (f"-{last}" if last > 1 else "")

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self._directory / name

    def new_table_id(self) -> int:
        """An id that no TABLE_MAP of this instance has."""
        with self._writing:
            self._state.next_table_id += 1
            return self._state.next_table_id

    def append(self, transactions: Iterable[Transaction], last_scn: int) -> None:
        """Write transactions, in this order, and that all up to an scn are written."""
        with self._writing:
            wrote = False
            for transaction in transactions:
                self._write(transaction)
                wrote = True
                if self._state.files[-1].size >= self._max_file_bytes:
                    self._rotate()
            self._state.last_scn = max(last_scn, self._state.last_scn)
            self._save()
            if wrote:
                self._notify()

    def _write(self, transaction: Transaction) -> None:
        state, entry = self._state, self._state.files[-1]
        state.executed += 1
        state.last_us = max(transaction.commit_us, state.last_us)
        second = transaction.commit_us // 1_000_000
        with open(self.path(entry.name), "ab") as file:
            size, pending = entry.size, bytearray()
            for kind, body in self._bodies(transaction):
                event = frame(kind, body, second, state.server_id, size)
                pending += event
                size += len(event)
                if len(pending) > _WRITE_BYTES:
                    file.write(pending)
                    pending.clear()
            file.write(pending)
        entry.size, entry.last_s = size, second

    def _bodies(self, transaction: Transaction) -> Iterator[Body]:
        state = self._state
        yield EventType.GTID, events.gtid(self.server_uuid, state.executed, transaction.commit_us)
        if transaction.ddl:
            yield EventType.QUERY, events.query(transaction.ddl, transaction.database)
            return
        yield EventType.QUERY, events.query(b"BEGIN")
        for bodies in transaction.rows:
            yield from bodies
        self._xid += 1
        yield EventType.XID, events.xid(self._xid)

    def rotate(self) -> None:
        """Begin another file."""
        with self._writing:
            self._rotate()
            self._save()
            self._notify()

    def _rotate(self) -> None:
        self._end_file()
        self._begin_file()

    def _end_file(self) -> None:
        if self._state.files:
            entry = self._state.files[-1]
            self._add(entry, EventType.ROTATE, events.rotate(self._file_name()))

    def _begin_file(self) -> None:
        entry = BinlogFile(self._file_name(), self._state.executed, last_s=self.last_s)
        self._state.next_file += 1
        self.path(entry.name).write_bytes(events.MAGIC)
        entry.size = len(events.MAGIC)
        self._state.files.append(entry)
        self._add(entry, EventType.FORMAT_DESCRIPTION, events.format_description())
        self._add(entry, EventType.PREVIOUS_GTIDS, events.previous_gtids(self.server_uuid, entry.previous))

    def _add(self, entry: BinlogFile, kind: EventType, body: bytes) -> None:
        event = frame(kind, body, self.last_s, self._state.server_id, entry.size)
        with open(self.path(entry.name), "ab") as file:
            file.write(event)
        entry.size += len(event)

    def _file_name(self) -> str:
        return f"mysql-bin.{self._state.next_file:06d}"

    def purge_to(self, name: str) -> bool:
        """Remove the files before one; False when there is none of that name."""
        with self._writing:
            names = [entry.name for entry in self._state.files]
            if name not in names:
                return False
            gone = self._state.files[: names.index(name)]
            del self._state.files[: len(gone)]
            self._save()
            for entry in gone:
                self.path(entry.name).unlink()
            return True

    def purge_before(self, second: int) -> None:
        """Remove files whose last transaction was committed before."""
        keep = next((f.name for f in self.files[:-1] if f.last_s >= second), self.files[-1].name)
        self.purge_to(keep)

    def reset(self) -> None:
        """Forget everything and number from 1 again, as DROP BINLOG and CREATE BINLOG do; the uuid stays."""
        with self._writing:
            for entry in self._state.files:
                self.path(entry.name).unlink()
            self._state.files.clear()
            self._state.executed = 0
            self._state.next_file = 1
            self._begin_file()
            self._renew()

    def restart(self) -> None:
        """Another run of the converter: another file, other table ids, XIDs from 1."""
        with self._writing:
            self._rotate()
            self._state.next_table_id += 1000
            self._renew()

    def fail_over(self) -> None:
        """Another instance of the tenant: the same GTIDs in other files, under another server id, with other table ids."""
        with self._writing:
            # First, so that no reader of the old files goes on in the others.
            self.generation += 1
            state, old = self._state, self.files
            state.instance += 1
            state.server_id = SERVER_ID + state.instance - 1
            state.next_file += 100
            shift = state.next_table_id + 1000
            executed, state.executed = state.executed, old[0].previous
            state.files = []
            self._begin_file()
            state.executed = executed
            for entry in old:
                self._take_over(entry, shift)
                self.path(entry.name).unlink()
            state.next_table_id += shift
            self._renew()

    def _take_over(self, entry: BinlogFile, shift: int) -> None:
        target = self._state.files[-1]
        copied = bytearray()
        for event in walk(self.path(entry.name).read_bytes()):
            kind = event[events.TYPE_AT]
            if kind in (EventType.FORMAT_DESCRIPTION, EventType.PREVIOUS_GTIDS, EventType.ROTATE):
                continue
            copied += _renumbered(event, self._state.server_id, target.size + len(copied), shift)
        with open(self.path(target.name), "ab") as file:
            file.write(copied)
        target.size += len(copied)
        target.last_s = entry.last_s

    def _renew(self) -> None:
        self._xid = 0
        self.generation += 1
        self._save()
        self._notify()

    def _notify(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _save(self) -> None:
        path = self._state_path.with_suffix(".new")
        path.write_text(json.dumps(asdict(self._state)))
        path.replace(self._state_path)


def walk(content: bytes) -> Iterator[bytes]:
    """The events of a file."""
    at = events.FIRST_POSITION
    while at < len(content):
        size = int.from_bytes(content[at + events.SIZE_AT : at + events.SIZE_AT + 4], "little")
        yield content[at : at + size]
        at += size


_WITH_TABLE = (EventType.TABLE_MAP, EventType.WRITE_ROWS, EventType.UPDATE_ROWS, EventType.DELETE_ROWS)


def _renumbered(event: bytes, server_id: int, start: int, shift: int) -> bytes:
    """The event as another instance has it."""
    other = bytearray(event)
    kind = other[events.TYPE_AT]
    other[events.SERVER_ID_AT : events.SERVER_ID_AT + 4] = server_id.to_bytes(4, "little")
    position = (start + len(event)) & 0xFFFFFFFF
    other[events.POSITION_AT : events.POSITION_AT + 4] = position.to_bytes(4, "little")
    number = slice(events.HEADER_BYTES, events.HEADER_BYTES + (8 if kind == EventType.XID else 6))
    if kind in (*_WITH_TABLE, EventType.PARTIAL_UPDATE_ROWS, EventType.XID):
        value = int.from_bytes(other[number], "little") + shift
        other[number] = value.to_bytes(number.stop - number.start, "little")
    return events.sealed(other)
