"""A point of time as a person gives it, and as it is told back: local, UTC and epoch."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = re.compile(r"\A\d{1,11}(\.\d{1,6})?\Z")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FORMS = "Write ISO 8601 with its zone, such as 2026-11-25T10:00:00+08:00 or …Z, or seconds since 1970."


class Moment(msgspec.Struct, frozen=True):
    """A point of time in microseconds, UTC epoch."""

    at_us: int

    @classmethod
    def of(cls, at_s: float) -> "Moment":
        """The point of time that is given in seconds."""
        return cls(round(at_s * 1_000_000))

    @property
    def at_s(self) -> float:
        """The same in seconds."""
        return self.at_us / 1_000_000

    @property
    def local(self) -> str:
        """ISO 8601 in this machine's zone."""
        return (_BEGINNING + timedelta(microseconds=self.at_us)).astimezone().isoformat()

    @property
    def utc(self) -> str:
        """ISO 8601 in UTC."""
        return (_BEGINNING + timedelta(microseconds=self.at_us)).isoformat().replace("+00:00", "Z")

    @property
    def epoch(self) -> str:
        """Seconds since 1970, with as many digits as it needs."""
        whole, micros = divmod(self.at_us, 1_000_000)
        return f"{whole}.{micros:06d}".rstrip("0") if micros else str(whole)


def parse_moment(text: str) -> Moment:
    """Read ISO 8601 with a zone, or seconds since 1970; ValueError says what is missing."""
    if _EPOCH.match(text):
        whole, _, fraction = text.partition(".")
        return Moment(int(whole) * 1_000_000 + int(fraction.ljust(6, "0")))
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"not a point of time. {FORMS}") from error
    if read.tzinfo is None:
        raise ValueError(f"a point of time without its zone. {FORMS}")
    at_us = (read - _BEGINNING) // timedelta(microseconds=1)
    if at_us < 0:
        raise ValueError(f"a point of time before 1970. {FORMS}")
    return Moment(at_us)
