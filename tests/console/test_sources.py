"""Data sources: the list, tests, descriptions, edits, copies, deletion."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.errors import ErrorAnswer, RemoteError
from obsync_tui.model.check import CheckResult, Outcome
from obsync_tui.model.datasource import KafkaSource, LogChoice, MySQLSource, OceanBaseSource
from obsync_tui.model.project import Step
from obsync_tui.model.secret import SecretReference
from obsync_tui.model.table import TableName
from obsync_tui.model.tenant import Available, Choice, Description, StepRights, Tenant
from obsync_tui.model.viewlog import ListedLog
from obsync_tui.model.views import Done, Script, SourceView
from tests.console.driving import console, run
from tests.fakes.console_client import FakeClient

MYSQL = MySQLSource("mysql", "10.0.0.1", "reader", password=SecretReference("sealed:***"))
SOURCES = (
    SourceView("broken", error="line 2: no such kind"),
    SourceView("kafka", KafkaSource("kafka", "k1:9092,k2:9092"), ("orders", "stock")),
    SourceView("mysql", MYSQL),
    SourceView("ob", OceanBaseSource("ob", "10.0.0.2", "sync@shop#c1"), ("orders",)),
)
RESULTS = (
    CheckResult("kafka", "reachable", Outcome.PASS, "3 brokers"),
    CheckResult("kafka", "transactions", Outcome.WARNING, "slow", "Look at the disk."),
    CheckResult("kafka", "rights", Outcome.FAIL, "no write", "GRANT [/x] \x1b[0m"),
)


def client() -> FakeClient:
    made = FakeClient()
    made.answers[api.SOURCES.name] = SOURCES
    return made


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_list(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with console(client(), tmp_path, size=size) as it:
            await it.press("2")
            await it.sees(
                "obsync › Data sources",
                "Data sources (4)",
                "line 2: no such kind",
                "k1:9092,k2:9092",
                "orders stock",
            )
            await it.press("G")
            await it.sees("ob ──", "tenant    shop of cluster c1", "used by   orders")
            assert "sealed" not in it.text

    run(test)


def test_a_test_says_what_was_found_and_what_to_do(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.TEST_SOURCE.name] = RESULTS
        async with console(fake, tmp_path) as it:
            await it.press("2")
            await it.sees("Data sources (4)")
            await it.press("j", "t")
            await it.sees(
                "kafka: 1 of 3 checks failed",
                "ok   kafka reachable: 3 brokers",
                "FAIL kafka rights: no write",
                r"do: GRANT [/x] \x1b[0m",
            )
            assert fake.requests(api.TEST_SOURCE) == [ask.Named("kafka")]

    run(test)


def test_a_tenant_is_described_with_what_is_missing(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.DESCRIBE.name] = Description(
            "4.3.5.0", Tenant("shop", "c1", undo_retention_s=1800), "'sync'@'%'", Available(False, "no binlog instance", "CREATE BINLOG"),
            Available(True, "4.3"), Choice(LogChoice.VIEW_LOG, "asked for"), "", 0.4, ("shop",),
            (StepRights(Step.FULL, None, ("GRANT SELECT ON shop.* TO sync",)), StepRights(Step.SCHEMA, None, ())),
        )  # fmt: skip
        fake.answers[api.PREPARE.name] = Script("CREATE USER sync;")
        fake.answers[api.VIEW_LOGS.name] = (ListedLog(TableName("shop", "item"), 5, 1, 2, "", True, 786432),)
        async with console(fake, tmp_path) as it:
            await it.press("2")
            await it.sees("Data sources (4)")
            await it.press("d")
            await it.sees("describe: its file cannot be used")
            await it.press("j", "d")
            await it.sees("describe: only OceanBase tenants are described")
            await it.press("G", "d")
            await it.sees(
                "4.3.5.0",
                "Binlog Service: no  no binlog instance",
                "view-log: asked for",
                "GRANT SELECT ON shop.* TO sync;",
                "rights for schema: nothing is missing",
            )
            await it.press("G")
            await it.sees("CREATE USER sync;")
            await it.press("escape", "o")
            await it.sees("shop.item  owner orphan: its project is gone")

    run(test)


def test_an_edit_is_judged_and_keeps_the_masked_secret(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.PUT_SOURCE.name] = SOURCES[2]
        async with console(fake, tmp_path) as it:
            await it.press("2")
            await it.sees("Data sources (4)")
            await it.press("j", "j", "e")
            await it.sees("Edit mysql", "Host", "Port", "Seconds to connect")
            await it.press("tab")
            await it.type("x")
            await it.press("enter", "enter", "enter")
            await it.sees("not a number")
            await it.press("backspace", "enter", "enter", "enter")
            await it.sees("mysql is written; t tests it")
            assert fake.requests(api.PUT_SOURCE) == [ask.PutSource(MYSQL, True)]

    run(test)


def test_a_copy_gets_its_own_name(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.COPY_SOURCE.name] = lambda request: SourceView(request.to)
        async with console(fake, tmp_path) as it:
            await it.press("2")
            await it.sees("Data sources (4)")
            await it.press("j", "j", "C")
            await it.type("/")
            await it.press("enter")
            await it.sees("letters, digits, _ and -")
            await it.press("backspace", "2", "enter")
            await it.sees("mysql2 is written; t tests it")
            assert fake.requests(api.COPY_SOURCE) == [ask.Rename("mysql", "mysql2")]
            fake.answers[api.COPY_SOURCE.name] = RemoteError(
                ErrorAnswer("ConfigError", "the data source 'ob' exists", "a copy", "Give another name."), 422
            )
            await it.press("C", "2", "enter")
            await it.sees("a copy: the data source 'ob' exists. Give another name.")

    run(test)


def test_what_is_used_is_not_deleted(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.DELETE_SOURCE.name] = Done()
        async with console(fake, tmp_path) as it:
            await it.press("2")
            await it.sees("Data sources (4)")
            await it.press("j", "D")
            await it.sees("delete: kafka is used by orders, stock")
            await it.press("j", "D")
            await it.sees("Delete mysql")
            await it.type("mysql")
            await it.press("enter")
            await it.sees("done")
            assert fake.requests(api.DELETE_SOURCE) == [ask.Named("mysql")]

    run(test)
