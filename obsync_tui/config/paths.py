"""Where configuration and state live, and how files get there whole and private.

Without `OBSYNC_HOME` the XDG base directories are used: `$XDG_CONFIG_HOME/obsync` (`~/.config/obsync`) and
`$XDG_DATA_HOME/obsync` (`~/.local/share/obsync`). `OBSYNC_HOME` moves all of it: `$OBSYNC_HOME/config`,
`$OBSYNC_HOME/state` and `$OBSYNC_HOME/run`. Directories are 0700, files 0600.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from obsync_tui.model.errors import ConfigError


class Paths(msgspec.Struct, frozen=True):
    """The directories that belong to obsync; what is in them has a property here."""

    config: Path
    state: Path
    run: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Paths":
        """Read `OBSYNC_HOME`, else the XDG variables; ConfigError when one is not absolute."""
        home = _absolute(environment, "OBSYNC_HOME")
        if home is not None:
            return cls(config=home / "config", state=home / "state", run=home / "run")
        config = _absolute(environment, "XDG_CONFIG_HOME") or Path("~/.config").expanduser()
        data = _absolute(environment, "XDG_DATA_HOME") or Path("~/.local/share").expanduser()
        return cls(config=config / "obsync", state=data / "obsync", run=data / "obsync" / "run")

    @property
    def sources(self) -> Path:
        """The data sources' files."""
        return self.config / "sources"

    @property
    def projects(self) -> Path:
        """The projects' files."""
        return self.config / "projects"

    @property
    def key_file(self) -> Path:
        """The key that sealed secrets are sealed with."""
        return self.state / "secret.key"

    @property
    def settings_file(self) -> Path:
        """The engine's own settings: who may connect, where metrics are served."""
        return self.config / "config.toml"

    @property
    def logs(self) -> Path:
        """The logs of the engine and of the projects' components."""
        return self.state / "logs"

    @property
    def state_file(self) -> Path:
        """The SQLite file of checkpoints, status and events."""
        return self.state / "state.db"


def _absolute(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "")
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ConfigError(f"{name} is not an absolute path", where=text, cure=f"Set {name} to a full path.")
    return path


def private_directory(path: Path) -> Path:
    """Make the directory, and missing ones above it, with mode 0700; ConfigError when that is impossible.

    Rights that others have on it already are taken away.
    """
    try:
        if not path.parent.exists():
            private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise unusable(path, "prepared", error) from error
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace the file by one of mode 0600 so that a crash leaves the old or the new one, whole.

    ConfigError when the file cannot be written.
    """
    private_directory(path.parent)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        sync_directory(path.parent)
    except OSError as error:
        raise unusable(path, "written", error) from error


def sync_directory(path: Path) -> None:
    """Make renames and removals in the directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unusable(path: Path, verb: str, error: OSError) -> ConfigError:
    """The error for a file that cannot be read, written, … (`verb`), with the system's reason."""
    return ConfigError(
        f"cannot be {verb}: {error.strerror}",
        where=str(path),
        cure="Check that the disk has room and that this user owns the path.",
    )
