"""Points of time in the zone that the user reads."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from obsync_tui.model.errors import ConfigError

_OFFSET = re.compile(r"\A([+-])(\d\d):([0-5]\d)\Z")


class Zone:
    """A display zone: `local`, `utc` or `±hh:mm`; its `name` stands in the header."""

    def __init__(self, text: str = "local") -> None:
        self._zone: tzinfo | None
        if text == "local":
            self._zone, self.name = None, "local"
        elif text.lower() == "utc":
            self._zone, self.name = UTC, "UTC"
        elif matched := _OFFSET.match(text):
            minutes = int(matched[2]) * 60 + int(matched[3])
            offset = timedelta(minutes=-minutes if matched[1] == "-" else minutes)
            if abs(offset) >= timedelta(hours=24):
                raise _unknown(text)
            self._zone, self.name = timezone(offset), f"UTC{text}"
        else:
            raise _unknown(text)

    def at(self, at_s: float) -> datetime:
        """A UTC epoch time in the zone."""
        return datetime.fromtimestamp(at_s, UTC).astimezone(self._zone)

    def clock(self, at_s: float) -> str:
        """12:03:09."""
        return self.at(at_s).strftime("%H:%M:%S")

    def moment(self, at_s: float) -> str:
        """2026-11-25 12:03:09."""
        return self.at(at_s).strftime("%Y-%m-%d %H:%M:%S")

    def short(self, at_s: float, now_s: float) -> str:
        """The clock on the same day, else 11-24 12:03."""
        if self.at(at_s).date() == self.at(now_s).date():
            return self.clock(at_s)
        return self.at(at_s).strftime("%m-%d %H:%M")


def _unknown(text: str) -> ConfigError:
    return ConfigError(f"{text!r} is no display zone", where="--zone", cure="Use local, utc or ±hh:mm.")
