"""Checks of this machine's clock and time zone; the clocks of data sources are asked with their connection."""

import time

from obsync_tui.engine.doctor.facts import Clock
from obsync_tui.model.finding import About, Finding

_ABOUT = About("clock")
# No machine that runs this can be right about an earlier time.
EARLIEST_S = 1_704_067_200.0
_STEP_S = 0.5
_FUTURE_S = 5.0
_CURE = "Let NTP (chrony, systemd-timesyncd) set the clock; it should be slewed, not stepped."


def check_wall(clock: Clock) -> Finding:
    """The clock is plausible: after 2024, and not before what obsync wrote."""
    now = _utc(clock.wall_s)
    if clock.wall_s < EARLIEST_S:
        return _ABOUT.failure("time", f"it is {now}, which cannot be", _CURE)
    ahead_s = (clock.newest_file_s or 0.0) - clock.wall_s
    if ahead_s > _FUTURE_S:
        return _ABOUT.warning(
            "time",
            f"it is {now}, but a file was written {ahead_s:,.0f} s later: the clock was set back since, or runs behind "
            "the file server's",
            f"{_CURE} Lags and the owner's age are wrong until then.",
            clock.newest_file,
        )
    return _ABOUT.ok("time", now)


def check_step(clock: Clock) -> Finding:
    """The clock runs evenly with the time since boot."""
    if abs(clock.step_s) > _STEP_S:
        return _ABOUT.warning("step", f"the clock was stepped by {clock.step_s:+.1f} s just now", _CURE)
    return _ABOUT.ok("step", "runs evenly")


def check_zone(clock: Clock) -> Finding:
    """The time zone of the environment is known; times in files and answers are UTC all the same."""
    if not clock.zone_known:
        return _ABOUT.warning(
            "time zone",
            f"TZ={clock.zone} is not known here: times are shown in UTC",
            "Correct it (timedatectl list-timezones), install tzdata, or leave TZ out.",
        )
    return _ABOUT.ok("time zone", f"TZ={clock.zone}" if clock.zone else "the machine's")


def _utc(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s))
