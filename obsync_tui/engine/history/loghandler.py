"""Python's own logging, as lines of the engine's log: what libraries say."""

import logging

from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level


class LogHandler(logging.Handler):
    """Hands records on to the engine's log; never fails and never waits for the disk."""

    def __init__(self, logs: ComponentLogs) -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        """One record, its traceback in the same line."""
        try:
            text = self.format(record)
        except (TypeError, ValueError):  # arguments that do not fit the message
            text = str(record.msg)
        self._logs.write("", Component.ENGINE, _level(record.levelno), text)


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return Level.ERROR
    if number >= logging.WARNING:
        return Level.WARNING
    return Level.INFO if number >= logging.INFO else Level.DEBUG
