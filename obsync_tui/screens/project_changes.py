"""What changes one project beyond its state: its point of time, its progress, its tags, and the precheck before."""

from collections.abc import Sequence

import msgspec
from textual import work

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.keys.action import Action
from obsync_tui.model.errors import EngineError
from obsync_tui.model.moment import parse_moment
from obsync_tui.model.project import Project, is_name
from obsync_tui.presenters.gap_lines import gap_lines
from obsync_tui.presenters.retime_plan import plan_lines
from obsync_tui.presenters.source_rows import check_lines, checks_said
from obsync_tui.presenters.spans import Role
from obsync_tui.screens.dialogs import Answers, Asked, Choose, Confirm, ConfirmByName, Form, Option
from obsync_tui.screens.project_actions import ProjectActions

_CONFLICT = "Conflict"
_DECISIONS = (
    Option("look", "look", "at what is out of reach, and do nothing"),
    Option("resync", "read again", "all tables, then go on: every row comes once more"),
    Option("accept", "give up", "the changes that are out of reach, and go on after them"),
)
_LOSS = {"resync": "Read all tables again", "accept": "Give up the changes that are out of reach"}


class ProjectChanges(ProjectActions, inherit_bindings=False):
    """A view of projects whose first target can be changed."""

    def reason(self, action: Action) -> str:
        """Only a file that differs from what runs can be put into force."""
        if general := super().reason(action):
            return general
        if action.id == "project.apply" and not self.targets[0].file_changed:
            return "the file does not differ from what runs"
        return ""

    async def ask_engine(self, operation: Operation[Request, Response], request: Request) -> Response | None:
        """One call; None when it failed, which is said."""
        try:
            return await self.host.client.call(operation, request)
        except EngineError as error:
            self.host.failed(error)
            return None

    @work(group="action")
    async def do_project_reset(self) -> None:
        """Ask for the time, show what it means, let the name be typed."""
        name = self.targets[0].name
        field = Asked(
            "at", "Go on from", "", "2026-11-25 12:03:09, +08:00 or Z behind it, or seconds of the epoch"
        )
        answers = await self.app.push_screen_wait(Form(f"Set the time of {name}", [field], _judge_moment))
        if answers is None:
            return
        at_s = parse_moment(dict(answers)["at"]).at_s
        self.say(f"asking the source of {name} …", Role.NOTE)
        found = await self.ask_engine(api.RETIME, ask.Retime(name, at_s))
        if found is None:
            return
        said = [f"{label:<12} {text}" for label, text in plan_lines(found.plan)]
        if found.plan.unknown:
            self.host.show_text(f"{name}: not possible", said)
            return
        if await self.app.push_screen_wait(ConfirmByName(f"Set {name} to this position", said, name)):
            done = await self.ask_engine(api.RETIME, ask.Retime(name, at_s, name))
            self.tell(done.notes if done else None)

    @work(group="action")
    async def do_project_forget(self) -> None:
        """Let the name be typed."""
        name = self.targets[0].name
        said = [
            "Its checkpoint is removed. At the next start all tables are read again, and every row comes once more."
        ]
        if await self.app.push_screen_wait(ConfirmByName(f"Forget the progress of {name}", said, name)):
            done = await self.ask_engine(api.RESET, ask.Confirmed(name, name))
            self.tell(done.notes if done else None)

    @work(group="action")
    async def do_project_gap(self) -> None:
        """Show the gap; where there is one, let it be chosen what becomes of it, and the name be typed."""
        name = self.targets[0].name
        self.say(f"asking the source of {name} …", Role.NOTE)
        found = await self.ask_engine(api.GAP, ask.Named(name))
        if found is None:
            return
        said = [f"{label:<14} {text}" for label, text in gap_lines(found)]
        if not (found.survey.lost or found.survey.gaps):
            self.host.show_text(f"{name}: no gap", said)
            return
        choice = await self.app.push_screen_wait(Choose(f"{name}: changes are out of reach", _DECISIONS))
        if choice == "look":
            self.host.show_text(f"{name}: the gap", said)
        elif choice:
            dialog = ConfirmByName(f"{_LOSS[choice]} of {name}", said, name)
            if not await self.app.push_screen_wait(dialog):
                return
            decided = ask.Decide(name, resync_all=choice == "resync", accept=choice == "accept")
            done = await self.ask_engine(api.DECIDE, decided)
            self.tell((*done.notes, "s goes on") if done else None)

    @work(group="action")
    async def do_project_apply(self) -> None:
        """Ask, then let the running project take its file in."""
        name = self.targets[0].name
        said = [
            "What can change live changes at once; for the rest the project stops at a checkpoint and goes on."
        ]
        if await self.app.push_screen_wait(Confirm(f"Put the file of {name} into force?", said)):
            await self.apply_file(name)

    async def apply_file(self, name: str) -> None:
        """Let the running project take its file in, and say what came of it."""
        applied = await self.ask_engine(api.APPLY, ask.Named(name))
        if applied is not None and applied.never:
            refused = "; ".join(f"{change.key}: {change.why}" for change in applied.never)
            self.say(f"not applied: {refused}", Role.BAD)
        elif applied is not None:
            restarted = ", ".join(change.key for change in applied.restart)
            self.tell((f"applied; restarting at the checkpoint for {restarted}" if restarted else "applied",))

    @work(group="ask")
    async def do_project_check(self) -> None:
        """Run the checks and show them."""
        name = self.targets[0].name
        self.say(f"checking {name} …", Role.NOTE)
        results = await self.ask_engine(api.CHECK, ask.Named(name))
        if results is None:
            return
        self.host.show_text(f"Precheck of {name}", check_lines(results))
        said = checks_said(results)
        self.say(said.text, said.role)

    @work(group="action")
    async def do_project_tag(self) -> None:
        """Let the tags be typed, and save the file that was read."""
        name = self.targets[0].name
        details = await self.ask_engine(api.PROJECT, ask.Named(name))
        if details is None:
            return
        field = Asked(
            "tags", "Tags", " ".join(details.project.tags), "separated by blanks; letters, digits, _ and -"
        )
        answers = await self.app.push_screen_wait(Form(f"Tags of {name}", [field], _judge_tags))
        if answers is not None:
            tags = tuple(dict.fromkeys(dict(answers)["tags"].split()))
            if await self.save(msgspec.structs.replace(details.project, tags=tags), details.digest):
                self.tell((f"{name} is saved",))

    async def save(self, project: Project, digest: str) -> bool:
        """Save; where comments would be lost, ask first. A file that was changed meanwhile is never overwritten.

        False when it is not saved, which is said unless it was wished.
        """
        for over_comments in (False, True):
            try:
                request = ask.SaveProject(project.name, project, digest, over_comments)
                await self.host.client.call(api.SAVE, request)
                return True
            except RemoteError as error:
                if error.code != _CONFLICT or over_comments or "comments" not in error.what:
                    self.host.failed(error)
                    return False
                said = [
                    error.what,
                    "",
                    "y saves without them; n leaves the file as it is, to be edited by hand.",
                ]
                if not await self.app.push_screen_wait(
                    Confirm(f"Overwrite the comments of {project.name}?", said)
                ):
                    return False
            except EngineError as error:
                self.host.failed(error)
                return False
        return False

    def tell(self, notes: Sequence[str] | None) -> None:
        """Say what was done, None being nothing, and look anew."""
        if notes is not None:
            self.say(" ".join(notes) or "done", Role.GOOD)
            self.beat()


def _judge_moment(answers: Answers) -> Answers:
    wrong = []
    for key, value in answers:
        try:
            parse_moment(value)
        except ValueError as error:
            wrong.append((key, str(error)))
    return tuple(wrong)


def _judge_tags(answers: Answers) -> Answers:
    said = "each of letters, digits, _ and -"
    return tuple((key, said) for key, value in answers if not all(is_name(tag) for tag in value.split()))
