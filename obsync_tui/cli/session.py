"""What every command starts from: where the files are, how secrets are found, and who does what is asked for."""

import os
import pwd
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from obsync_tui.api.endpoint import Endpoint, endpoint
from obsync_tui.api.operation import Access, Operation, Request, Response
from obsync_tui.api.starting import hello, start_engine
from obsync_tui.cli.output import note
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import is_name
from obsync_tui.model.views import PROTOCOL

if TYPE_CHECKING:
    from obsync_tui.api.client import EngineClient

_WAIT_TOLD_S = 1.0


class Session:
    """One call of the command, in this process's environment."""

    @cached_property
    def paths(self) -> Paths:
        """The directories; ConfigError when the environment names wrong ones."""
        return Paths.of(os.environ)

    @cached_property
    def files(self) -> ConfigFiles:
        """The configuration files."""
        return ConfigFiles(self.paths)

    @cached_property
    def secrets(self) -> SecretResolver:
        """Finds and seals secrets."""
        return SecretResolver(self.paths.key_file, os.environ)

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where this home's engine listens."""
        return endpoint(self.paths, os.environ)

    @cached_property
    def client(self) -> "EngineClient | None":
        """The running engine's client; None when none runs. NotOurEngine when somebody else listens."""
        found = hello(self.endpoint)
        if found is None:
            return None
        if found.protocol != PROTOCOL:
            note(
                f"the engine is obsync {found.version} and speaks protocol {found.protocol}, this is {PROTOCOL}:"
                " obsync engine restart starts the installed version"
            )
        return self._connected()

    def engine(self) -> "EngineClient":
        """The running engine's client; starts the engine when none runs. EngineAway when it does not come up."""
        if self.client is None:
            told = False

            def waiting(passed_s: float) -> None:
                nonlocal told
                if passed_s > _WAIT_TOLD_S and not told:
                    told = True
                    note("starting the engine")

            start_engine(self.paths, self.endpoint, os.environ, waiting)
            self.client = self._connected()
        return self.client

    def _connected(self) -> "EngineClient":
        from obsync_tui.api.client import EngineClient  # HTTP, which a command without an engine does without

        return EngineClient(self.endpoint)

    def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """Let the engine do it; without one this process does, unless only an engine can: then one is started."""
        for field in ("name", "to", "names"):
            _check_names(getattr(request, field, ()))
        if self.client is not None:
            return self.client.call(operation, request)
        if operation.needs_engine:
            return self.engine().call(operation, request)
        return self._here(operation, request)

    def _here(self, operation: Operation[Request, Response], request: Request) -> Response:
        # Only now: clients of both sides, which a call to an engine does without.
        from obsync_tui.engine.service.local import function_of
        from obsync_tui.engine.service.service import Caller, Service
        from obsync_tui.engine.state.lock import HomeLock

        caller = Caller(Access.ADMIN, f"{os.getuid()} {_user()} obsync")
        reads = operation.method == "GET"
        service = Service(self.paths, self.secrets)
        try:
            with nullcontext() if reads else HomeLock(self.paths.state, alone=False):
                return function_of(operation)(service, request, caller)
        finally:
            service.close()


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "unknown"


def _check_names(given: object) -> None:
    """ConfigError for what can name neither a project nor a data source."""
    for name in (given,) if isinstance(given, str) else given if isinstance(given, tuple) else ():
        if not is_name(name):
            raise ConfigError(
                f"{name!r} is not a name", where="NAME", cure="Use letters, digits, _ and -, at most 64."
            )
