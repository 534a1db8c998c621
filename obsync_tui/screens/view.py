"""What the keys do that mean the same in every view."""

from textual import work

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.errors import EngineError
from obsync_tui.presenters.spans import Role
from obsync_tui.screens.dialogs import ConfirmByName
from obsync_tui.screens.export import export
from obsync_tui.screens.frame import Frame
from obsync_tui.terminal.sanitizer import visible
from obsync_tui.widgets.pane import Move, Pane
from obsync_tui.widgets.table import Table


class View(Frame, inherit_bindings=False):
    """A view with the actions that all have: cursor, filter, marks, order, copies, other views."""

    @property
    def rows(self) -> "Table[object] | None":
        """The pane that the keys go to, when it is a table."""
        return self.pane if isinstance(self.pane, Table) else None

    def on_table_opened(self) -> None:
        """A second click on a row does what Enter does."""
        self.action_perform("open")

    def _move(self, step: Move) -> None:
        if self.pane is not None:
            self.pane.move(step)

    def do_cursor_up(self) -> None:
        self._move(Move.UP)

    def do_cursor_down(self) -> None:
        self._move(Move.DOWN)

    def do_cursor_page_up(self) -> None:
        self._move(Move.PAGE_UP)

    def do_cursor_page_down(self) -> None:
        self._move(Move.PAGE_DOWN)

    def do_cursor_home(self) -> None:
        self._move(Move.HOME)

    def do_cursor_end(self) -> None:
        self._move(Move.END)

    def do_cursor_left(self) -> None:
        self._move(Move.LEFT)

    def do_cursor_right(self) -> None:
        self._move(Move.RIGHT)

    def do_pane_next(self) -> None:
        self.focus_next(Pane)

    def do_pane_previous(self) -> None:
        self.focus_previous(Pane)

    def do_filter(self) -> None:
        self.open_filter()

    def do_find_next(self) -> None:
        self._find(True)

    def do_find_previous(self) -> None:
        self._find(False)

    def _find(self, forward: bool) -> None:
        if self.pane is not None and not self.pane.find(forward):
            self.say("no further match; / starts a search", Role.DIM)

    def do_back(self) -> None:
        """Esc takes away one thing: what is typed, the filter, the marks, the view."""
        if self.is_filtering or self.is_filtered:
            self.close_filter(clear=True)
        elif self.rows is not None and self.rows.marks:
            self.rows.marks = set()
            self.rows.repaint()
        else:
            self.host.go_back()

    def do_mark(self) -> None:
        if self.rows is not None:
            self.rows.mark()

    def do_mark_all(self) -> None:
        if self.rows is not None:
            self.rows.mark_all()

    def do_sort_right(self) -> None:
        if self.rows is not None:
            self.rows.sort_next(1)

    def do_sort_left(self) -> None:
        if self.rows is not None:
            self.rows.sort_next(-1)

    def do_sort_invert(self) -> None:
        if self.rows is not None:
            self.rows.invert()

    def do_columns_wide(self) -> None:
        if self.rows is not None:
            self.rows.toggle_wide()

    def do_copy_value(self) -> None:
        if self.pane is not None:
            self.say(self.host.copy(self.pane.value()))

    def do_copy_row(self) -> None:
        if self.pane is not None:
            self.say(self.host.copy(self.pane.whole()))

    def do_export(self) -> None:
        if self.pane is not None:
            name = "-".join(self.crumbs) or "view"
            self.say(export(self.host.state_directory, name, self.host.now_s, self.pane))

    def do_paint_pause(self) -> None:
        self.host.toggle_frozen()

    def do_refresh(self) -> None:
        self.beat()

    def do_redraw(self) -> None:
        self.host.redraw()

    def do_theme(self) -> None:
        self.say(f"theme {visible(self.host.next_theme())}")

    def do_help(self) -> None:
        self.host.show_help(self)

    def do_palette(self) -> None:
        self.host.show_palette(self)

    def do_view_projects(self) -> None:
        self.host.go("projects")

    def do_view_sources(self) -> None:
        self.host.go("sources")

    def do_view_events(self) -> None:
        self.host.go("events")

    def do_view_logs(self) -> None:
        self.host.go("logs")

    def do_view_engine(self) -> None:
        self.host.go("engine")

    def do_view_doctor(self) -> None:
        self.host.go("doctor")

    def do_view_last(self) -> None:
        self.host.go_last()

    @work(group="action")
    async def do_quit_stop(self) -> None:
        said = [
            "Every project stops at a checkpoint, then the engine ends. Projects that run now go on when an engine"
        ]
        said[0] += " starts again: obsync engine start, or the console."
        if await self.app.push_screen_wait(ConfirmByName("Stop the engine with all projects", said, "stop")):
            try:
                await self.host.client.call(api.STOP_ENGINE, ask.Nothing())
            except EngineError as error:
                self.host.failed(error)
                return
            self.host.quit()

    def do_quit(self) -> None:
        self.host.go_back(quits=True)
