"""The event log: what happened to a project, for people."""

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One line of a project's history; `at_s` is UTC epoch seconds, `kind` one word such as `started`."""

    at_s: float
    project_id: str
    kind: str
    text: str
