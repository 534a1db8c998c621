"""`obsync source` for OceanBase: the connection string of OMS, describe and prepare, as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.model.datasource import DataSource, LogChoice, OceanBaseSource, Tls
from obsync_tui.model.secret import SecretReference
from tests.cli.conftest import Obsync
from tests.servers import OceanBaseServer, free_port

USER = "obsync@mysql1#cluster1"
BY_OPTIONS = ("--kind", "oceanbase", "--host", "127.0.0.1", "--user", USER)


def written(home: Path, name: str = "ob1") -> DataSource:
    return ConfigFiles(Paths.of({"OBSYNC_HOME": str(home)})).source(name)


def add(text: str, *more: str) -> tuple[str, ...]:
    return ("source", "add", "ob1", "--kind", "oceanbase", "--connection", text, *more)


def test_options(obsync: Obsync, home: Path) -> None:
    obsync("source", "add", "ob1", *BY_OPTIONS, "--password", "env:OB", "--tls", "--log", "view-log", "--accept-view-log-costs")  # fmt: skip
    assert written(home) == OceanBaseSource(
        "ob1", "127.0.0.1", USER, 2883, SecretReference("env:OB"), Tls(True), log=LogChoice.VIEW_LOG,
        accept_view_log_costs=True,
    )  # fmt: skip
    shown = json.loads(obsync("source", "show", "ob1", "--json").stdout)
    assert (shown["kind"], shown["log"], shown["port"]) == ("oceanbase", "view-log", 2883)
    assert obsync("source", "list").stdout.splitlines()[1].split() == [
        "ob1",
        "oceanbase",
        f"{USER}@127.0.0.1:2883",
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"obclient -h127.0.0.1 -P2884 -u{USER}",
        f"mysql -h 127.0.0.1 -P 2884 -u '{USER}' -A -c -Dshop",
        f"obclient --host=127.0.0.1 --port=2884 --user={USER} --default-character-set=utf8mb4 shop",
    ],
)
def test_the_connection_string(obsync: Obsync, home: Path, text: str) -> None:
    obsync(*add(text))
    assert written(home) == OceanBaseSource("ob1", "127.0.0.1", USER, 2884)
    obsync(*add(text, "--port", "2885", "--password", "file:/p", "--replace"))
    assert written(home) == OceanBaseSource("ob1", "127.0.0.1", USER, 2885, SecretReference("file:/p"))


@pytest.mark.parametrize("password", ["-phunter2", "--password=hunter2", "'-phunter2 x'"])
def test_a_password_in_the_connection_string_is_refused(obsync: Obsync, home: Path, password: str) -> None:
    done = obsync(*add(f"obclient -h127.0.0.1 -P2883 -u{USER} {password}"), code=3)
    assert "a secret in clear" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert not (home / "config/sources/ob1.toml").exists()


def test_a_password_beside_the_connection_string(obsync: Obsync, home: Path) -> None:
    text = f"obclient -h127.0.0.1 -P2883 -u{USER} -p"
    assert "no terminal to ask on" in obsync(*add(text), code=3).stderr
    obsync(*add(text, "--password", "-"), given="hunter2\n")
    assert "hunter2" not in (home / "config/sources/ob1.toml").read_text()
    assert str(getattr(written(home), "password")).startswith("sealed:")  # noqa: B009


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "psql -h1",
        "obclient -Phunter2",
        "obclient -h127.0.0.1 'hunter2",
        "obclient --ssl hunter2 hunter2",
        "",
    ],
)
def test_what_is_not_understood_is_not_repeated(obsync: Obsync, text: str) -> None:
    done = obsync(*add(text), code=3)
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "oceanbase", "--host", "h"), "--user: kind oceanbase needs it"),
        ((*BY_OPTIONS, "--endpoint", "x"), "--endpoint: does not apply to kind oceanbase"),
        (
            ("--kind", "mysql", "--host", "h", "--user", "u", "--log", "auto"),
            "--log: does not apply to kind mysql",
        ),
        (
            ("--kind", "kafka", "--endpoint", "h:1", "--accept-view-log-costs"),
            "--accept-view-log-costs: does not apply",
        ),
        ((*BY_OPTIONS, "--log", "view-log"), "DROP, TRUNCATE, RENAME and MODIFY of it fail"),
    ],
)
def test_options_that_do_not_fit(obsync: Obsync, arguments: tuple[str, ...], said: str) -> None:
    assert said in obsync("source", "add", "x", *arguments, code=3).stderr


def test_prepare_needs_no_connection(obsync: Obsync) -> None:
    obsync("source", "add", "ob1", *BY_OPTIONS, "--port", str(free_port()))
    script = obsync("source", "prepare", "ob1", "--databases", "shop,a_b").stdout
    assert "Run it in the tenant mysql1 as root." in script
    assert "CREATE USER 'obsync'@'%' IDENTIFIED BY '<password>';" in script
    assert "GRANT SELECT ON `shop`.* TO 'obsync'@'%';\nGRANT SELECT ON `a\\_b`.* TO 'obsync'@'%';" in script
    assert "REPLICATION SLAVE" in script
    obsync("source", "add", "shop", "--kind", "mysql", "--host", "h", "--user", "u")
    assert "for sources of OceanBase only" in obsync("source", "prepare", "shop", code=3).stderr
    assert "for sources of OceanBase only" in obsync("source", "describe", "shop", code=3).stderr


def test_describe_and_test_on_the_engine(obsync: Obsync, oceanbase: OceanBaseServer) -> None:
    oceanbase.execute("CREATE USER described IDENTIFIED BY 'hunter2'")
    add = (
        "source",
        "add",
        "ob1",
        "--kind",
        "oceanbase",
        "--host",
        "127.0.0.1",
        "--port",
        str(oceanbase.port),
    )
    obsync(*add, "--user", "described@sys", "--password", "-", given="hunter2\n")
    tested = obsync("source", "test", "ob1").stdout
    assert f"pass     ob1: connection: 127.0.0.1:{oceanbase.port} as described@sys" in tested
    assert "warning  ob1: version: OceanBase 4.3.5.3 (seekdb 1.3.0.0)" in tested
    text = obsync("source", "describe", "ob1").stdout
    lines = dict(line.split("  ", 1) for line in text.splitlines() if "  " in line)
    assert lines["tenant"].strip() == "sys"
    assert lines["Binlog Service"].strip().startswith("no: SHOW MASTER STATUS is not known here")
    assert lines["view logs"].strip().startswith("yes")
    assert lines["log"].strip().startswith("auto -> none. ")
    assert lines["flashback window"].strip().startswith("1800 s")
    assert lines["rights: full"].strip() == "missing, see below"
    assert "GRANT SELECT ON `<database>`.* TO 'described'@'%';" in text
    found = json.loads(obsync("source", "describe", "ob1", "--json").stdout)
    assert (found["tenant"]["cluster"], found["tenant"]["undo_retention_s"]) == ("obcluster", 1800)
    assert [step["step"] for step in found["rights"]] == ["schema", "full", "incremental"]
    oceanbase.execute("DROP USER described")
    assert "Access denied" in obsync("source", "describe", "ob1", code=5).stderr
