"""A project's objects: topic, table, progress, settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.errors import ErrorAnswer, RemoteError
from obsync_tui.model.views import ObjectView, TableDdl
from obsync_tui.presenters.zone import Zone
from tests.console.driving import console, run, running
from tests.fakes.console_client import START_S, FakeClient

OBJECTS = (
    ObjectView(
        "shop",
        "orders",
        "shop_orders",
        1_204_000,
        2_000_000,
        changes=1500,
        changed_s=START_S,
        sharding_columns=("customer",),
    ),
    ObjectView("shop", "items", "shop_items", 40, 0, full_done=True),
    ObjectView("a" * 64, "t[/b]\x1b]0;x\x07\u202e" * 700, "全部" * 60),
)


def client() -> FakeClient:
    made = FakeClient((running("orders"),))
    made.answers[api.OBJECTS.name] = OBJECTS
    return made


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_tables(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with console(client(), tmp_path, size=size) as it:
            await it.press("o")
            await it.sees("obsync › orders › Objects", "Objects (3)", "1 of 3 tables complete, 3 topics")
            items, orders, foreign = it.lines[4:7]
            assert items.split()[1:] == ["shop_items", "shop", "items", "40", "████", "100%"]
            assert orders.split()[:4] == ["shop_orders", "shop", "orders", "1.2M"]
            assert orders.split()[-2:] == ["1.5k", it.app.zone.clock(START_S)] or size[0] > 80
            assert "全部" in foreign and "\x1b" not in it.text and "\u202e" not in it.text
            await it.press("j", "enter")
            await it.sees(
                "obsync › orders › Objects › shop.orders", "1,204,000 rows of about 2,000,000", "customer"
            )
            await it.press("escape", "escape")
            await it.sees("Projects (1)")

    run(test)


def test_a_source_that_does_not_answer_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.OBJECTS.name] = RemoteError(
            ErrorAnswer("SourceUnreachable", "no answer", "10.0.0.1:3306", "Start it."), 502
        )
        async with console(fake, tmp_path) as it:
            await it.press("o")
            await it.sees("10.0.0.1:3306: no answer. Start it.", "Objects (0)")
            await it.press("enter")
            await it.sees("open: there is no table here")

    run(test)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_tables_stand_below_their_topic_and_database(tmp_path: Path, size: tuple[int, int]) -> None:
    names = [("all", "crm", "t1"), ("all", "crm", "t2"), ("all", "shop", "t1"), ("own", "shop", "t3")]
    names += [("rest", "shop", f"u{n:02}") for n in range(60)]

    async def test() -> None:
        fake = client()
        fake.answers[api.OBJECTS.name] = tuple(
            ObjectView(database, table, topic) for topic, database, table in reversed(names)
        )
        async with console(fake, tmp_path, size=size) as it:
            await it.press("o")
            await it.sees("Objects (64)", "0 of 64 tables complete, 3 topics")
            assert [line[2:].split() for line in it.lines[4:10]] == [
                ["all", "crm", "t1", "0", "-"],
                ["t2", "0", "-"],
                ["shop", "t1", "0", "-"],
                ["own", "shop", "t3", "0", "-"],
                ["rest", "shop", "u00", "0", "-"],
                ["u01", "0", "-"],
            ]
            # What the first row in sight belongs to is told when its group began above.
            await it.press("G")
            await it.sees("u59")
            assert it.lines[4][2:].split()[:2] == ["rest", "shop"]
            assert it.lines[5][2:].split()[0].startswith("u")
            # In another order every row tells where it belongs; so does what is copied.
            await it.press("g", "j", ">")
            await it.sees("sort database")
            assert [line[2:].split()[:3] for line in it.lines[4:7]] == [
                ["all", "crm", "t1"], ["all", "crm", "t2"], ["all", "shop", "t1"],
            ]  # fmt: skip
            await it.press("Y")
            assert '"topic":"all","database":"crm","table":"t2"' in (tmp_path / "clipboard.txt").read_text()

    run(test)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_statement_that_makes_a_table_is_shown_and_copied(tmp_path: Path, size: tuple[int, int]) -> None:
    text = (
        "CREATE TABLE `orders` (\n"
        + ",\n".join(f"  `c{n}` int" for n in range(60))
        + "\n) COMMENT='\x1b[31m[/b]'"
    )

    async def test() -> None:
        fake = client()
        fake.answers[api.DDL.name] = TableDdl("shop", "orders", "ob", text)
        async with console(fake, tmp_path, size=size) as it:
            await it.press("o")
            await it.sees("Objects (3)")
            await it.press("j", "d")
            await it.sees("Objects › shop.orders: DDL of ob", "CREATE TABLE `orders` (", "  `c9` int,")
            assert fake.requests(api.DDL) == [ask.Ddl("orders", "shop.orders")]
            await it.press("G")
            await it.sees(r") COMMENT='\x1b[31m[/b]';", "62 of 62")
            await it.press("Y")
            assert (tmp_path / "clipboard.txt").read_text() == text + ";"
            await it.press("escape")
            await it.sees("Objects (3)")

    run(test)


def test_a_table_that_is_gone_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.DDL.name] = RemoteError(
            ErrorAnswer("ConfigError", "the source has no table shop.orders now", "ob", "It was dropped."),
            404,
        )
        async with console(fake, tmp_path) as it:
            await it.press("o")
            await it.sees("Objects (3)")
            await it.press("j", "d")
            await it.sees("ob: the source has no table shop.orders now. It was dropped.", "Objects (3)")

    run(test)


def test_five_thousand_tables_are_filtered_without_drawing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []
    short = Zone.short

    def counted(self: Zone, at_s: float, now_s: float) -> str:
        drawn.append(at_s)
        return short(self, at_s, now_s)

    monkeypatch.setattr(Zone, "short", counted)

    async def test() -> None:
        fake = client()
        tables = [
            ObjectView("shop", f"t{n:04}", f"t{n:04}", changes=1, changed_s=START_S) for n in range(5000)
        ]
        fake.answers[api.OBJECTS.name] = tuple(tables)
        async with console(fake, tmp_path) as it:
            await it.press("o")
            await it.sees("Objects (5000)")
            await it.press("G")
            await it.sees(" t4999  ")
            drawn.clear()
            await it.press("slash")
            await it.type("t12..")
            await it.sees("Objects (100 of 5000)")
            assert 0 < len(drawn) < 1000

    run(test)


def test_the_engine_s_facts(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(client(), tmp_path) as it:
            await it.press("5")
            await it.sees(
                "obsync › Engine",
                "3, 2 running",
                "80MB",
                "2 % of a core",
                "/home/dba/run/engine.sock",
                "look and act",
            )

    run(test)
