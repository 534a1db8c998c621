"""When the feeder commits, and what a commit holds."""

import threading
from time import sleep

import msgspec
import pytest

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.errors import TransactionAborted
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.feeder import MESSAGES, SIZE_BYTES, Feeder
from obsync_tui.engine.pipeline.queue import BoundedQueue
from obsync_tui.engine.threads import RunToken
from obsync_tui.model.checkpoint import POSITION_KEY, Record
from obsync_tui.model.position import LogPosition
from tests.contract.fakesink import FakeCluster, FakeSink


class Rig:
    """A feeder on a fake sink; `feed` gives it batches as the Connector would."""

    def __init__(self, transaction_timeout_s: int = 60) -> None:
        self.cluster = FakeCluster()
        self.sink = FakeSink(self.cluster)
        self.sink.open(take_over=False)
        self.queue: BoundedQueue[Outgoing] = BoundedQueue(1000, 1 << 30)
        self.meter = Meter()
        self.positions: list[LogPosition | None] = []
        self.notices: list[str] = []
        self.feeder = Feeder(
            self.sink,
            self.queue,
            self.meter,
            self.notices.append,
            transaction_timeout_s=transaction_timeout_s,
            started_s=0.0,
            token=RunToken(),
            extra=lambda: (),
            committed=lambda position, _: self.positions.append(position),
        )
        self.number = 0

    def batch(
        self, count: int, *, whole: bool = True, more: bool = True, size_bytes: int = 0, log: str = ""
    ) -> Outgoing:
        self.number += 1
        lanes = [[{"key": b"k", "value": b"%d.%d" % (self.number, i)} for i in range(count)]]
        out = Outgoing(count=count, rows=count, size_bytes=size_bytes or count, whole=whole, more=more)
        if count:
            out.messages["topic"] = lanes  # type: ignore[assignment]
        out.position = LogPosition(
            log or f"u:{self.number}", "" if whole else "u:9", 0 if whole else self.number
        )
        return out

    def feed(self, *batches: Outgoing, drained: bool = True) -> None:
        for batch in batches:
            self.queue.put(batch, batch.size_bytes)
        self.feeder.run(threading.Event(), lambda: drained)

    def position(self) -> LogPosition:
        return msgspec.json.decode(self.cluster.checkpoint[POSITION_KEY], type=LogPosition)


def test_commits_when_nothing_more_is_waiting() -> None:
    rig = Rig()
    rig.feed(rig.batch(3, more=False))
    assert rig.sink.commits == [3]
    assert rig.position().executed == "u:1"
    assert rig.meter.acknowledged_rows == 3 and rig.meter.messages == 3


def test_small_transactions_share_a_commit_while_more_is_waiting() -> None:
    rig = Rig()
    rig.feed(*[rig.batch(10) for _ in range(5)])
    assert rig.sink.commits == [50]
    assert rig.position().executed == "u:5"


def test_a_commit_is_due_at_ten_thousand_messages() -> None:
    rig = Rig()
    rig.feed(*[rig.batch(MESSAGES // 4) for _ in range(8)])
    assert rig.sink.commits == [MESSAGES, MESSAGES]


def test_a_commit_is_due_at_four_megabytes() -> None:
    rig = Rig()
    rig.feed(*[rig.batch(1, size_bytes=SIZE_BYTES // 2) for _ in range(4)])
    assert rig.sink.commits == [2, 2]


def test_inside_a_source_transaction_only_size_commits() -> None:
    rig = Rig()
    pieces = [rig.batch(MESSAGES // 2, whole=False, more=False) for _ in range(3)]
    rig.feed(*pieces, rig.batch(1, more=False))
    assert rig.sink.commits == [MESSAGES, MESSAGES // 2 + 1]
    assert rig.position() == LogPosition("u:4")


def test_the_position_inside_a_transaction_is_kept_with_what_it_covers() -> None:
    rig = Rig()
    rig.feed(rig.batch(MESSAGES, whole=False), rig.batch(5, whole=False))
    assert rig.sink.commits == [MESSAGES]
    assert rig.position() == LogPosition("u:1", "u:9", 1)


def test_messages_reach_their_partition_in_order_and_once() -> None:
    rig = Rig()
    rig.feed(*[rig.batch(7) for _ in range(20)])
    assert [value for _, _, value in rig.cluster.topics["topic"]] == [
        b"%d.%d" % (b, i) for b in range(1, 21) for i in range(7)
    ]


def test_a_moved_position_without_messages_waits_for_its_time() -> None:
    rig = Rig()
    rig.feed(rig.batch(0), rig.batch(0))
    assert rig.sink.commits == []
    rig.feeder._committed_s -= 5.1
    rig.queue.put(rig.batch(0), 0)
    stopping = threading.Event()
    thread = threading.Thread(target=rig.feeder.run, args=(stopping, lambda: False))
    thread.start()
    sleep(0.3)
    stopping.set()
    rig.queue.close()
    thread.join()
    assert rig.sink.commits == [0]
    assert rig.position().executed == "u:3"


def test_records_go_with_the_next_commit_and_only_once() -> None:
    rig = Rig()
    rig.feeder.add((Record("schema:`a`.`b`", b"{}"),))
    rig.feed(rig.batch(1, more=False))
    assert rig.cluster.checkpoint["schema:`a`.`b`"] == b"{}"
    del rig.cluster.checkpoint["schema:`a`.`b`"]
    rig.feed(rig.batch(1, more=False))
    assert "schema:`a`.`b`" not in rig.cluster.checkpoint


def test_an_aborted_commit_leaves_the_checkpoint_alone() -> None:
    rig = Rig()
    rig.sink.fail_commits = 1
    with pytest.raises(TransactionAborted):
        rig.feed(rig.batch(3, more=False))
    assert POSITION_KEY not in rig.cluster.checkpoint and rig.cluster.topics == {}
    assert rig.meter.acknowledged_rows == 0


def test_a_transaction_open_for_too_long_is_given_up() -> None:
    rig = Rig(transaction_timeout_s=1)
    rig.queue.put(rig.batch(1, whole=False), 1)
    with pytest.raises(TransactionAborted, match="open for"):
        rig.feeder.run(threading.Event(), lambda: False)


def test_what_a_rate_limit_holds_back_waits_for_no_commit() -> None:
    rig = Rig()
    slow = rig.batch(3, whole=False)
    slow.slow = True
    rig.feed(slow, rig.batch(4, whole=False))
    assert rig.sink.commits == [3]
    assert rig.position() == LogPosition("u:1", "u:9", 1)
