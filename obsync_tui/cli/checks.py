"""Results of checks, one line an item."""

from collections.abc import Sequence
from typing import Protocol

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show_json
from obsync_tui.terminal.sanitizer import visible


class Result(Protocol):
    """What a check found: `outcome` is pass, warning or fail, `cure` the statement or setting that helps."""

    @property
    def subject(self) -> str: ...
    @property
    def item(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def cure(self) -> str: ...


def show_results(results: Sequence[Result], *, as_json: bool) -> int:
    """Print the results; the exit code says whether one failed."""
    if as_json:
        show_json(list(results))
    else:
        for result in results:
            line = f"{result.outcome:<8} {result.subject}: {result.item}: {result.text}"
            if result.cure and result.outcome != "pass":
                line = f"{line.rstrip('.')}. {result.cure}"
            print(visible(line))
    failed = any(result.outcome == "fail" for result in results)
    return exit_codes.CHECK_FAILED if failed else exit_codes.OK
