"""What the doctor finds: one finding a check, each with what helps."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How serious a finding is: a warning costs something or may, with a failure obsync does not work."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


class Finding(msgspec.Struct, frozen=True):
    """About what (`subject`), which check, what was found, where, and what to run or set; `cure` is empty when ok."""

    subject: str
    check: str
    level: Level
    what: str
    where: str = ""
    cure: str = ""


class About(msgspec.Struct, frozen=True):
    """What findings are about; makes them."""

    subject: str

    def ok(self, check: str, what: str, where: str = "") -> Finding:
        """All is well."""
        return Finding(self.subject, check, Level.OK, what, where)

    def warning(self, check: str, what: str, cure: str, where: str = "") -> Finding:
        """It costs something, or may."""
        return Finding(self.subject, check, Level.WARNING, what, where, cure)

    def failure(self, check: str, what: str, cure: str, where: str = "") -> Finding:
        """Obsync does not work with it."""
        return Finding(self.subject, check, Level.FAILURE, what, where, cure)
