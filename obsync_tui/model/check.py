"""What a check finds."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a check ended; a warning does not stop the project."""

    PASS = "pass"
    WARNING = "warning"
    FAIL = "fail"
    NOT_RUN = "not run"


class CheckResult(msgspec.Struct, frozen=True):
    """One line of a precheck: about what (`subject`), which check, what was found, and what to run or set."""

    subject: str
    item: str
    outcome: Outcome
    text: str
    cure: str = ""
