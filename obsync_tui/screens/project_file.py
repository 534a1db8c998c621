"""A project's file, and how it differs from what runs."""

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Scope
from obsync_tui.model.views import ProjectFile
from obsync_tui.presenters.difference import difference_lines
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.one_project import OneProject
from obsync_tui.screens.project_changes import ProjectChanges
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.FILE, Scope.TEXT, Scope.ALL)


class ProjectFileView(OneProject, ProjectChanges, inherit_bindings=False):
    """The file as it stands, the difference above it."""

    NAME = "file"
    PLACE = "File"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "The project's TOML file as it stands on disk, above it how it differs from what runs. It may be edited with "
        "any editor; a running project takes an edit in only when A is pressed here."
    )

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self._file: ProjectFile | None = None

    def panes(self) -> Iterable[Widget]:
        """One text."""
        yield TextPane("File", symbols=self.host.symbols)

    async def fetch(self) -> None:
        """The file and its difference."""
        self._file = await self.host.client.call(api.FILE, ask.Named(self._project))

    def paint(self) -> None:
        """What is wrong, what differs, the text."""
        file = self._file
        if file is None:
            return
        lines: list[Line] = []
        if file.error:
            lines += [(Span(file.error, Role.BAD),), ()]
        if file.diff:
            lines += [
                (Span("What runs differs from the file:", Role.NOTE),),
                *difference_lines(file.diff),
                (),
            ]
        lines += [(Span(one),) for one in file.text.splitlines()]
        self.query_one(TextPane).show(lines)

    def context(self) -> Line:
        """Whether there is something to apply."""
        if self._file is None or self.away_line():
            return self.away_line()
        if self._file.error:
            return (Span(" the file cannot be used", Role.BAD),)
        changed = "the file differs from what runs: A puts it into force"
        return (
            (Span(f" {changed}", Role.NOTE),)
            if self._file.diff
            else (Span(" the file is what runs", Role.DIM),)
        )

    def do_text_wrap(self) -> None:
        self.query_one(TextPane).toggle_wrap()
