"""The documentation says what the code says: keys, defaults, exit codes, types, commands, fields, links."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import complete
from obsync_tui.cli.parser import parser
from obsync_tui.engine.formats import dialect
from obsync_tui.engine.formats.default import DEFAULT, DEFAULT_EXTEND_COLUMN_TYPE
from obsync_tui.engine.formats.plan import DdlRecord, Identity, Joined, Literal, RecordKind, Value, Variable
from obsync_tui.engine.history.prometheus import ENGINE_FAMILIES, PROJECT_FAMILIES
from obsync_tui.engine.values import charsets
from obsync_tui.model import datasource, history, project
from obsync_tui.model.event import EventKind
from obsync_tui.model.table import Column, TableName, TableVersion

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "Data source, kind mysql": datasource.MySQLSource,
    "Data source, kind oceanbase": datasource.OceanBaseSource,
    "Data source, kind kafka": datasource.KafkaSource,
    "[tls]": datasource.Tls,
    "[sasl]": datasource.Sasl,
    "Project": project.Project,
    "[objects]": project.Objects,
    "[[objects.tables]]": project.TableRule,
    "[message]": project.Message,
    "[topics]": project.Topics,
    "[delivery]": project.Delivery,
    "[full]": project.Full,
    "[store]": project.Store,
    "[trace]": project.Trace,
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of table rows that begin with a name in backticks or a number."""
    for line in text.splitlines():
        if re.match(r"\| (`|\d)", line):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^#{2,3} (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("heading", "struct"), SECTIONS.items(), ids=SECTIONS)
def test_every_key_stands_in_the_configuration_page(heading: str, struct: type[msgspec.Struct]) -> None:
    found = {key.strip("`"): default for key, default, _ in rows(sections(page("configuration.md"))[heading])}
    expected: dict[str, object] = {}
    if tag := struct.__struct_config__.tag_field:
        expected[tag] = "required"
    for field in msgspec.structs.fields(struct):
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if field.required:
            expected[field.encode_name] = "required"
        elif default is None or isinstance(default, msgspec.Struct):
            expected[field.encode_name] = "none"
        else:
            expected[field.encode_name] = complete(default)
    if heading == "Data source, kind kafka":
        expected["properties"] = "none"
    read = {
        key: text if text in ("required", "none") else tomllib.loads(f"value = {text.strip('`')}")["value"]
        for key, text in found.items()
    }
    assert read == expected
    assert list(found) == list(expected)


def test_every_section_is_known() -> None:
    assert set(sections(page("configuration.md"))) == set(SECTIONS)


def test_exit_codes() -> None:
    table = [tuple(row) for row in rows(sections(page("operations.md"))["Exit codes"])]
    assert table == re.findall(r"^(\d+) +(.+)$", inspect.cleandoc(exit_codes.__doc__ or ""), re.MULTILINE)


def test_metrics_and_event_kinds() -> None:
    parts = sections(page("operations.md"))
    kept = [row[0].strip("`") for row in rows(parts["Metrics"]) if row[0].startswith("`")]
    assert kept == list(history.Metric)
    worst = {row[0].strip("`") for row in rows(parts["Metrics"]) if row[1] == "the largest"}
    assert worst == history.WORST
    exposed = [row[0].strip("`") for row in rows(parts["Prometheus"])]
    assert exposed == [family.name for family in (*PROJECT_FAMILIES, *ENGINE_FAMILIES)]
    assert [row[0].strip("`") for row in rows(parts["Logs and events"])] == list(EventKind)


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of the code; a value in an f-string as NUL."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_troubleshooting_names_sentences_of_the_code() -> None:
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "obsync_tui").rglob("*.py"))]
    literals = [text for source in sources for text in texts(ast.parse(source))]
    of_servers = {
        "Access denied for user",
        "Can't connect to MySQL server",
        "Authorization failed",
        "Transactional Id authorization failed",
        "Group authorization failed",
    }
    codes = {str(code) for code in exit_codes.CODES.values()} | {"retried"}
    for sentences, code, _ in rows(sections(page("operations.md"))["Troubleshooting"]):
        assert code in codes
        for sentence in re.findall(r"`([^`]+)`", sentences):
            if sentence in of_servers:
                continue
            parts = [part.strip() for part in sentence.split("…")]
            assert any(all(part in literal for part in parts) for literal in literals), sentence


def test_column_types_and_character_sets() -> None:
    text = sections(page("formats.md"))["Values"]
    types = {name for row in rows(text) for name in re.findall(r"`(\w+)`", row[0])}
    assert types == set(dialect._BY_TYPE)
    match = re.search(r"^Character sets that can be read: (.+)\.$", text, re.MULTILINE)
    assert match is not None
    named = set(match[1].split(", "))
    assert named == {"binary", *charsets._UNICODE, *charsets._SINGLE_BYTE, *charsets._MULTI_BYTE}


TABLE = TableVersion(TableName("d", "t"), (Column("id", "int", "int", nullable=False),), ("id",))
IDENTITY = Identity("MYSQL", "s")


def metadata(kind: str) -> list[str]:
    """The fields that the format writes in `allMetaData` of a record of this kind."""
    if kind == "DDL":
        return list(
            json.loads(DEFAULT.ddl(DdlRecord(TableName("d", "t"), "x", "y", 1), IDENTITY))["allMetaData"]
        )
    if kind == "HEARTBEAT":
        return list(json.loads(DEFAULT.heartbeat(1, IDENTITY))["allMetaData"])
    text = ""
    for operation in DEFAULT.row(TABLE, RecordKind(kind), IDENTITY).operations:
        if isinstance(operation, Literal):
            text += operation.text
        elif isinstance(operation, Value | Joined):
            text += "null"
        else:
            assert isinstance(operation, Variable)
            text += "0"
    return list(json.loads(text)["allMetaData"])


def test_examples_of_messages_have_the_fields_of_the_format() -> None:
    examples = [json.loads(text) for text in re.findall(r"```json\n(.+?)\n```", page("formats.md"))]
    messages = [one for one in examples if "recordType" in one]
    assert {one["recordType"] for one in messages} == {
        "ROW",
        "INSERT",
        "UPDATE",
        "DELETE",
        "DDL",
        "HEARTBEAT",
    }
    for one in messages:
        assert list(one["allMetaData"]) == metadata(one["recordType"])
    extended = [one for one in messages if "__light_type" in (one["postStruct"] or {})]
    assert extended and DEFAULT_EXTEND_COLUMN_TYPE is not DEFAULT


def test_the_table_of_metadata_fields() -> None:
    table = {
        row[0].strip("`"): row[1:] for row in rows(sections(page("formats.md"))["Default"]) if len(row) == 5
    }
    for kinds, column in (("INSERT", 0), ("ROW", 1), ("DDL", 2), ("HEARTBEAT", 3)):
        assert {name for name, cells in table.items() if cells[column] != "absent"} == set(metadata(kinds))


def commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    typed = re.findall(r"^ *\$ obsync (.+)$", joined, re.MULTILINE)
    return typed + re.findall(r"`obsync ((?:source|project) [a-z]+ NAME[^`…]*)`", joined)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_are_understood(path: Path) -> None:
    for command in commands(path.read_text("utf-8")):
        parser().parse_args(shlex.split(command))


def test_there_are_commands_to_look_at() -> None:
    assert len(commands(page("guide.md"))) > 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target
