"""The demo as a person sees it: what it prints, that its messages add up to the tables, and that nothing stays."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from obsync_tui.cli import exit_codes, main
from obsync_tui.demo import showing
from obsync_tui.demo.interruption import Interruption
from obsync_tui.demo.kafka import EmbeddedKafka, Kafka, RealKafka
from obsync_tui.demo.messages import Change, cut
from obsync_tui.demo.shop import TABLES, all_rows
from tests.servers import KafkaBroker, free_port
from tests.servers.consume import consume_all

COMMAND = [sys.executable, "-m", "obsync_tui", "demo"]
SAME = "The rows that the messages add up to are those of the tables."
NOT_SAME = "The rows that the messages add up to are NOT those of the tables."
Tables = dict[str, dict[str, tuple[str | None, ...]]]


def left_behind(directory: str) -> list[str]:
    """The directory, and processes that have it in their command or environment."""
    found = [directory] if Path(directory).exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # a process that has ended since, or of another user
            continue
        if directory.encode() in text:
            found.append(text.decode(errors="replace")[:200])
    return found


def directory_of(output: str) -> str:
    found = re.search(r"^  files +(/\S+/obsync-demo-\w+)$", output, re.M)
    assert found, output
    return found[1]


def start(*options: str, home: Path | None = None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "OBSYNC_HOME"}
    if home is not None:
        environment |= {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "c"),
            "XDG_DATA_HOME": str(home / "d"),
        }
    return subprocess.Popen(
        [*COMMAND, *options],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            break
    return "".join(seen)


def test_it_shows_rows_then_changes_and_adds_up(tmp_path: Path) -> None:
    with start("--seconds", "8", home=tmp_path) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    lines = output.splitlines()
    assert SAME in lines
    assert [line for line in lines if len(line) > 80] == []
    for step in range(1, 7):
        assert [line for line in lines if line.startswith(f"{step}. ")], f"step {step} is not announced"
    for command in (
        "source add shop",
        "source prepare shop",
        "source add events",
        "project create",
        "project check",
        "project run",
        "project status",
    ):
        assert f"  $ obsync {command}" in output
    for table, count in {"items": 40, "customers": 60, "orders": 100}.items():
        assert f"{table:<9} … {count} rows in all" in lines
    assert re.search(r"^orders    [0-3]  101  INSERT  state=new customer=\d+ item=\d+ n=\d ", output, re.M)
    assert re.search(r"^items     [0-3] +\d+  UPDATE  stock \d+ → \d+$", output, re.M)
    assert re.search(r"^\[orders incremental  lag .*backlog .*rows/s", output, re.M)
    first = re.search(r"^\(the first row, ([\d.]+) s after the start\)$", output, re.M)
    assert first and float(first[1]) < 60, "20 s are promised, and other tests may run beside this one"
    assert "a-password-of-the-demo" not in output
    assert left_behind(directory_of(output)) == []
    assert list(tmp_path.iterdir()) == [], "the user's own configuration is not touched"


def rebuilt(endpoint: str, prefix: str) -> Tables:
    """The rows that the messages add up to, by other code than the demo's."""
    tables: Tables = {table: {} for table in TABLES}
    for record in consume_all(endpoint, [prefix + table for table in TABLES]):
        assert record.key is not None and record.value is not None
        rows, key = tables[record.topic.removeprefix(prefix)], record.key.decode()
        message = json.loads(record.value, parse_int=str, parse_float=str)
        if message["recordType"] == "DELETE":
            del rows[key]
        else:
            rows[key] = tuple(message["postStruct"].values())
    return tables


@pytest.mark.parametrize("real", [False, True], ids=["embedded Kafka", "a Kafka of one's own"])
def test_the_messages_add_up_to_the_tables(
    real: bool, kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there: list[Tables] = []
    arrived: list[Tables] = []
    topics: list[str] = []
    kind: type[Kafka] = RealKafka if real else EmbeddedKafka
    remove = kind.remove

    def keep(server: showing.EmbeddedOceanBase) -> list[tuple[str, dict[str, tuple[str | None, ...]]]]:
        there.append(dict(all_rows(server)))
        return list(there[-1].items())

    def read(self: Kafka, made: list[str]) -> None:
        arrived.append(rebuilt(self.endpoint, self.prefix))
        topics.extend(made)
        remove(self, made)  # type: ignore[arg-type]

    monkeypatch.setattr(showing, "all_rows", keep)
    monkeypatch.setattr(kind, "remove", read)
    assert main(["demo", "--seconds", "5", *(["--broker", kafka.bootstrap] if real else [])]) == 0
    output = capsys.readouterr().out
    assert SAME in output
    assert len(there) == len(arrived) == 1
    assert arrived == there
    assert {table: len(rows) >= 40 for table, rows in there[0].items()} == dict.fromkeys(TABLES, True)
    assert len(there[0]["orders"]) > 90 and " INSERT " in output
    assert left_behind(directory_of(output)) == []
    assert len(topics) == 4
    if real:
        assert ("checkpoint topic" in output, "--embedded" in output) == (False, False)
        deadline_s = time.monotonic() + 10
        while (stay := set(kafka.admin().list_topics(timeout=10).topics) & set(topics)) and (
            time.monotonic() < deadline_s
        ):
            time.sleep(0.1)
        assert stay == set()


def test_rows_that_differ_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_less(server: showing.EmbeddedOceanBase) -> list[tuple[str, dict[str, tuple[str | None, ...]]]]:
        tables = dict(all_rows(server))
        tables["items"].popitem()
        return list(tables.items())

    monkeypatch.setattr(showing, "all_rows", one_less)
    monkeypatch.setattr(showing, "SETTLE_S", 1.0)
    assert main(["demo", "--seconds", "3"]) == 1
    assert NOT_SAME in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    with start() as process:
        output = read_until(process, " INSERT ")
        process.send_signal(number)
        rest, _ = process.communicate()
    output += rest
    assert process.returncode == 0, output
    assert SAME in output
    assert re.search(r"^  state +Paused, phase stopped$", output, re.M), output
    assert left_behind(directory_of(output)) == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "  files "),
        (signal.SIGTERM, "$ obsync source prepare"),
        (signal.SIGHUP, "$ obsync project check"),
    ],
)
def test_a_signal_during_the_start_leaves_nothing(number: signal.Signals, moment: str) -> None:
    with start() as process:
        output = read_until(process, moment)
        process.send_signal(number)
        rest, _ = process.communicate()
    assert process.returncode == exit_codes.INTERRUPTED, output + rest
    assert left_behind(directory_of(output)) == []


@pytest.mark.parametrize("moment", ["$ obsync source add", " INSERT "])
def test_nothing_outlives_a_kill(moment: str) -> None:
    with start() as process:
        output = read_until(process, moment)
        process.kill()
    deadline_s = time.monotonic() + 10
    while (left := left_behind(directory_of(output))) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert left == []


def test_a_broker_that_does_not_answer_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    endpoint = f"127.0.0.1:{free_port()}"
    assert main(["demo", "--broker", endpoint]) == 10
    assert f"no Kafka answers at {endpoint}" in capsys.readouterr().err


def test_topics_that_cannot_be_deleted_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: EmbeddedKafka, topics: list[str]) -> None:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    monkeypatch.setattr(EmbeddedKafka, "remove", refuse)
    assert main(["demo", "--seconds", "1"]) == 0
    assert "topics that stay in Kafka: shop_items, shop_customers" in capsys.readouterr().out


def test_a_missing_engine_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["demo"]) == 3
    err = "obsync: demo: OceanBase's embedded engine is not installed. Run: pip install 'obsync[demo]'\n"
    assert capsys.readouterr() == ("", err)


def test_another_system_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert main(["demo"]) == 3
    assert "exists for Linux on x86-64 only, and this is Linux on aarch64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("上海上海", 8, "上海上海"),
        ("上海上海", 7, "上海上…"),
        ("", 0, ""),
    ],
)
def test_a_line_is_cut_to_columns(text: str, columns: int, expected: str) -> None:
    assert cut(text, columns) == expected


def test_an_update_shows_what_changed_and_null() -> None:
    change = Change("t", 0, "1", "UPDATE", {"id": "1", "a": None, "b": "x"}, {"id": "1", "a": "2", "b": "x"})
    assert change.line().endswith("  UPDATE  a NULL → 2")


def test_foreign_text_does_not_act_on_the_terminal() -> None:
    change = Change("t", 0, "\x1b[2J", "INSERT", {}, {"id": "1", "a": "x\x1b]0;title\x07\r" * 9})
    assert change.line().isprintable()
    assert len(change.line()) <= 80


def test_a_signal_is_kept_and_not_raised_into_what_is_done() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
        interruption.heed()
        interruption.check()
        signal.raise_signal(signal.SIGINT)
        assert interruption.count == 1
    assert signal.getsignal(signal.SIGTERM) is before
