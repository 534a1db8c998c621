"""Checks of this machine and installation, each finding with its cure."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.keys.action import Scope
from obsync_tui.model.finding import Finding
from obsync_tui.presenters import finding_rows as rows
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.view import View
from obsync_tui.widgets.table import Column, Table
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.DOCTOR, Scope.LIST, Scope.ALL)


class DoctorView(View, inherit_bindings=False):
    """What the doctor found, what needs something done first."""

    NAME = "doctor"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    DEFAULT_CSS = "DoctorView #finding { height: 6; }"
    help = (
        "Python, file systems, disk, limits, clocks, logout, permissions, and whether sources answer, as obsync doctor "
        "checks them. Below is the finding under the cursor in full. r checks again."
    )

    def __init__(self) -> None:
        super().__init__()
        self._findings: tuple[Finding, ...] = ()
        self._is_wanted = True

    @property
    def crumbs(self) -> Sequence[str]:
        """The view's name."""
        return ("Doctor",)

    def panes(self) -> Iterable[Widget]:
        """The findings, and the one under the cursor."""
        text = Column[Finding]
        columns = [
            text("level", "level", 6, rows.level_cell, rows.level_order),
            text("subject", "subject", 14, lambda of: Span(of.subject), lambda of: of.subject),
            text("check", "check", 16, lambda of: Span(of.check), lambda of: of.check),
            text("what", "found", 30, lambda of: Span(of.what), lambda of: of.what, grow=True),
        ]
        symbols = self.host.symbols
        yield Table[Finding]("Findings", columns, _key, id="findings", symbols=symbols, empty="checking …")
        pane = TextPane("Finding", id="finding", symbols=symbols)
        pane.is_wrapped = True
        yield pane

    async def fetch(self) -> None:
        """Run the checks, once and when asked again."""
        if self._is_wanted:
            self._is_wanted = False
            findings = await self.host.examine()
            self._findings = tuple(sorted(findings, key=rows.level_order))

    def paint(self) -> None:
        """The findings, and the one under the cursor."""
        table = self.query_one("#findings", Table)
        table.show(self._findings)
        current = table.current
        self.query_one("#finding", TextPane).show(
            rows.finding_lines(current) if isinstance(current, Finding) else []
        )

    def context(self) -> Line:
        """How many of each."""
        return rows.counted(self._findings) if self._findings else (Span(" checking …", Role.DIM),)

    def on_table_moved(self) -> None:
        """The other finding in full."""
        self.repaint()

    def do_open(self) -> None:
        """The finding in full."""
        current = self.query_one("#findings", Table).current
        if isinstance(current, Finding):
            self.host.show_text(f"{current.subject}: {current.check}", rows.finding_lines(current))

    def do_refresh(self) -> None:
        """Check again."""
        self._findings, self._is_wanted = (), True
        self.beat()


def _key(finding: Finding) -> str:
    return f"{finding.subject} {finding.check} {finding.what} {finding.where}"
