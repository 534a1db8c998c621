"""What can be done to projects: the lifecycle's actions, each with its question, on one or on several."""

from collections.abc import Sequence

from textual import work

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Action
from obsync_tui.model import lifecycle
from obsync_tui.model.errors import EngineError
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.project import is_name
from obsync_tui.model.views import Outcome, ProjectSummary
from obsync_tui.presenters.quantities import count_text, lag_cell, size_text
from obsync_tui.presenters.spans import Role
from obsync_tui.screens.dialogs import Answers, Asked, Confirm, ConfirmByName, Form
from obsync_tui.screens.view import View

_NOT_STARTED = ProjectState.NOT_STARTED
_WRONG_NAME = "letters, digits, _ and -, at most 64"


class ProjectActions(View, inherit_bindings=False):
    """A view of projects; `targets` are those that an action is for."""

    @property
    def targets(self) -> Sequence[ProjectSummary]:
        """What an action is for."""
        return ()

    def reason(self, action: Action) -> str:
        """The lifecycle's reason, of the only target or of all of them alike."""
        if general := super().reason(action):
            return general
        if not action.operation:
            return "" if not action.id.startswith("project.") or self.targets else "there is no project here"
        if not self.targets:
            return "there is no project here"
        reasons = [_reason(action, target) for target in self.targets]
        return reasons[0] if all(reasons) else ""

    def _able(self, action_id: str) -> list[ProjectSummary]:
        """The targets that the action is possible for."""
        action = next(action for action in self.actions if action.id == action_id)
        return [target for target in self.targets if not _reason(action, target)]

    def do_project_components(self) -> None:
        self.host.go("components", self.targets[0].name)

    def do_project_objects(self) -> None:
        self.host.go("objects", self.targets[0].name)

    def do_project_logs(self) -> None:
        self.host.go("logs", self.targets[0].name)

    def do_project_file(self) -> None:
        self.host.go("file", self.targets[0].name)

    @work(group="action")
    async def do_project_start(self) -> None:
        able = self._able("project.start")
        fresh = [target.name for target in able if target.state is _NOT_STARTED]
        stopped = [target.name for target in able if target.state is not _NOT_STARTED]
        if fresh:
            await self._batch(lifecycle.Action.START, fresh)
        if stopped:
            await self._batch(lifecycle.Action.RESUME, stopped)

    @work(group="action")
    async def do_project_pause(self) -> None:
        able = self._able("project.pause")
        said = [_what_runs(target) for target in able[:8]]
        if len(able) > 8:
            said.append(f"and {len(able) - 8} more")
        said += [
            "",
            "Nothing is lost: it stops at a checkpoint and goes on from there. Do not leave it paused for",
        ]
        said[-1] += " longer than the source keeps its log."
        if await self.app.push_screen_wait(Confirm(f"Pause {_names(able)}?", said)):
            await self._batch(lifecycle.Action.PAUSE, [target.name for target in able])

    @work(group="action")
    async def do_project_release(self) -> None:
        able = self._able("project.release")
        said = [
            "The links end for good. The checkpoint topic and view logs made for the project are removed, so it can "
            "never go on from where it is. The messages in the topics stay.",
            *[_what_runs(target) for target in able[:6]],
        ]
        if await self._typed("Release", able, said):
            await self._batch(lifecycle.Action.RELEASE, [target.name for target in able], release=True)

    @work(group="action")
    async def do_project_delete(self) -> None:
        able = self._able("project.delete")
        said = [
            "The project's file, its state, its metrics and its events are removed. This cannot be undone."
        ]
        if await self._typed("Delete", able, said):
            await self._batch(lifecycle.Action.DELETE, [target.name for target in able], release=True)

    @work(group="action")
    async def do_project_clone(self) -> None:
        await self._renamed("Clone", "project.clone")

    @work(group="action")
    async def do_project_rename(self) -> None:
        await self._renamed("Rename", "project.rename")

    async def _renamed(self, title: str, action_id: str) -> None:
        name = self._able(action_id)[0].name
        field = Asked("name", "New name", name, _WRONG_NAME)
        answers = await self.app.push_screen_wait(Form(f"{title} {name}", [field], _judge_name))
        if answers is None:
            return
        operation = api.CLONE if action_id == "project.clone" else api.RENAME
        to = dict(answers)["name"]
        try:
            done = await self.host.client.call(operation, ask.Rename(name, to))
        except EngineError as error:
            self.host.failed(error)
            return
        self.say(" ".join(done.notes) or f"{title.lower()}d: {to}", Role.GOOD)
        self.beat()

    async def _typed(self, verb: str, able: Sequence[ProjectSummary], said: Sequence[str]) -> bool:
        """Let the name be typed, or for several their number."""
        wanted = able[0].name if len(able) == 1 else str(len(able))
        title = f"{verb} {_names(able)}"
        dialog = ConfirmByName(title, said, wanted)
        return await self.app.push_screen_wait(dialog) is True

    async def _batch(self, action: lifecycle.Action, names: Sequence[str], release: bool = False) -> None:
        """Ask the engine, and say what came of each."""
        self.say(f"{action}: {', '.join(names)} …", Role.NOTE)
        request = ask.Batch(action, tuple(names), confirm=str(len(names)) if release else "")  # type: ignore[arg-type]
        try:
            outcomes = await self.host.client.call(api.BATCH, request)
        except EngineError as error:
            self.host.failed(error)
            return
        self._say_outcomes(action, outcomes)
        self.beat()

    def _say_outcomes(self, action: lifecycle.Action, outcomes: Sequence[Outcome]) -> None:
        failed = [outcome for outcome in outcomes if outcome.error]
        if failed:
            first = failed[0]
            more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
            self.say(f"{first.name}: {first.error}{more}", Role.BAD)
            return
        notes = " ".join(note for outcome in outcomes for note in outcome.notes)
        count = outcomes[0].name if len(outcomes) == 1 else f"{len(outcomes)} projects"
        self.say(f"{action}: {count}. {notes}".rstrip(". ") + ".", Role.GOOD)


def _reason(action: Action, target: ProjectSummary) -> str:
    if not action.operation:
        return ""
    if target.error:
        return "the project's file cannot be used: v shows it"
    if action.id == "project.start":
        fresh = target.state is _NOT_STARTED
        return lifecycle.reason(target.state, lifecycle.Action.START if fresh else lifecycle.Action.RESUME)
    return lifecycle.reason(target.state, lifecycle.Action(action.operation))


def _names(targets: Sequence[ProjectSummary]) -> str:
    return targets[0].name if len(targets) == 1 else f"{len(targets)} projects"


def _what_runs(target: ProjectSummary) -> str:
    backlog = (
        f"{count_text(target.backlog_rows)} rows, {size_text(target.backlog_bytes)} read but not delivered"
    )
    return f"{target.name}: lag {lag_cell(target.delivery_lag_s)}, {backlog}"


def _judge_name(answers: Answers) -> Answers:
    return tuple((key, _WRONG_NAME) for key, value in answers if not is_name(value))
