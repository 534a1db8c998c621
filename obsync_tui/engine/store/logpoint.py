"""What a log holds before a point of time, and the times that a log can be asked for."""

import msgspec

from obsync_tui.engine.errors import ConfigError, LogGap
from obsync_tui.model.moment import Moment


class LogPoint(msgspec.Struct, frozen=True):
    """Everything that was committed before a time, as the `executed` of a position, and of `newest` everything now.

    `last_us` is the last commit before it (0: not looked at), `following_us` the next one (None: there is none yet).
    Between `earliest_us` and `now_us`, the source's clock, the log can be asked. `whole_seconds`: commit times have no
    finer resolution, and the whole second was left to come.
    """

    executed: str
    newest: str
    last_us: int
    following_us: int | None
    earliest_us: int
    now_us: int
    whole_seconds: bool = False


def check_past(at_us: int, now_us: int, where: str) -> None:
    """ConfigError when a time is to come by the source's clock."""
    if at_us > now_us:
        raise ConfigError(
            f"{Moment(at_us).utc} is to come: the source's clock is at {Moment(now_us).utc}",
            where=where,
            cure="Give a time that has been.",
        )


def check_kept(at_us: int, earliest_us: int, where: str) -> None:
    """LogGap when a time is before what the log holds."""
    if at_us < earliest_us:
        raise LogGap(
            f"the log no longer holds, or never held, the changes from {Moment(at_us).utc} on: it reaches back to "
            f"{Moment(earliest_us).utc}",
            where=where,
            cure=f"Give {Moment(earliest_us).utc} or later, or read the tables anew with the step full.",
        )
