"""What every failure of obsync is made of, and the one that configuration raises.

The whole tree stands in `obsync_tui.engine.errors`; these two live here because configuration does not know the engine.
"""

from typing import ClassVar


class EngineError(Exception):
    """A failure with what happened, where, and what to do next."""

    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text.rstrip('.')}. {self.cure}" if self.cure else text


class ConfigError(EngineError):
    """A file or an option is wrong; `missing` says that what was named is not there."""

    def __init__(self, what: str, *, where: str = "", cure: str = "", missing: bool = False) -> None:
        super().__init__(what, where=where, cure=cure)
        self.missing = missing
