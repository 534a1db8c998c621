"""Component logs: lines, rotation, reading both ways."""

from __future__ import annotations

import logging
import os
import random
import stat
import threading
import time
from pathlib import Path

import pytest

from obsync_tui.engine.errors import ConfigError, StateError
from obsync_tui.engine.history import logreading
from obsync_tui.engine.history.logfile import LINE_CHARACTERS
from obsync_tui.engine.history.loghandler import LogHandler
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level
from tests.engine.history.saying import ENGINE, STORE, WAIT_S, A, B, everything, say, small, texts


def test_a_line_is_read_as_it_was_written(logs: ComponentLogs, tmp_path: Path) -> None:
    before_s = time.time()
    say(logs, "first", level=Level.DEBUG)
    say(logs, "Ω 表 🙂 and a \\", level=Level.ERROR)
    page = logs.newest(A, STORE, limit=10)
    assert [(line.level, line.text) for line in page.lines] == [
        (Level.DEBUG, "first"), (Level.ERROR, "Ω 表 🙂 and a \\"),
    ]  # fmt: skip
    for line in page.lines:
        assert line.at_s is not None and before_s - 0.001 <= line.at_s <= time.time()
    assert (page.older, page.lost) == ("", False)
    content = (tmp_path / "logs" / A / "store.log").read_text().splitlines()
    assert content[0].startswith("# obsync log ")
    assert content[1][23:] == "Z DEBUG   first"


def test_a_record_is_one_line_whatever_it_holds(logs: ComponentLogs, tmp_path: Path) -> None:
    hostile = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xDFFF])) + "end"
    say(logs, hostile, "next")
    assert len((tmp_path / "logs" / A / "store.log").read_bytes().split(b"\n")) == 4
    text = texts(logs.newest(A, STORE, limit=9))[0]
    assert (
        text.startswith(r"\x00\x01")
        and r"\x08\t\n\x0b\x0c\r" in text
        and text.endswith(r"\u2029\ud800\udfffend")
    )
    assert text.isprintable()


def test_a_long_text_is_cut(logs: ComponentLogs) -> None:
    say(logs, "x" * (LINE_CHARACTERS + 5))
    assert texts(logs.newest(A, STORE, limit=1)) == ["x" * LINE_CHARACTERS + "… (5 characters more)"]


def test_logs_are_apart_and_private(logs: ComponentLogs, tmp_path: Path) -> None:
    os.umask(0o022)
    for project_id, component in ((A, STORE), (A, Component.FULL_IMPORT), (B, STORE), ("", ENGINE)):
        logs.write(project_id, component, Level.INFO, f"{project_id} {component}")
    assert logs.flush(WAIT_S)
    found = {
        path.relative_to(tmp_path / "logs").as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "logs").rglob("*")
    }
    assert found == {
        A: 0o700, f"{A}/store.log": 0o600, f"{A}/full-import.log": 0o600,
        B: 0o700, f"{B}/store.log": 0o600, "engine": 0o700, "engine/engine.log": 0o600,
    }  # fmt: skip
    assert texts(logs.newest("", ENGINE, limit=9)) == [" engine"]
    assert texts(logs.newest(B, STORE, limit=9)) == [f"{B} store"]


def test_rights_that_others_have_are_taken_away(logs: ComponentLogs, tmp_path: Path) -> None:
    say(logs, "one")
    path = tmp_path / "logs" / A / "store.log"
    path.chmod(0o644)
    say(logs, "two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("project_id", ["..", "../x", "a/b", "a\0b", "engine", ".", "x" * 65, "é"])
def test_an_id_never_leads_elsewhere(logs: ComponentLogs, tmp_path: Path, project_id: str) -> None:
    with pytest.raises(ConfigError, match="no project's id"):
        logs.newest(project_id, STORE, limit=1)
    with pytest.raises(ConfigError, match="no project's id"):
        logs.delete(project_id)
    logs.write(project_id, STORE, Level.INFO, "x")
    assert logs.flush(WAIT_S)
    assert logs.dropped_lines == 1
    assert not list(tmp_path.rglob("*.log"))


def test_a_link_is_not_followed(logs: ComponentLogs, tmp_path: Path) -> None:
    (tmp_path / "logs" / A).mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("x\n")
    (tmp_path / "logs" / A / "store.log").symlink_to(victim)
    say(logs, "text")
    assert (victim.read_text(), logs.dropped_lines) == ("x\n", 1)
    with pytest.raises(StateError, match="the log cannot be read: Too many levels of symbolic links"):
        logs.newest(A, STORE, limit=1)


def test_files_are_bounded_and_the_newest_lines_stay(tmp_path: Path) -> None:
    logs = small(tmp_path)
    said = [f"{number:05} {'x' * 40}" for number in range(500)]
    for text in said:
        say(logs, text)
    files = sorted((tmp_path / "logs" / A).iterdir())
    assert [path.name for path in files] == ["store.log", "store.log.1", "store.log.2", "store.log.3"]
    assert all(path.stat().st_size <= 2000 for path in files)
    assert all(path.stat().st_size > 1800 for path in files[1:])
    found = everything(logs)
    assert 80 < len(found) < 100
    assert found == said[-len(found) :]
    logs.close()


def test_one_burst_is_bounded_too(tmp_path: Path) -> None:
    logs = small(tmp_path, file_bytes=50_000)
    for number in range(9000):
        logs.write(A, STORE, Level.INFO, str(number))
    assert logs.flush(WAIT_S)
    assert all(path.stat().st_size <= 50_000 for path in (tmp_path / "logs" / A).iterdir())
    found = everything(logs, 1000)
    assert (logs.dropped_lines, found) == (0, [str(number) for number in range(9000 - len(found), 9000)])
    logs.close()


def test_a_burst_of_the_longest_lines_is_bounded_too(tmp_path: Path) -> None:
    logs = small(tmp_path, file_bytes=200_000)
    for number in range(150):
        logs.write(A, STORE, Level.INFO, f"{number}" + "\u2028" * LINE_CHARACTERS)
    assert logs.flush(WAIT_S)
    assert logs.dropped_lines == 0
    files = list((tmp_path / "logs" / A).iterdir())
    assert len(files) == 4
    assert all(100_000 < path.stat().st_size <= 200_000 for path in files if path.suffix != ".log")
    assert all(path.stat().st_size <= 200_000 for path in files)
    assert [text[:4] for text in everything(logs, 5)][-2:] == ["148\\", "149\\"]
    logs.close()


@pytest.mark.parametrize("limit", [1, 3, 100, 10_000])
@pytest.mark.parametrize("block_bytes", [50, 300, 1 << 16])
def test_pages_backwards_hold_every_line_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, block_bytes: int
) -> None:
    monkeypatch.setattr(logreading, "_BLOCK_BYTES", block_bytes)
    logs = small(tmp_path, file_bytes=3000)
    said = [f"line {number}" for number in range(150)]
    for begin in range(0, 150, 10):
        say(logs, *said[begin : begin + 10])
    assert everything(logs, limit) == said[-len(everything(logs, limit)) :]
    logs.close()


@pytest.mark.parametrize("block_bytes", [50, 1 << 16])
def test_following_gives_every_line_once_over_rotations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(logreading, "_BLOCK_BYTES", block_bytes)
    logs = small(tmp_path)
    cursor, found, said = "", [], []
    draw = random.Random(7)
    for turn in range(200):
        some = [f"{turn}.{number}" for number in range(draw.randrange(4))]
        say(logs, *some)
        said += some
        page = logs.following(A, STORE, limit=2, after=cursor)
        found += texts(page)
        while page.newer != cursor:
            assert len(page.lines) <= 2 and not page.lost
            cursor = page.newer
            page = logs.following(A, STORE, limit=2, after=cursor)
            found += texts(page)
    assert found == said
    logs.close()


def test_the_newest_page_leads_on_to_what_comes(logs: ComponentLogs) -> None:
    empty = logs.newest(A, STORE, limit=5)
    assert (empty.lines, empty.older) == ((), "")
    say(logs, "a", "b", "c")
    assert texts(logs.following(A, STORE, limit=5, after=empty.newer)) == ["a", "b", "c"]
    page = logs.newest(A, STORE, limit=2)
    assert texts(page) == ["b", "c"]
    assert texts(logs.newest(A, STORE, limit=2, before=page.older)) == ["a"]
    say(logs, "d")
    assert texts(logs.following(A, STORE, limit=5, after=page.newer)) == ["d"]


def test_lines_that_were_rotated_away_are_said_to_be_lost(tmp_path: Path) -> None:
    logs = small(tmp_path)
    say(logs, "first")
    page = logs.newest(A, STORE, limit=1)
    for number in range(300):
        say(logs, f"{number} " + "x" * 40)
    after = logs.following(A, STORE, limit=10_000, after=page.newer)
    assert after.lost
    assert texts(after) == everything(logs)
    before = logs.newest(A, STORE, limit=5, before=page.newer)
    assert (before.lines, before.older, before.lost) == ((), "", True)
    logs.close()


def test_a_log_emptied_by_hand_is_another(logs: ComponentLogs, tmp_path: Path) -> None:
    say(logs, "a", "b")
    page = logs.newest(A, STORE, limit=1)
    os.truncate(tmp_path / "logs" / A / "store.log", 0)
    say(logs, "c", "d", "e", "f")
    after = logs.following(A, STORE, limit=9, after=page.newer)
    assert (texts(after), after.lost) == (["c", "d", "e", "f"], True)


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1-2", "1-2-3", "１-２", "1-2\n", "9" * 40 + "-1"])
def test_what_is_no_cursor_is_refused(logs: ComponentLogs, cursor: str) -> None:
    for read in (
        lambda: logs.newest(A, STORE, limit=1, before=cursor),
        lambda: logs.following(A, STORE, limit=1, after=cursor),
    ):
        with pytest.raises(ConfigError, match="no cursor of a log"):
            read()


@pytest.mark.parametrize("cursor", ["0-0", "5-5", "999999999999999999-7", "1-999999999999999999"])
def test_a_cursor_of_nothing_does_no_harm(logs: ComponentLogs, cursor: str) -> None:
    say(logs, "a", "b")
    assert texts(logs.following(A, STORE, limit=9, after=cursor)) == ["a", "b"]
    assert texts(logs.newest(A, STORE, limit=9, before=cursor)) in ([], ["a", "b"])


def test_level_and_text_choose_lines(logs: ComponentLogs) -> None:
    for number in range(40):
        say(logs, f"{number} {'Broker' if number % 10 == 3 else 'x'}", level=list(Level)[number % 4])
    assert [line.text for line in logs.newest(A, STORE, limit=3, level=Level.WARNING).lines] == [
        "35 x",
        "38 x",
        "39 x",
    ]
    assert everything(logs, search="bROKER") == ["3 Broker", "13 Broker", "23 Broker", "33 Broker"]
    page = logs.following(A, STORE, limit=2, search="broker", level=Level.ERROR)
    assert texts(page) == ["3 Broker", "23 Broker"]
    assert texts(logs.newest(A, STORE, limit=9, search="WARNING")) == [], (
        "the text is searched, not the level"
    )


def test_a_search_looks_at_so_much_in_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logreading, "LOOKED_AT_BYTES", 1000)
    monkeypatch.setattr(logreading, "_BLOCK_BYTES", 300)
    logs = small(tmp_path, file_bytes=6000)
    say(logs, "needle", *[f"{number} hay" for number in range(300)])
    calls, before, found = 0, "", []
    while calls == 0 or before:
        page = logs.newest(A, STORE, limit=5, before=before, search="needle")
        found += texts(page)
        assert 0 < page.looked_bytes <= 1300
        before, calls = page.older, calls + 1
    assert (found, calls > 10) == (["needle"], True)
    calls, after, found = 0, "", []
    while True:
        page = logs.following(A, STORE, limit=5, after=after, search="299")
        found += texts(page)
        calls += 1
        if page.newer == after:
            break
        after = page.newer
    assert (found, calls > 10) == (["299 hay"], True)
    logs.close()


def test_lines_of_others_are_shown_and_half_ones_not(logs: ComponentLogs, tmp_path: Path) -> None:
    say(logs, "a")
    path = tmp_path / "logs" / A / "store.log"
    with path.open("ab") as file:
        file.write(b"a person's note \xff\n2026-01-01T00:00:00.000Z INFO    half")
    page = logs.newest(A, STORE, limit=9)
    assert [(line.at_s is None, line.text) for line in page.lines] == [
        (False, "a"),
        (True, "a person's note \ufffd"),
    ]
    say(logs, "b")
    assert texts(logs.following(A, STORE, limit=9, after=page.newer)) == ["half", "b"]


@pytest.mark.parametrize("length", [60_000, 200_000, 700_000])
def test_a_line_of_others_may_be_longer_than_what_is_read_at_once(
    logs: ComponentLogs, tmp_path: Path, length: int
) -> None:
    say(logs, "a")
    with (tmp_path / "logs" / A / "store.log").open("ab") as file:
        file.write(b"y" * length + b"\n")
    say(logs, "b", "c")
    ours = [text for text in everything(logs, 2) if "y" not in text]
    assert ours == ["a", "b", "c"]
    assert [text for text in texts(logs.following(A, STORE, limit=9)) if "y" not in text] == ["a", "b", "c"]


def test_a_file_that_is_not_ours_makes_room(logs: ComponentLogs, tmp_path: Path) -> None:
    path = tmp_path / "logs" / A / "store.log"
    path.parent.mkdir(parents=True)
    path.write_text("somebody's\n")
    say(logs, "a")
    assert texts(logs.newest(A, STORE, limit=9)) == ["a"]
    assert path.with_name("store.log.1").read_text() == "somebody's\n"


def test_threads_share_the_logs(logs: ComponentLogs) -> None:
    def work(name: int) -> None:
        for number in range(300):
            logs.write(A, STORE, Level.INFO, f"{name} {number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logs.flush(WAIT_S)
    found = everything(logs, 500)
    for name in range(6):
        assert [text for text in found if text.startswith(f"{name} ")] == [
            f"{name} {number}" for number in range(300)
        ]
    assert len(found) == 1800


def test_what_libraries_say_stands_in_the_log_of_the_engine(logs: ComponentLogs) -> None:
    logger = logging.Logger("library")
    logger.addHandler(LogHandler(logs))
    logger.debug("a %s", 1)
    logger.critical("b")
    logger.warning("%d", "no number")
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("c")
    assert logs.flush(WAIT_S)
    found = [(line.level, line.text) for line in logs.newest("", ENGINE, limit=9).lines]
    assert found[:3] == [(Level.DEBUG, "a 1"), (Level.ERROR, "b"), (Level.WARNING, "%d")]
    assert (
        found[3][0] is Level.ERROR
        and found[3][1].startswith(r"c\nTraceback")
        and found[3][1].endswith("ValueError: why")
    )
    assert len(found) == 4
