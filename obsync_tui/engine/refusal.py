"""What the engine refuses, whatever the request says."""

from obsync_tui.engine.errors import EngineError


class Refused(EngineError):
    """The project's state does not allow the action."""


class Conflict(EngineError):
    """The file was changed by somebody else meanwhile."""


class NeedsEngine(EngineError):
    """Only a running engine can do it."""
