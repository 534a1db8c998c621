"""The engine's settings, `config.toml`: who may connect, and where metrics are served."""

import grp
import os
import pwd
import tomllib
from pathlib import Path

import msgspec

from obsync_tui.model.errors import ConfigError

_STRICT_CURE = "See docs/operations.md for the keys."


class AccessRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Users and `@groups` beside the engine's own user; viewers only read."""

    admin: tuple[str, ...] = ()
    viewer: tuple[str, ...] = ()


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`listen` is HOST:PORT of a TCP socket that serves `/metrics` and nothing else; empty: none."""

    listen: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`config.toml`, whole."""

    access: AccessRules = AccessRules()
    metrics: MetricsSettings = MetricsSettings()

    @property
    def shared(self) -> bool:
        """Whether other users may connect."""
        return bool(self.access.admin or self.access.viewer)


def read_settings(path: Path) -> Settings:
    """The settings; the defaults where there is no file. ConfigError when it is wrong."""
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path), cure="Correct the file.") from error
    try:
        return msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), where=str(path), cure=_STRICT_CURE) from error


def is_listed(uid: int, gid: int, names: tuple[str, ...]) -> bool:
    """Whether a user stands in a list, by name, number or group (also a supplementary one)."""
    if not names:
        return False
    try:
        user = pwd.getpwuid(uid).pw_name
        groups = os.getgrouplist(user, gid)
    except KeyError:
        user, groups = str(uid), [gid]
    for name in names:
        if name.startswith("@"):
            try:
                if grp.getgrnam(name[1:]).gr_gid in groups:
                    return True
            except KeyError:
                continue
        elif name in (user, str(uid)):
            return True
    return False
