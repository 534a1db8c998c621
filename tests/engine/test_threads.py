"""Threads are lent, counted and named; the run token goes round in order."""

import threading
import time

from obsync_tui.engine.threads import RunToken, ThreadPool


def test_threads_are_counted_while_they_work_and_named_when_they_do_not_come_back() -> None:
    pool = ThreadPool()
    hang, quick = threading.Event(), pool.lend("quick", lambda: None)
    assert pool.collect([quick], 60) == () and pool.abandoned == ()
    lent = pool.lend("orders.sink", hang.wait)
    assert pool.in_use == 1
    assert pool.collect([quick, lent], 0.05) == ("orders.sink",)
    assert (pool.in_use, [one.name for one in pool.abandoned]) == (0, ["orders.sink"])
    assert pool.collect([lent], 0.05) == ("orders.sink",) and len(pool.abandoned) == 1
    hang.set()
    assert lent.ended.wait(60)
    while pool.abandoned:
        time.sleep(0.001)


def test_hanging_threads_hold_up_nobody() -> None:
    pool = ThreadPool(RunToken(1))
    hang = threading.Event()

    def hold() -> None:
        with pool.token:
            hang.wait()

    for _ in range(20):
        pool.lend("waits", hang.wait)
    holder = pool.lend("holds the token", hold)
    works = threading.Event()

    def work() -> None:
        with pool.token:
            works.set()

    pool.lend("works", work)
    assert not works.wait(0.05)
    pool.collect([holder], 0.05)
    assert works.wait(60), "who is abandoned gives its token back"
    hang.set()
    assert holder.ended.wait(60)
    with pool.token:  # and gives it back only once
        assert not pool.token.forfeit(0)


def test_the_token_goes_round_in_order_and_counts() -> None:
    token, order, ready = RunToken(1), [], threading.Event()
    threads = []

    def take(number: int) -> None:
        ready.set()
        with token:
            order.append(number)

    with token:
        for number in range(5):
            ready.clear()
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            ready.wait()
            while len(token._queue) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_small_one_is_not_starved_by_those_who_never_wait() -> None:
    token, ending, small = RunToken(1), threading.Event(), 0
    turns = [0, 0]

    def greedy(number: int) -> None:
        while not ending.is_set():
            with token:
                turns[number] += 1
                time.sleep(0.002)

    threads = [threading.Thread(target=greedy, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        before = sum(turns)
        with token:
            small += 1
            # Those before it in the queue, and one that may just have had its turn.
            assert sum(turns) - before <= 3
    ending.set()
    for thread in threads:
        thread.join()
    assert small == 20


def test_others_work_while_a_holder_waits_for_a_server() -> None:
    token = RunToken(1)
    with token.waiting():  # nothing for one that does not hold it
        pass
    with token:
        with token.waiting():
            with_other = threading.Thread(
                target=lambda: token.__enter__() or token.__exit__(None, None, None)
            )
            with_other.start()
            with_other.join(60)
            assert not with_other.is_alive()
        assert token._free == 0
    assert token._free == 1


def test_a_small_batch_waits_for_nobody() -> None:
    token = RunToken(1)
    with token, token.batch(1000):
        pass
    with token.batch(1 << 20):
        assert token._free == 0
    assert token._free == 1


def test_what_is_due_now_and_then_is_done_until_cancelled_whoever_hangs() -> None:
    pool, hang = ThreadPool(), threading.Event()
    times = [0]
    enough = threading.Event()

    def work() -> None:
        times[0] += 1
        if times[0] == 3:
            enough.set()

    hanging = pool.schedule.every(0.01, "hangs", hang.wait)
    repeated = pool.schedule.every(0.01, "orders.sampler", work)
    assert enough.wait(60)
    pool.collect(repeated.cancel(), 60)
    done = times[0]
    time.sleep(0.05)
    assert times[0] <= done + 1
    assert pool.collect(hanging.cancel(), 0.01) == ("hangs",)
    hang.set()
