"""The user's keys: `keymap.toml` says which keys an action has instead of its own.

[keys]
"project.pause" = "P"
"palette" = ["colon", "ctrl+g"]
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path

from obsync_tui.keys.action import Action, Scope
from obsync_tui.keys.registry import ACTIONS, BY_ID, RESERVED, actions_in
from obsync_tui.model.errors import ConfigError

# Each view's scopes; keys must be unique within each.
VIEWS: Mapping[str, tuple[Scope, ...]] = {
    "Projects": (Scope.PROJECTS, Scope.LIST, Scope.ALL),
    "Project details": (Scope.PROJECT, Scope.LIST, Scope.ALL),
    "Components": (Scope.COMPONENTS, Scope.LIST, Scope.ALL),
    "Objects": (Scope.OBJECTS, Scope.LIST, Scope.ALL),
    "Data sources": (Scope.SOURCES, Scope.LIST, Scope.ALL),
    "Events": (Scope.EVENTS, Scope.LIST, Scope.ALL),
    "Logs": (Scope.LOGS, Scope.ALL),
    "Engine": (Scope.ENGINE, Scope.ALL),
    "Doctor": (Scope.DOCTOR, Scope.LIST, Scope.ALL),
    "Project file": (Scope.FILE, Scope.TEXT, Scope.ALL),
    "Text": (Scope.TEXT, Scope.ALL),
}
Keymap = Mapping[str, tuple[str, ...]]
DEFAULT: Keymap = {action.id: action.keys for action in ACTIONS}
_CHARACTERS = {
    "?": "question_mark",
    ":": "colon",
    "/": "slash",
    "*": "asterisk",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "-": "minus",
}


def load_keymap(path: Path) -> Keymap:
    """The keys of all actions, those of the file over the registry's; ConfigError names the line's action."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return DEFAULT
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path), cure="Repair or remove it.") from error
    try:
        found = tomllib.loads(text).get("keys", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", where=str(path), cure="Repair or remove it.") from error
    if not isinstance(found, dict):
        raise ConfigError("keys is not a table", where=str(path), cure='Write [keys] and "action" = "key".')
    keymap = dict(DEFAULT)
    for name, value in found.items():
        keymap[name] = _keys(path, name, value)
    wrong = clashes(keymap)
    if wrong:
        raise ConfigError(wrong[0], where=str(path), cure="Give one of them another key.")
    return keymap


def clashes(keymap: Keymap) -> list[str]:
    """Keys that mean two things in one view."""
    wrong = []
    for view, scopes in VIEWS.items():
        taken: dict[str, Action] = {}
        for action in actions_in(scopes):
            for key in keymap[action.id]:
                if key in taken and taken[key] is not action:
                    wrong.append(f"{key!r} is both {taken[key].id} and {action.id} in {view}")
                taken[key] = action
    return wrong


def _keys(path: Path, name: str, value: object) -> tuple[str, ...]:
    if name not in BY_ID:
        near = difflib.get_close_matches(name, BY_ID, 1)
        cure = f"Did you mean {near[0]}?" if near else "docs/keymap.md lists the actions."
        raise ConfigError(f"there is no action {name!r}", where=str(path), cure=cure)
    typed = value if isinstance(value, list) else [value]
    keys = [key for key in typed if isinstance(key, str) and key]
    if len(keys) < len(typed):
        raise ConfigError(
            f"{name} is not a key or a list of keys", where=str(path), cure=f'Write "{name}" = "P".'
        )
    named = tuple(_CHARACTERS.get(key, key) for key in keys)
    reserved = next((key for key in named if key in RESERVED or key.startswith("alt+")), None)
    if reserved:
        raise ConfigError(
            f"{reserved} cannot be the key of {name}",
            where=str(path),
            cure="Terminals take it, or cannot tell it from another key. Choose another.",
        )
    return named
