"""The parameters of a component as a form, and back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from obsync_tui.model.component import Component
from obsync_tui.model.project import Project
from obsync_tui.screens.dialogs import Answers, Asked


class Parameter(NamedTuple):
    """A key of the project's file that may change while the project runs; `restarts`: at its checkpoint only."""

    section: str
    field: str
    label: str
    hint: str
    restarts: bool = False

    @property
    def key(self) -> str:
        """The key as it stands in the file, such as `full.rows_per_s`."""
        return f"{self.section}.{self.field}"


PARAMETERS: Mapping[Component, tuple[Parameter, ...]] = {
    Component.STORE: (
        Parameter("store", "rows_per_s", "Rows per second", "0: no limit"),
        Parameter("store", "bytes_per_s", "Bytes per second", "0: no limit"),
        Parameter("store", "heartbeat_s", "Seconds between heartbeats of the log", "0.1 to 30", True),
        Parameter("store", "silence_s", "Seconds of silence that are a fault", "at least 1", True),
    ),
    Component.CONNECTOR: (
        Parameter("objects", "heartbeat_s", "Seconds between HEARTBEAT records", "0: none", True),
        Parameter(
            "delivery", "transaction_timeout_s", "Seconds that a transaction may take", "from 1 on", True
        ),
        Parameter("trace", "window_bytes", "Bytes kept for traces and samples", "0: none", True),
    ),
    Component.FULL_IMPORT: (
        Parameter("full", "rows_per_s", "Rows per second", "0: no limit"),
        Parameter("full", "bytes_per_s", "Bytes per second", "0: no limit"),
        Parameter("full", "range_rows", "Rows of a range", "holds for ranges begun from now on"),
        Parameter("full", "connections", "Connections to the source", "1 to 64", True),
    ),
}
# Integers of a file have 64 bits.
_TOO_LARGE = 1 << 63
_RESTARTS = "restarts the project at its checkpoint"


def parameter_fields(project: Project, component: Component) -> Sequence[Asked]:
    """What may be changed, with the values in force."""
    return [
        Asked(one.key, one.label, _text(_value(project, one.key)), _hint(one))
        for one in PARAMETERS[component]
    ]


def _hint(one: Parameter) -> str:
    return f"{one.hint}; {_RESTARTS}" if one.restarts else one.hint


def judge_parameters(project: Project, answers: Answers) -> Answers:
    """What is wrong, by field."""
    wrong = []
    for key, text in answers:
        try:
            with_parameters(project, ((key, text),))
        except msgspec.ValidationError as error:
            wrong.append((key, str(error).partition(" - at ")[0]))
        except ValueError:
            wrong.append(
                (key, "not a number" if isinstance(_value(project, key), float) else "not a whole number")
            )
    return tuple(wrong)


def with_parameters(project: Project, answers: Answers) -> Project:
    """The project with the answers in it; ValueError when one does not fit."""
    plain = msgspec.to_builtins(project)
    for key, text in answers:
        section, _, field = key.partition(".")
        number = type(_value(project, key))(text)
        if not abs(number) < _TOO_LARGE:  # Neither is what is not a number.
            raise ValueError(text)
        plain.setdefault(section, {})[field] = number
    found: Project = msgspec.convert(plain, Project)
    return found


def restarting(before: Project, after: Project, component: Component) -> tuple[str, ...]:
    """The labels of what differs and acts by a restart only."""
    return tuple(
        one.label
        for one in PARAMETERS[component]
        if one.restarts and _value(before, one.key) != _value(after, one.key)
    )


def _value(project: Project, key: str) -> float:
    section, _, field = key.partition(".")
    found: float = getattr(getattr(project, section), field)
    return found


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
