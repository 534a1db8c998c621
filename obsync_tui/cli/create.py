"""`obsync project create`: options become a project file."""

import argparse
import re

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import CreateProject
from obsync_tui.cli import exit_codes
from obsync_tui.cli.session import Session
from obsync_tui.cli.tables import listed
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Project, is_name, new_project_id

# Where each option stands in the project file: table and key.
PLACES = {
    "objects": ("objects", "include"),
    "exclude": ("objects", "exclude"),
    "dml": ("objects", "dml"),
    "ddl": ("objects", "ddl"),
    "merge_upserts": ("objects", "merge_upserts"),
    "heartbeat_s": ("objects", "heartbeat_s"),
    "table": ("objects", "tables"),
    "topic": ("message", "topic"),
    "format": ("message", "format"),
    "partition_rule": ("message", "partition"),
    "partitions": ("topics", "partitions"),
    "replication": ("topics", "replication"),
    "topics": ("topics", "mode"),
    "delivery": ("delivery", "guarantee"),
    "too_large": ("delivery", "too_large"),
    "dead_letter_topic": ("delivery", "dead_letter_topic"),
    "start": ("store", "start"),
    "connections": ("full", "connections"),
    "rows_per_s": ("full", "rows_per_s"),
    "bytes_per_s": ("full", "bytes_per_s"),
}
HELP = "See obsync project create --help."


def create(session: Session, arguments: argparse.Namespace) -> int:
    """Write a project's file, with an id of its own."""
    name: str = arguments.name
    if not is_name(name):
        raise ConfigError(
            f"{name!r} is not a name",
            where="project create",
            cure="Use letters, digits, _ and -, at most 64.",
        )
    session.call(op.CREATE, CreateProject(_project(arguments)))
    print(f"written: {session.files.paths.projects / (name + '.toml')}")
    return exit_codes.OK


def _project(arguments: argparse.Namespace) -> Project:
    given = vars(arguments)
    values: dict[str, object] = {option: given[option] for option in PLACES if given[option] is not None}
    values["objects"] = listed(arguments.objects)
    values["exclude"] = listed(arguments.exclude)
    values["table"] = _table_rules(arguments)
    if arguments.dml:
        values["dml"] = listed([arguments.dml.upper()])
    document: dict[str, object] = {
        "id": new_project_id(),
        "name": arguments.name,
        "from": arguments.source,
        "to": arguments.destination,
    }
    if arguments.tag:
        document["tags"] = listed(arguments.tag)
    if arguments.steps:
        document["steps"] = listed([arguments.steps])
    for option, (table, key) in PLACES.items():
        if option in values:
            place = document.setdefault(table, {})
            assert isinstance(place, dict)
            place[key] = values[option]
    try:
        return msgspec.convert(document, Project)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        raise ConfigError(what, where=f"project create{_option(path)}", cure=HELP) from error


def _option(path: str) -> str:
    """The option behind a path of the project file, such as `full.connections`."""
    steps = re.findall(r"\w+", path)
    for option, place in PLACES.items():
        if tuple(steps[:2]) == place:
            return " --" + option.replace("_", "-")
    return f" --{steps[0]}" if steps else ""


def _table_rules(arguments: argparse.Namespace) -> list[dict[str, object]]:
    rules: dict[str, dict[str, object]] = {}
    for text in arguments.table or ():
        name, topic = _pair("--table", text)
        rules.setdefault(name, {"name": name})["topic"] = topic
    for text in arguments.sharding or ():
        name, columns = _pair("--sharding", text)
        rules.setdefault(name, {"name": name})["sharding_columns"] = [
            part for part in columns.split(";") if part
        ]
    return list(rules.values())


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ConfigError("expected DATABASE.TABLE=VALUE", where=f"project create {option}", cure=HELP)
    return name, value
