"""The newest messages of a table, live while the view is open."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Scope
from obsync_tui.model.trace import MessageSample
from obsync_tui.presenters.spans import Span
from obsync_tui.presenters.trace_rows import sample_lines
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.view import View
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.TEXT, Scope.ALL)
_NEWEST = 20
_NONE = "no message of this table was sent since the project was started"


class SamplesView(View, inherit_bindings=False):
    """Messages as they go out; they are read only while somebody looks."""

    NAME = "samples"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = "The newest messages of a table as they went out, the newest first, long ones cut. p freezes the picture."

    def __init__(self, project: str, table: str) -> None:
        super().__init__()
        self._project, self._of = project, table
        self._samples: tuple[MessageSample, ...] = ()

    @property
    def crumbs(self) -> Sequence[str]:
        """Below the table."""
        return self._project, "Objects", self._of, "Samples"

    def panes(self) -> Iterable[Widget]:
        """One text."""
        pane = TextPane("Messages", symbols=self.host.symbols)
        pane.is_wrapped = True
        yield pane

    async def fetch(self) -> None:
        """The newest."""
        request = ask.Samples(self._project, self._of, _NEWEST)
        self._samples = await self.host.client.call(api.SAMPLES, request)

    def paint(self) -> None:
        """The messages."""
        lines = sample_lines(self._samples, self.host.zone)
        self.query_one(TextPane).show(lines or [(Span(_NONE),)])

    def do_text_wrap(self) -> None:
        self.query_one(TextPane).toggle_wrap()
