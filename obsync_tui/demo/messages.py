"""Messages as a reader of the topics sees them: one line each, and the rows that they add up to."""

import json
import unicodedata
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from obsync_tui.demo.screen import WIDTH
from obsync_tui.demo.shop import TABLES
from obsync_tui.terminal.sanitizer import visible

HEADER = f"{'TABLE':<9} P {'KEY':>4}  {'RECORD':<6}  CHANGED"
_ANSWER_S = 10.0
Row = dict[str, str | None]


class Change(NamedTuple):
    """One message: `before` and `after` are its two images, absent ones empty."""

    table: str
    partition: int
    key: str
    kind: str
    before: Row
    after: Row

    def line(self) -> str:
        """The change in one line of at most 80 columns."""
        head = f"{visible(self.table):<9} {self.partition} {visible(self.key):>4}  {visible(self.kind):<6}  "
        return head + cut(self._changed(), WIDTH - len(head))

    def _changed(self) -> str:
        if self.kind == "UPDATE":
            pairs = [(name, value, self.before[name]) for name, value in self.after.items()]
            return ", ".join(f"{name} {shown(old)} → {shown(new)}" for name, new, old in pairs if new != old)
        row = self.after or self.before
        return " ".join(f"{name}={shown(value)}" for name, value in row.items() if name != "id")


def shown(value: str | None) -> str:
    """A value's text, harmless on a terminal; NULL when there is none."""
    return "NULL" if value is None else visible(value)


def cut(text: str, columns: int) -> str:
    """The text, cut to so many columns of a terminal: East Asian characters take two."""
    used = 0
    for i, character in enumerate(text):
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used + width > columns - (i + 1 < len(text)):
            return text[:i] + "…"
        used += width
    return text


class Reader:
    """Reads the shop's topics, those of a prefix, from their beginning, committed messages only."""

    def __init__(self, endpoint: str, prefix: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": endpoint,
                "group.id": f"{prefix}reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
                "log_level": 0,
            }
        )
        self._tables = {f"{prefix}{table}": table for table in TABLES}
        self._assigned = False
        self.rows: dict[str, dict[str, Row]] = {table: {} for table in TABLES}
        self.counts: dict[str, int] = {}

    def read(self) -> list[Change]:
        """What has arrived, within a tenth of a second; nothing while there are no topics yet."""
        if not self._assigned:
            self._assign()
        changes = []
        for message in self._consumer.consume(100, timeout=0.1) if self._assigned else ():
            value = message.value()
            if message.error() is None and value is not None:
                table = self._tables[message.topic() or ""]
                changes.append(self._change(table, message.partition() or 0, message.key(), value))
        return changes

    def _assign(self) -> None:
        topics = self._consumer.list_topics(timeout=_ANSWER_S).topics
        if all(name in topics for name in self._tables):
            self._consumer.assign(
                [
                    TopicPartition(name, partition, OFFSET_BEGINNING)
                    for name in self._tables
                    for partition in topics[name].partitions
                ]
            )
            self._assigned = True

    def _change(self, table: str, partition: int, key: bytes | None, value: bytes) -> Change:
        # Numbers stay the text that they are in the message.
        document = json.loads(value, parse_int=str, parse_float=str)
        kind = document["recordType"]
        change = Change(
            table,
            partition,
            (key or b"").decode(),
            kind,
            document["prevStruct"] or {},
            document["postStruct"] or {},
        )
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "DELETE":
            del self.rows[table][change.key]
        else:
            self.rows[table][change.key] = change.after
        return change

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
