"""From view to view: the stack of screens, and the way back."""

import importlib
from collections.abc import Callable, Sequence

from textual.app import App

from obsync_tui.presenters.spans import Line, Role
from obsync_tui.screens.frame import Frame

Place = tuple[str, str]
_FIRST: Place = ("projects", "")
VIEWS = {
    "projects": ("projects", "ProjectsView"),
    "project": ("project", "ProjectView"),
    "sources": ("sources", "SourcesView"),
    "components": ("components", "ComponentsView"),
    "objects": ("objects", "ObjectsView"),
    "logs": ("logs", "LogsView"),
    "events": ("events", "EventsView"),
    "doctor": ("doctor", "DoctorView"),
    "engine": ("engine", "EngineView"),
    "file": ("project_file", "ProjectFileView"),
}


class Navigation:
    """Knows every view by name. Views of a project lie above its list; the others replace each other."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self._here: Place = _FIRST
        self._last: Place = _FIRST

    def begin(self) -> None:
        """Show the first view."""
        self._app.push_screen(make_view(*_FIRST))

    def go(self, view: str, project: str = "", part: str = "") -> None:
        """Show a view; one of a project lies above what is shown, unless that is another view of the project."""
        place = (view, project)
        if place == self._here:
            return
        self._last, self._here = self._here, place
        stack = self._app.screen_stack
        details = stack[2] if len(stack) > 2 else None
        is_above_details = isinstance(details, Frame) and details.place == ("project", project) != place
        for _ in range(len(stack) - (3 if is_above_details else 2)):
            self._app.pop_screen()
        if place != _FIRST:
            self._app.push_screen(make_view(view, project, part))

    def go_last(self) -> None:
        """Back and forth between two views."""
        self.go(*self._last)

    def go_back(self, quits: bool) -> None:
        """Down the stack; from the first view out of the console when it `quits`."""
        if len(self._app.screen_stack) > 2:
            self._app.pop_screen()
            top = self._app.screen
            self._last, self._here = self._here, top.place if isinstance(top, Frame) else _FIRST
        elif quits:
            self._app.exit(0)
        elif isinstance(self._app.screen, Frame):
            self._app.screen.say("q quits the console; the engine and its projects go on", Role.DIM)

    def show_help(self, view: Frame) -> None:
        """Explain a view and its keys."""
        from obsync_tui.screens.help import HelpView

        self._app.push_screen(HelpView(view))

    def show_text(self, title: str, lines: Sequence[Line | str]) -> None:
        """Show a text in full."""
        from obsync_tui.screens.text import TextView

        below = self._app.screen.crumbs if isinstance(self._app.screen, Frame) else ()
        self._app.push_screen(TextView(title, lines, below))

    def show_palette(self, view: Frame) -> None:
        """Let the user find an action, a view or a project."""
        from obsync_tui.screens.palette import Palette

        def chosen(found: str | None) -> None:
            kind, _, name = (found or "").partition(":")
            if kind == "do":
                view.action_perform(name)
            elif kind == "project":
                self.go("project", name)

        self._app.push_screen(Palette(view), chosen)


def make_view(view: str, project: str, part: str = "") -> Frame:
    """A view by name. Each is imported when it is first shown: the first one has to be there at once."""
    module, name = VIEWS[view]
    made: Callable[..., Frame] = getattr(importlib.import_module(f"obsync_tui.screens.{module}"), name)
    return made(*(argument for argument in (project, part) if argument))
