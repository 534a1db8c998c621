"""What changes one project: its time, its progress, its tags, a gap, and the precheck."""

from __future__ import annotations

from pathlib import Path

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.errors import ErrorAnswer, RemoteError
from obsync_tui.model.check import CheckResult, Outcome
from obsync_tui.model.gap import Gap, Survey, TableGap
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.moment import Moment
from obsync_tui.model.position import LogPosition
from obsync_tui.model.retime import FoundPosition, Retime, Retimed, Stretch
from obsync_tui.model.table import TableName
from obsync_tui.model.views import Done, ProjectFile
from tests.console.driving import Driven, console, run, standing
from tests.console.figures import EVENTS, SERIES, details
from tests.fakes.console_client import START_S, FakeClient

ITEM = TableName("shop", "item")


def paused() -> FakeClient:
    summary = standing("orders", ProjectState.PAUSED)
    made = FakeClient((summary,))
    made.answers[api.PROJECT.name] = details(summary)
    made.answers[api.EVENTS.name] = EVENTS
    made.answers[api.METRICS.name] = SERIES
    return made


async def opened(it: Driven) -> None:
    await it.press("enter")
    await it.sees("Events (2)")


def test_the_time_is_set_after_its_plan_was_seen(tmp_path: Path) -> None:
    async def test() -> None:
        at = Moment.of(START_S - 3600)
        found = FoundPosition(at, LogPosition("uuid:1-50"), None, at, at, repeated=Stretch(40, at, at))
        client = paused()
        client.answers[api.RETIME.name] = lambda request: Retimed(
            Retime(found, LogPosition("uuid:1-90"), 3),
            ("orders stands at uuid:1-50",) if request.confirm else (),
        )
        async with console(client, tmp_path) as it:
            await opened(it)
            await it.press("T")
            await it.sees("Set the time of orders")
            await it.type("yesterday")
            await it.press("enter")
            assert not client.requests(api.RETIME), "a time that is none is not asked for"
            await it.press(*["backspace"] * 9)
            await it.type(f"{START_S - 3600:.0f}")
            await it.press("enter")
            await it.sees(
                "Set orders to this position", "uuid:1-50", "now at       uuid:1-90", "40 transactions"
            )
            await it.type("orders")
            await it.press("enter")
            await it.sees("orders stands at uuid:1-50")
            assert client.requests(api.RETIME) == [
                ask.Retime("orders", START_S - 3600),
                ask.Retime("orders", START_S - 3600, "orders"),
            ]

    run(test)


def test_progress_is_forgotten_by_name_only(tmp_path: Path) -> None:
    async def test() -> None:
        client = paused()
        client.answers[api.RESET.name] = Done(("forgotten",))
        async with console(client, tmp_path) as it:
            await opened(it)
            await it.press("Z")
            await it.sees("every row comes once more")
            await it.press("escape")
            await it.sees("Events (2)")
            assert not client.requests(api.RESET)
            await it.press("Z")
            await it.type("orders")
            await it.press("enter")
            await it.sees("forgotten")
            assert client.requests(api.RESET) == [ask.Confirmed("orders", "orders")]

    run(test)


def test_a_gap_is_looked_at_and_decided(tmp_path: Path) -> None:
    async def test() -> None:
        client = paused()
        client.answers[api.GAP.name] = Gap(
            "uuid:1-50", Survey("uuid:1-90", "uuid:51-60", (TableGap(ITEM, "purged"),)), (ITEM,)
        )
        client.answers[api.DECIDE.name] = Done(("shop.item will be read again",))
        async with console(client, tmp_path) as it:
            await opened(it)
            await it.press("B")
            await it.sees("changes are out of reach", "read again", "give up")
            await it.press("enter")
            await it.sees("out of reach   uuid:51-60", "shop.item")
            await it.press("escape")
            await it.sees("Events (2)")
            await it.press("B")
            await it.sees("read again")
            await it.press("down", "enter")
            await it.sees("Read all tables again of orders")
            await it.type("orders")
            await it.press("enter")
            await it.sees("shop.item will be read again s goes on")
            assert client.requests(api.DECIDE) == [ask.Decide("orders", resync_all=True)]

    run(test)


def test_the_precheck_is_shown_with_its_cures(tmp_path: Path) -> None:
    async def test() -> None:
        client = paused()
        client.answers[api.CHECK.name] = (
            CheckResult("shop", "rights", Outcome.FAIL, "no SELECT", "GRANT SELECT ON shop.* TO u"),
        )
        async with console(client, tmp_path) as it:
            await opened(it)
            await it.press("K")
            await it.sees(
                "Precheck of orders", "FAIL shop rights: no SELECT", "do: GRANT SELECT ON shop.* TO u"
            )

    run(test)


def test_tags_are_saved_with_what_was_read_and_comments_are_asked_about(tmp_path: Path) -> None:
    async def test() -> None:
        client = paused()

        def save(request: ask.SaveProject) -> ProjectFile:
            if not request.over_comments:
                raise RemoteError(
                    ErrorAnswer("Conflict", "the file has comments, which saving would remove"), 409
                )
            return ProjectFile("orders", "", "d2")

        client.answers[api.SAVE.name] = save
        async with console(client, tmp_path) as it:
            await opened(it)
            await it.press("t")
            await it.sees("Tags of orders")
            await it.type("a b!")
            await it.press("enter")
            await it.sees("each of letters, digits")
            await it.press("backspace", "enter")
            await it.sees("Overwrite the comments of orders?")
            await it.press("y")
            await it.sees("orders is saved")
            last = client.requests(api.SAVE)[-1]
            assert (last.project.tags, last.digest, last.over_comments) == (("a", "b"), "d1", True)

    run(test)


def test_stopping_the_engine_wants_the_word(tmp_path: Path) -> None:
    async def test() -> None:
        client = paused()
        client.answers[api.STOP_ENGINE.name] = Done()
        async with console(client, tmp_path) as it:
            await it.press("Q")
            await it.sees("Stop the engine with all projects")
            await it.type("stop")
            await it.press("enter")
            await it.until(lambda: not it.app.is_running)
            assert it.app.return_value == -1 and client.requests(api.STOP_ENGINE) == [ask.Nothing()]

    run(test)
