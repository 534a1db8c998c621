"""What an action is."""

from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """A view in which keys mean something; `all` is every view, `list` every view with a table."""

    ALL = "all"
    LIST = "list"
    PROJECTS = "projects"
    PROJECT = "project"
    COMPONENTS = "components"
    OBJECTS = "objects"
    SOURCES = "sources"
    LOGS = "logs"
    EVENTS = "events"
    DOCTOR = "doctor"
    ENGINE = "engine"
    TEXT = "text"
    FILE = "file"


class Level(StrEnum):
    """What an action can do: read, write, write after a yes, or only after a typed name."""

    READ = "read"
    WRITE = "write"
    CAUTION = "caution"
    DANGER = "danger"


class Action(msgspec.Struct, frozen=True):
    """One thing that a key does. `label` stands in the footer, `text` in help, palette and docs.

    `operation` is the name of the lifecycle action that it asks the engine for, which decides whether it is allowed.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    text: str
    scopes: tuple[Scope, ...]
    level: Level = Level.READ
    footer: bool = False
    operation: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes anything outside of the console."""
        return self.level is not Level.READ


_SHOWN = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "asterisk": "*",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "minus": "-",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    "home": "Home",
    "end": "End",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
}


def shown_key(key: str) -> str:
    """A key as it is read: `?`, `Ctrl-P`, `F1`."""
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    return key.upper() if len(key) > 1 and key.startswith("f") and key[1:].isdigit() else key
