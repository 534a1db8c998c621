"""Files of data sources and projects, written and read on a real disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from obsync_tui.config.files import ConfigFiles, encode_hook
from obsync_tui.config.lines import line_of
from obsync_tui.config.paths import Paths, write_private
from obsync_tui.model.datasource import KafkaSource, MySQLSource, Sasl, Tls
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import (
    Delivery,
    DmlKind,
    Full,
    Message,
    Objects,
    PartitionRule,
    Project,
    Step,
    Store,
    TableRule,
    TooLarge,
    Topics,
    is_name,
    new_project_id,
)
from obsync_tui.model.secret import SecretReference

ID = "np_abcdefghijkl"
MINIMAL = f"""
id = "{ID}"
name = "orders"
from = "shop"
to = "events"
[objects]
include = ["shop.*"]
"""


@pytest.fixture
def files(tmp_path: Path) -> ConfigFiles:
    return ConfigFiles(Paths.of({"OBSYNC_HOME": str(tmp_path)}))


def put(files: ConfigFiles, name: str, text: str | bytes, directory: str = "projects") -> Path:
    path = files.paths.config / directory / name
    write_private(path, text if isinstance(text, bytes) else text.encode())
    return path


def refused(files: ConfigFiles, text: str | bytes) -> str:
    put(files, "orders.toml", text)
    with pytest.raises(ConfigError) as caught:
        files.project("orders")
    return str(caught.value)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_paths_follow_xdg_and_the_home() -> None:
    home = Path("~").expanduser()
    assert Paths.of({}) == Paths(
        home / ".config/obsync", home / ".local/share/obsync", home / ".local/share/obsync/run"
    )
    assert Paths.of({"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}) == Paths(
        Path("/c/obsync"), Path("/d/obsync"), Path("/d/obsync/run")
    )
    assert Paths.of({"OBSYNC_HOME": "/o", "XDG_CONFIG_HOME": "/c"}) == Paths(
        Path("/o/config"), Path("/o/state"), Path("/o/run")
    )
    with pytest.raises(ConfigError, match="OBSYNC_HOME is not an absolute path"):
        Paths.of({"OBSYNC_HOME": "here"})


def test_sources_and_projects_read_back_as_written(files: ConfigFiles) -> None:
    shop = MySQLSource(
        "shop", "db.example", "obsync", 3307, SecretReference("env:SHOP"), Tls(True, ca="/ca.pem"), 2.5
    )
    events = KafkaSource(
        "events",
        "a:9092,b:9092",
        Tls(True, verify=False),
        Sasl("SCRAM-SHA-512", "me", SecretReference("file:/p")),
        {"client.id": 'a "quoted"\n\\value\t\x7f é 😀'},
    )
    orders = Project(
        ID,
        "orders",
        "shop",
        "events",
        Objects(
            ("shop.*", "other.t?"),
            ("shop.tmp_*",),
            (DmlKind.DELETE,),
            True,
            5,
            tables=(TableRule("s.i", "t", ("a", "b")),),
        ),
        (Step.INCREMENTAL,),
        Message("${table}", partition=PartitionRule.TABLE),
        Topics(partitions=8, settings={"retention.ms": "1"}),
        Delivery(too_large=TooLarge.DEAD_LETTER, dead_letter_topic="dead"),
        Full(4, rows_per_s=10),
        Store(2.0),
    )
    for source in (shop, events):
        path = files.write_source(source)
        assert files.source(source.name) == source
        assert mode(path) == 0o600
    path = files.write_project(orders)
    assert files.project("orders") == orders
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert [listed.name for listed in files.sources()] == ["events", "shop"]
    assert sorted(os.listdir(path.parent)) == ["orders.toml"], "no temporary file is left"
    assert b'"env:SHOP"' in msgspec.json.encode(shop, enc_hook=encode_hook)


def test_defaults_are_neither_written_nor_needed(files: ConfigFiles) -> None:
    orders = Project(ID, "orders", "shop", "events", Objects(("shop.*",)))
    assert (
        files.write_project(orders).read_text().split()
        == MINIMAL.replace('["shop.*"]', '[\n"shop.*",\n]').split()
    )
    put(files, "orders.toml", MINIMAL)
    assert files.project("orders") == orders


def test_rights_of_others_are_taken_away(files: ConfigFiles) -> None:
    files.paths.sources.mkdir(parents=True)
    files.paths.sources.chmod(0o755)
    path = files.write_source(MySQLSource("shop", "h", "u"))
    path.chmod(0o644)
    files.write_source(MySQLSource("shop", "h", "u"))
    assert (mode(path), mode(files.paths.sources)) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("text", "line", "key", "what"),
    [
        (MINIMAL + "include = []\n", 8, "", "is not TOML: Cannot overwrite a value"),
        ('name = "orders"\nfrom = \n', 2, "", "is not TOML: Invalid value"),
        ('name = "orders', 1, "", "is not TOML"),
        ("[objects]\ninclude = [", 2, "", "is not TOML"),
        ("", 1, "", "'id' is missing. Add the line id = \"np_"),
        (MINIMAL + "colour = 1\n", 8, "objects.colour", "the key 'colour' is unknown"),
        ("colour = 1\n" + MINIMAL, 1, "colour", "the key 'colour' is unknown"),
        (MINIMAL + "[full]\n# two\nconnections = 'many'\n", 10, "full.connections", "Expected `int`, got `str`"),
        (MINIMAL + "[full]\nconnections = 65\n", 9, "full.connections", "Expected `int` <= 64"),
        (MINIMAL + "full.connections = 2\n", 8, "objects.full", "the key 'full' is unknown"),
        (MINIMAL.replace("[objects]", "[objects] # here").replace("include", "exclude"), 6, "objects", "'include' is missing"),
        (MINIMAL.replace('["shop.*"]', '[\n"a.b",\n# no text\n3]'), 7, "objects.include.1", "Expected `str`, got `int`"),
        (MINIMAL + "[[objects.tables]]\nname='a.b'\n\n[[objects.tables]]\nname='c.d'\ntopics='x'\n", 13, "objects.tables.1.topics", "unknown"),
        (MINIMAL + "[[objects.tables]]\nname='a'\n", 8, "objects.tables.0", "the name of a table is database.table"),
        (MINIMAL + "[topics.settings]\n'retention.ms' = 5\n", 8, "topics.settings", "Expected `str`, got `int`"),
        (MINIMAL + "[message]\nformat = 'Avro'\n", 9, "message.format", "Invalid enum value 'Avro'"),
        (MINIMAL + "[delivery]\ntoo_large = 'dead-letter'\n", 8, "delivery", "needs dead_letter_topic"),
        (MINIMAL.replace('name = "orders"', 'name = "Orders"'), 3, "name", "the file says name = 'Orders'"),
        (MINIMAL.replace('name = "orders"', 'name = """orders\n"""'), 3, "name", "matching regex"),
        (MINIMAL.replace(ID, "np_ABC"), 2, "id", "matching regex"),
        ("steps = []\n" + MINIMAL, 1, "", "steps names each step once"),
        (b"\nname = '\xff'\n", 2, "", "is not UTF-8"),
        ("a = " + "[" * 100_000, 1, "", "nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_line_and_key(
    files: ConfigFiles, text: str | bytes, line: int, key: str, what: str
) -> None:
    said = refused(files, text)
    assert what in said
    assert str(files.paths.projects / "orders.toml") in said
    if "nested" not in what:
        assert f"orders.toml, line {line}" + (f", key {key}:" if key else "") in said


def test_windows_line_ends_are_read(files: ConfigFiles) -> None:
    put(files, "orders.toml", MINIMAL.replace("\n", "\r\n"))
    assert files.project("orders").id == ID
    assert "line 8, key objects.x" in refused(files, (MINIMAL + "x = 1\n").replace("\n", "\r\n"))


def test_the_line_of_every_kind_of_statement() -> None:
    text = 'a = """\n[b]\nc = 1\n"""\n\n[b]\nc.d = {e = [\n1, {f = 2}]}\n[[g]]\n[[g]]\nh = 1\n"i.j" = 2\n'
    expected = {("a",): 1, ("b",): 6, ("b", "c", "d", "e", 1, "f"): 7, ("g",): 9, ("g", 1): 10, ("g", 1, "h"): 11, ("g", 1, "i.j"): 12}  # fmt: skip
    assert {path: line_of(text, path) for path in expected} == expected
    assert line_of(text, ("nowhere",)) == line_of(text, ()) == 1


def test_one_id_in_two_files_is_refused(files: ConfigFiles) -> None:
    put(files, "orders.toml", MINIMAL)
    put(files, "copy.toml", MINIMAL.replace('"orders"', '"copy"'))
    with pytest.raises(
        ConfigError, match=f'has the id of copy.toml .{ID}.*A copy is another project: give it id = "np_'
    ):
        files.project("orders")
    with pytest.raises(ConfigError, match="has the id of"):
        files.write_project(Project(ID, "third", "shop", "events", Objects(("a.b",))))
    put(files, "copy.toml", "# was " + ID)
    assert files.project("orders").id == ID


def test_a_file_that_cannot_be_read_is_no_fault_of_the_others(files: ConfigFiles) -> None:
    put(files, "orders.toml", MINIMAL)
    put(files, "odd.toml", "").write_bytes(b"\xff")
    assert {one.name: bool(one.error) for one in files.projects()} == {"odd": True, "orders": False}


def test_many_projects_are_listed_in_linear_time(files: ConfigFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        nonlocal reads
        reads += 1
        return read_bytes(path)

    for number in range(20):
        put(
            files,
            f"p{number}.toml",
            MINIMAL.replace('"orders"', f'"p{number}"').replace(ID, f"np_{number:012}"),
        )
    monkeypatch.setattr(Path, "read_bytes", counted)
    assert [one.error for one in files.projects()] == [""] * 20
    assert reads == 40


def test_a_wrong_file_does_not_hide_the_others(files: ConfigFiles) -> None:
    put(files, "orders.toml", MINIMAL)
    put(files, "broken.toml", "x =")
    put(files, "not a name.toml", MINIMAL.replace(ID, new_project_id()))
    listed = {one.name: (one.project is not None, one.error) for one in files.projects()}
    assert listed["orders"] == (True, "")
    assert "broken.toml, line 1: is not TOML" in listed["broken"][1]
    assert "'not a name' is not a name" in listed["not a name"][1]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "a.b", "é", "a\n", "a\x00", "x" * 65, "$(id)"]
)
def test_hostile_names_reach_no_file(files: ConfigFiles, name: str) -> None:
    assert not is_name(name)
    for use in (files.source, files.project, files.delete_source, files.delete_project):
        with pytest.raises(ConfigError, match="is not a name"):
            use(name)
    with pytest.raises(ConfigError):
        files.write_source(MySQLSource(name, "h", "u"))


def test_an_unknown_name_lists_the_known(files: ConfigFiles) -> None:
    files.write_source(MySQLSource("shop", "h", "u"))
    with pytest.raises(ConfigError, match=r"there is no data source 'shap'. Known: shop."):
        files.source("shap")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('kind = "mysql"\nname = "s"\nhost = "h"\nuser = "u"\npassword = "hunter2"\n', "line 5, key password"),
        ('kind = "kafka"\nname = "s"\nendpoint = "h:1"\n[sasl]\nmechanism = "PLAIN"\npassword = "hunter2"\n', "line 6, key sasl.password"),
        ('kind = "kafka"\nname = "s"\nendpoint = "h:1"\n[properties]\n"sasl.password" = "hunter2"\n', "line 1"),
        ('kind = "mysql"\nname = "s"\nhost = "h"\nuser = "u"\npassword = "env:"\n', "line 5, key password"),
        ('kind = "mysql"\nname = "s"\nhost = "h"\nuser = "u"\npassword = hunter2\n', "line 5"),
    ],
)  # fmt: skip
def test_a_secret_in_clear_is_refused_and_not_repeated(files: ConfigFiles, text: str, key: str) -> None:
    put(files, "s.toml", text, "sources")
    with pytest.raises(ConfigError) as caught:
        files.source("s")
    assert key in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_ids_are_new_and_well_formed() -> None:
    ids = {new_project_id() for _ in range(100)}
    assert len(ids) == 100
    for one in ids:
        msgspec.convert(
            {"id": one, "name": "a", "from": "b", "to": "c", "objects": {"include": ["a.b"]}}, Project
        )


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    files = ConfigFiles(Paths.of({"OBSYNC_HOME": str(tmp_path)}))
    with pytest.raises(ConfigError, match=r"config.*cannot be prepared.*Not a directory"):
        files.write_source(MySQLSource("shop", "h", "u"))
