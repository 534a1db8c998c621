"""What operations work with, and the table of what each of them does."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Generic

import msgspec

from obsync_tui.api.operation import Access, Operation, Request, Response
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.engine.errors import NeedsEngine
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.service.index import ProjectIndex
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.projects import ProjectTable
from obsync_tui.model.errors import ConfigError

if TYPE_CHECKING:
    from obsync_tui.engine.supervisor import Supervisor


class Caller(msgspec.Struct, frozen=True):
    """Who asks: `who` is what the event log says ("uid name tty"); empty for a question, which it does not tell."""

    access: Access
    who: str


class Service:
    """One home's configuration and state; `engine` is None in a process that is not the engine."""

    def __init__(self, paths: Paths, secrets: SecretResolver, engine: "Supervisor | None" = None) -> None:
        self.paths = paths
        self.files = ConfigFiles(paths)
        self.secrets = secrets
        self.engine = engine
        self.index = engine.index if engine else ProjectIndex(self.files)

    @cached_property
    def state(self) -> StateFile:
        """The state file, opened at the first use; StateError."""
        return self.engine.state if self.engine else StateFile(self.paths.state_file)

    @cached_property
    def logs(self) -> ComponentLogs:
        """The logs of the engine and of the projects' components."""
        return self.engine.logs if self.engine else ComponentLogs(self.paths.logs)

    @property
    def has_state(self) -> bool:
        """Whether anything was ever written: asking makes no file."""
        return self.engine is not None or self.paths.state_file.exists()

    @cached_property
    def table(self) -> ProjectTable:
        """The projects' lives."""
        return ProjectTable(self.state)

    def close(self) -> None:
        """Close what this process opened for itself."""
        if self.engine is None and "state" in self.__dict__:
            self.state.close()
        if self.engine is None and "logs" in self.__dict__:
            self.logs.close()

    def supervisor(self) -> "Supervisor":
        """The running engine's; NeedsEngine elsewhere."""
        if self.engine is None:
            raise NeedsEngine(
                "no engine runs", where=str(self.paths.run), cure="Start it: obsync engine start"
            )
        return self.engine


def confirmed(typed: str, name: str) -> None:
    """ConfigError unless the name was typed."""
    if typed != name:
        raise ConfigError(
            "not confirmed, nothing was changed", where=name, cure=f"Type {name}, or give --yes {name}."
        )


class Handler(Generic[Request, Response]):
    """An operation with what does it."""

    def __init__(
        self,
        operation: Operation[Request, Response],
        function: Callable[[Service, Request, Caller], Response],
    ) -> None:
        self.operation = operation
        self.function = function
