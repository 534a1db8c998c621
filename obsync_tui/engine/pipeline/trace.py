"""The last of what passed the Connector, kept as it was: row images, messages, positions, and when they were committed.

Per batch one reference is kept; nothing is decoded before somebody asks.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import time

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.pipeline.replay import Passage, Plans, lines_of
from obsync_tui.engine.store.store import LogItem
from obsync_tui.model.objects import ObjectRules, topic_for
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableName
from obsync_tui.model.trace import MessageSample, TraceAnswer, TraceLine, TraceWindow

# What a message and a row image cost beside their bytes.
_MESSAGE_BYTES = 512
_ROW_BYTES = 64
_VALUE_BYTES = 65_536
_OUT_OF_SCOPE = "the table is not among the project's objects"


@dataclass(slots=True)
class _Entry:
    """A batch that passed, its number, its size, and when its messages were committed."""

    passage: Passage
    number: int
    size_bytes: int
    delivered_s: float | None = None


class Trace:
    """A window of the newest batches, of the project's size; 0 keeps nothing. Safe for threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._limit_bytes = project.trace.window_bytes
        self._entries: deque[_Entry] = deque()
        self._held_bytes = 0
        self._number = 0
        self._marked = 0
        self._lock = threading.Lock()

    def begin(self, project: Project) -> None:
        """Another attempt starts, of the project as it is now: what was not committed is read again."""
        with self._lock:
            self._project, self._limit_bytes = project, project.trace.window_bytes
            while self._entries and self._entries[-1].delivered_s is None:
                self._held_bytes -= self._entries.pop().size_bytes

    def passed(self, items: Sequence[LogItem], out: Outgoing, filtered: bool, resumed: bool) -> None:
        """A batch has passed the Connector; `filtered`: images held by rows read before were dropped, `resumed`: rows
        delivered before the last stop were.
        """
        if not self._limit_bytes or not (items or out.count or out.chunk):
            return
        size_bytes = out.log_bytes + out.size_bytes + _MESSAGE_BYTES * out.count + _ROW_BYTES * out.rows
        with self._lock:
            self._number += 1
            out.number = self._number
            self._entries.append(
                _Entry(
                    Passage(self._project, items, out, time(), filtered, resumed), self._number, size_bytes
                )
            )
            self._held_bytes += size_bytes
            while self._held_bytes > self._limit_bytes:
                self._held_bytes -= self._entries.popleft().size_bytes

    def committed(self, number: int) -> None:
        """Everything up to this number is committed."""
        if number <= self._marked:
            return
        now_s = time()
        with self._lock:
            self._marked = number
            for entry in reversed(self._entries):
                if entry.delivered_s is not None:
                    break
                if entry.number <= number:
                    entry.delivered_s = now_s

    def find(self, table: TableName, key: tuple[str, ...]) -> tuple[TraceLine, ...]:
        """The changes of a row, oldest first, by the texts of its key's columns as messages have them."""
        if not ObjectRules(self._project.objects).matches(table):
            return (TraceLine("", 0.0, 0.0, "", left_out=_OUT_OF_SCOPE),)
        lines: list[TraceLine] = []
        plans: Plans = {}
        entries = self._kept()
        for entry in entries:
            lines += lines_of(entry.passage, entry.delivered_s, table, key, plans)
        return tuple(lines)

    def answer(self, table: TableName, key: tuple[str, ...]) -> TraceAnswer:
        """The same, with the window."""
        return TraceAnswer(self.find(table, key), self.window())

    def samples(self, table: TableName, limit: int) -> tuple[MessageSample, ...]:
        """The newest messages of a table's topic, newest first in each partition; values cut at 64 KiB."""
        topic = topic_for(self._project, table)
        found: list[MessageSample] = []
        for entry in reversed(self._kept()):
            for partition, lane in enumerate(entry.passage.out.messages.get(topic, ())):
                for message in reversed(lane[-limit:]):
                    key, value = message["key"], message["value"]
                    found.append(
                        MessageSample(
                            topic,
                            partition,
                            None if key is None else key.decode("utf-8", "replace"),
                            value[:_VALUE_BYTES].decode("utf-8", "replace"),
                            len(value),
                            entry.delivered_s,
                        )
                    )
            if len(found) >= limit:
                break
        return tuple(found[:limit])

    def window(self) -> TraceWindow:
        """What is kept now."""
        with self._lock:
            since_s = self._entries[0].passage.passed_s if self._entries else None
            return TraceWindow(since_s, self._held_bytes, self._limit_bytes)

    def _kept(self) -> list[_Entry]:
        with self._lock:
            return list(self._entries)
