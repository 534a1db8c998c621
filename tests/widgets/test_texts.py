"""Lines as they are cut, wrapped and sent."""

from __future__ import annotations

import random

import pyte
import pytest
from rich.console import Console
from rich.style import Style

from obsync_tui.presenters.spans import Line, Role, Span, plain
from obsync_tui.widgets.filtering import read_filter
from obsync_tui.widgets.painting import fitted, strip_of
from obsync_tui.widgets.screen_diff import ScreenDiff
from obsync_tui.widgets.text_pane import shifted, wrapped


def rows(text: str, width: int) -> list[str]:
    return [plain(row) for row in wrapped((Span(text),), width)]


def test_prose_is_broken_at_blanks() -> None:
    assert rows("the quick brown fox jumps", 10) == ["the quick", "brown fox", "jumps"]
    assert rows("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
    assert rows("订单订单订单", 5) == ["订单", "订单", "订单"]
    assert rows("", 10) == [""] and rows("x", 1) == ["x"]


def test_roles_stay_where_they_were() -> None:
    line: Line = (Span("do: ", Role.DIM), Span("Start the broker.", Role.STRONG))
    assert wrapped(line, 10) == [
        (Span("do: ", Role.DIM), Span("Start", Role.STRONG)),
        (Span("the", Role.STRONG),),
        (Span("broker.", Role.STRONG),),
    ]


def test_an_endless_line_is_counted() -> None:
    text = " ".join(rows("x" * 10_000, 80))
    assert text.endswith("6000 characters more") and len(text) < 4200


def test_cut_lines_lose_their_beginning() -> None:
    assert plain(shifted((Span("abc"), Span("def")), 4)) == "ef"


@pytest.mark.parametrize(
    ("text", "width", "right", "shown"),
    [
        ("abc", 5, False, "abc  "),
        ("abc", 5, True, "  abc"),
        ("abcdef", 4, False, "abc…"),
        ("订单订", 4, False, "订… "),
        ("a\x1b", 5, False, "a\\x1b"),
        ("abc", 0, False, ""),
        ("👩\u200d👧", 9, False, "👩\\u200d…"),
    ],
)
def test_cells_have_exactly_their_width(text: str, width: int, right: bool, shown: str) -> None:
    assert fitted(text, width, right=right) == shown


def test_filters() -> None:
    kept, wrong = read_filter("!Run|fail")
    assert (kept.keeps("RUN incr"), kept.keeps("paused"), wrong) == (False, True, "")
    assert "regular expression" in read_filter("(")[1]


class Terminal:
    """A terminal emulator behind the diff."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.diff = ScreenDiff()
        self.console = Console(color_system="256", force_terminal=True)
        self.sent = 0

    def show(self, lines: list[Line]) -> None:
        update = self.diff.update(
            [strip_of(line, self.screen.columns, Style()) for line in lines], self.console
        )
        if update is not None:
            sequence = update.render_segments(self.console)
            self.sent += len(sequence)
            self.stream.feed(sequence)

    def styles(self, y: int) -> list[tuple[bool, bool, str]]:
        row = self.screen.buffer[y]
        return [(row[x].bold, row[x].reverse, row[x].fg) for x in range(self.screen.columns)]


def test_what_is_sent_is_what_is_shown() -> None:
    """A thousand random screens, each reached from the one before by the cells that differ."""
    draw = random.Random(3)
    letters = ["a", "b", "—", "订", "é", "█", " ", "\u202e", "x1"]
    roles = [Role.PLAIN, Role.BAD, Role.STRONG, Role.CURSOR]
    kept = Terminal(24, 6)
    lines: list[Line] = [()] * 6
    for _ in range(1000):
        for _ in range(draw.randrange(4)):
            spans = [
                Span("".join(draw.choices(letters, k=draw.randrange(9))), draw.choice(roles))
                for _ in range(3)
            ]
            lines[draw.randrange(6)] = tuple(spans)
        kept.show(list(lines))
        fresh = Terminal(24, 6)
        fresh.show(list(lines))
        assert kept.screen.display == fresh.screen.display
        assert [kept.styles(y) for y in range(6)] == [fresh.styles(y) for y in range(6)]


def test_what_has_not_changed_costs_nothing() -> None:
    it = Terminal(80, 24)
    lines: list[Line] = [(Span(f"row {n} of the table", Role.GOOD),) for n in range(24)]
    it.show(lines)
    before = it.sent
    it.show(list(lines))
    assert it.sent == before
    lines[3] = (Span("row 9 of the table", Role.GOOD),)
    it.show(lines)
    assert it.sent - before < 30, "one cell, its place and its colour"
    it.diff.forget()
    it.show(lines)
    assert it.sent - before > 24 * 80
