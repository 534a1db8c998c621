"""`obsync source`, as a process, with its files."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import sys
import tomllib
from pathlib import Path

import pytest

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.model.datasource import KafkaSource, MySQLSource, Sasl, Tls
from obsync_tui.model.secret import SecretReference
from tests.cli.conftest import Obsync

MYSQL = ("--kind", "mysql", "--host", "127.0.0.1", "--user", "obsync")
KAFKA = ("--kind", "kafka", "--endpoint", "127.0.0.1:9092")


def files(home: Path) -> ConfigFiles:
    return ConfigFiles(Paths.of({"OBSYNC_HOME": str(home)}))


def test_add_writes_what_was_asked(obsync: Obsync, home: Path) -> None:
    obsync("source", "add", "shop", *MYSQL, "--port", "3307", "--password", "env:SHOP", "--tls-ca", "/ca.pem")
    obsync("source", "add", "events", *KAFKA, "--sasl-mechanism", "SCRAM-SHA-512", "--sasl-user", "me", "--sasl-password",
           "file:/p", "--tls", "--property", "linger.ms=5", "--property", "client.id=a=b")  # fmt: skip
    assert files(home).source("shop") == MySQLSource(
        "shop", "127.0.0.1", "obsync", 3307, SecretReference("env:SHOP"), Tls(True, "/ca.pem")
    )
    assert files(home).source("events") == KafkaSource(
        "events",
        "127.0.0.1:9092",
        Tls(True),
        Sasl("SCRAM-SHA-512", "me", SecretReference("file:/p")),
        {"linger.ms": "5", "client.id": "a=b"},
    )
    for path in home.rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_list_show_delete(shop: Obsync, home: Path) -> None:
    assert shop("source", "list").stdout.splitlines() == [
        "NAME    KIND   ADDRESS           USED BY",
        "events  kafka  127.0.0.1:1       orders",
        "shop    mysql  u@127.0.0.1:3306  orders",
    ]
    listed = json.loads(shop("source", "list", "--json").stdout)
    assert [(one["kind"], one["name"]) for one in listed] == [("kafka", "events"), ("mysql", "shop")]
    shown = json.loads(shop("source", "show", "shop", "--json").stdout)
    assert (shown["password"], shown["port"], shown["tls"]["verify"]) == ("env:SHOP_PASSWORD", 3306, True)
    assert tomllib.loads(shop("source", "show", "shop").stdout) == shown
    assert "the project 'orders' uses it" in shop("source", "delete", "shop", code=3).stderr
    shop("project", "delete", "orders", "--yes", "orders", "--local-only")
    shop("source", "delete", "shop")
    assert not (home / "config/sources/shop.toml").exists()
    assert "there is no data source 'shop'. Known: events." in shop("source", "show", "shop", code=3).stderr


def test_an_existing_source_is_replaced_only_on_demand(shop: Obsync) -> None:
    assert "exists. Give --replace" in shop("source", "add", "shop", *MYSQL, code=3).stderr
    shop("source", "add", "shop", *MYSQL, "--port", "99", "--replace")
    assert json.loads(shop("source", "show", "shop", "--json").stdout)["port"] == 99


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "mysql", "--user", "u"), "--host: kind mysql needs it"),
        (("--kind", "kafka"), "--endpoint: kind kafka needs it"),
        ((*MYSQL, "--endpoint", "x"), "--endpoint: does not apply to kind mysql"),
        ((*KAFKA, "--password", "env:X"), "--password: does not apply to kind kafka"),
        ((*KAFKA, "--sasl-user", "u"), "--sasl-mechanism: kind kafka needs it"),
        ((*KAFKA, "--property", "linger"), "--property: expected KEY=VALUE"),
        ((*MYSQL, "--port", "70000"), "Expected `int` <= 65535"),
        ((*MYSQL, "--port", "0"), "Expected `int` >= 1"),
    ],
)
def test_options_that_do_not_fit(obsync: Obsync, home: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in obsync("source", "add", "x", *arguments, code=3).stderr
    assert not (home / "config/sources/x.toml").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (*MYSQL, "--password", "hunter2"),
        (*MYSQL, "--password=hunter2"),
        (*KAFKA, "--sasl-mechanism", "PLAIN", "--sasl-password", "hunter2"),
        (*KAFKA, "--property", "sasl.password=hunter2"),
        (*KAFKA, "--property", "ssl.key.password=hunter2"),
    ],
)
def test_a_secret_in_clear_is_refused_and_not_repeated(
    obsync: Obsync, home: Path, arguments: tuple[str, ...]
) -> None:
    done = obsync("source", "add", "x", *arguments, code=3)
    assert "in clear" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert not (home / "config/sources/x.toml").exists()


@pytest.mark.parametrize(
    "arguments", [("-phunter2",), ("--pasword", "hunter2"), ("--pass=hunter2",), ("hunter2",)]
)
def test_a_word_that_is_not_understood_is_not_repeated(obsync: Obsync, arguments: tuple[str, ...]) -> None:
    done = obsync("source", "add", "x", *MYSQL, *arguments, code=2)
    assert "unrecognized arguments" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_secret_on_standard_input_is_sealed(obsync: Obsync, home: Path) -> None:
    obsync("source", "add", "shop", *MYSQL, "--password", "-", given="hunter2 ü\nmore\n")
    text = (home / "config/sources/shop.toml").read_text()
    assert 'password = "sealed:' in text
    for path in home.rglob("*.*"):
        assert b"hunter2" not in path.read_bytes()
    source = files(home).source("shop")
    assert isinstance(source, MySQLSource)
    assert SecretResolver(home / "state/secret.key", {}).resolve(source.password).reveal() == "hunter2 ü"
    shown = obsync("source", "show", "shop").stdout + obsync("source", "list", "--json").stdout
    assert shown.count("sealed:***") == 2
    assert source.password not in shown
    assert (
        "standard input holds no secret"
        in obsync("source", "add", "y", *MYSQL, "--password", "-", code=3).stderr
    )


def test_a_prompt_needs_a_terminal(obsync: Obsync) -> None:
    assert (
        "no terminal to ask on" in obsync("source", "add", "x", *MYSQL, "--password", "prompt", code=3).stderr
    )


def test_a_secret_typed_on_a_terminal_is_sealed_and_not_echoed(
    environment: dict[str, str], home: Path
) -> None:
    command = [sys.executable, "-m", "obsync_tui", "source", "add", "shop", *MYSQL, "--password", "prompt"]
    pid, terminal = pty.fork()
    if not pid:
        os.execve(sys.executable, command, environment)
    seen = b""
    while b"Password: " not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"hunter2\n")
    while select.select([terminal], [], [])[0]:
        try:
            seen += os.read(terminal, 1000)
        except OSError:  # how Linux says that the other side has closed
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
    os.close(terminal)
    assert b"hunter2" not in seen
    source = files(home).source("shop")
    assert isinstance(source, MySQLSource)
    assert SecretResolver(home / "state/secret.key", {}).resolve(source.password).reveal() == "hunter2"


def test_a_wrong_file_does_not_hide_the_others(shop: Obsync, home: Path) -> None:
    (home / "config/sources/bad.toml").write_text(
        'kind = "mysql"\nname = "bad"\nhost = "h"\nuser = "u"\nprt = 5\n'
    )
    done = shop("source", "list", code=3)
    assert "events" in done.stdout
    assert "bad.toml, line 5, key prt: the key 'prt' is unknown. Remove or correct 'prt'." in done.stderr


def test_foreign_text_does_not_act_on_the_terminal(obsync: Obsync) -> None:
    obsync("source", "add", "x", "--kind", "mysql", "--host", "h\x1b]0;title\x07\u202e", "--user", "u\nNAME")
    for arguments in (("list",), ("show", "x"), ("list", "--json"), ("show", "x", "--json")):
        out = obsync("source", *arguments).stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert r"u\x0aNAME@h\x1b]0;title\x07\u202e:3306" in obsync("source", "list").stdout
    assert "\x1b" not in obsync("source", "show", "a\x1b[2J", code=3).stderr


def test_sealing_what_only_this_shell_sees(shop: Obsync, home: Path, environment: dict[str, str]) -> None:
    assert "env:SHOP_PASSWORD" in shop("source", "seal", "shop", code=3).stderr, "not set here"
    environment["SHOP_PASSWORD"] = "open-sesame"
    assert shop("source", "seal", "shop").stdout == "sealed: env:SHOP_PASSWORD of shop\n"
    text = (home / "config/sources/shop.toml").read_text()
    assert 'password = "sealed:' in text and "open-sesame" not in text
    found = ConfigFiles(Paths.of({"OBSYNC_HOME": str(home)})).source("shop")
    assert isinstance(found, MySQLSource)
    assert SecretResolver(home / "state/secret.key", {}).resolve(found.password).reveal() == "open-sesame"
    assert "there is nothing to seal" in shop("source", "seal", "shop", code=3).stderr
    assert "sealed:***" in shop("source", "show", "shop").stdout
