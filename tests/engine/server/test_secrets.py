"""Secrets go into the engine and never out: not in an answer, a log, an error, a file of state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import Named, Nothing, PutSource, Rename, Seal, Start
from obsync_tui.engine.service.masking import MASK
from obsync_tui.model.datasource import KafkaSource, MySQLSource, OceanBaseSource, Sasl, secret_of
from obsync_tui.model.secret import SecretReference
from tests.engine.resident import ResidentEngine, until
from tests.engine.server.rawhttp import ask, routes

IN_ENVIRONMENT, SEALED, IN_FILE, PRINTED = (
    "env-secret-4711",
    "sealed-secret-4712",
    "file-secret-4713",
    "cmd-secret-4714",
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentEngine]:
    """An engine whose sources hold a secret of each kind, after it has tried to use them all."""
    directory = tmp_path_factory.mktemp("s")
    file = directory / "password"
    file.touch(0o600)
    file.write_text(IN_FILE)
    program = directory / "program"
    program.write_text(f"#!/bin/sh\necho {PRINTED}\n")
    program.chmod(0o700)
    with closing(ResidentEngine(directory / "h", {"SHOP_PASSWORD": IN_ENVIRONMENT})) as made:
        made.sources(password="env:SHOP_PASSWORD")
        made.start()
        token = made.call(op.SEAL, Seal(SEALED)).reference
        for source in (
            MySQLSource("of-file", "127.0.0.1", "u", 1, SecretReference(f"file:{file}")),
            MySQLSource("of-program", "127.0.0.1", "u", 1, SecretReference(f"cmd:{program}")),
            MySQLSource("sealed", "127.0.0.1", "u", 1, token),
            OceanBaseSource("tenant", "127.0.0.1", "u@t#c", 1, token),
            KafkaSource("safe", "127.0.0.1:1", sasl=Sasl("SCRAM-SHA-512", "u", token)),
        ):
            made.call(op.PUT_SOURCE, PutSource(source))
            if not isinstance(source, KafkaSource):
                made.call(op.TEST_SOURCE, Named(source.name))
        made.project("orders", destination="safe")
        made.call(op.START, Start("orders"))
        until(lambda: made.call(op.PROJECT, Named("orders")).status, "it tries")
        for operation in (op.DESCRIBE, op.VIEW_LOGS):
            with pytest.raises(RemoteError) as refused:
                made.call(operation, Named("tenant"))
            assert_clean(made, str(refused.value))
        yield made


def token_of(engine: ResidentEngine) -> str:
    """The sealed token as it stands in a file; it never leaves the engine either."""
    source = engine.files.source("sealed")
    assert isinstance(source, MySQLSource)
    return source.password.removeprefix("sealed:")


def assert_clean(engine: ResidentEngine, text: str) -> None:
    for secret in (IN_ENVIRONMENT, SEALED, IN_FILE, PRINTED):
        assert secret not in text
    assert token_of(engine) not in text


def test_no_answer_shows_one(engine: ResidentEngine) -> None:
    document = json.loads(ask(engine.at.path, "GET", "/v1/openapi.json").text)
    asked = 0
    for route in routes(document):
        for name in ("orders", "sealed", "tenant", "safe", "shop"):
            if route.method == "GET" and not (route.name in ("project-gap", "objects") and name == "orders"):
                answer = ask(engine.at.path, route.method, route.path.replace("/orders", f"/{name}"))
                assert_clean(engine, answer.text)
                asked += 1
    assert asked > 50
    views = {view.name: view.source for view in engine.call(op.SOURCES, Nothing())}
    sealed, safe = views["sealed"], views["safe"]
    assert isinstance(sealed, MySQLSource) and sealed.password == MASK
    assert isinstance(safe, KafkaSource) and safe.sasl is not None and safe.sasl.password == MASK
    shop = views["shop"]
    assert isinstance(shop, MySQLSource) and shop.password == "env:SHOP_PASSWORD", "references are shown"


def test_no_error_repeats_one(engine: ResidentEngine) -> None:
    """What is refused for being a secret in clear is not said again."""
    for body in (
        {"source": {"kind": "mysql", "name": "x", "host": "h", "user": "u", "password": SEALED}},
        {"source": {"kind": "mysql", "name": "x", "host": "h", "user": "u", "pass": SEALED}},
        {"source": {"kind": "kafka", "name": "x", "endpoint": "h", "properties": {"sasl.password": SEALED}}},
        {"source": {"kind": "mysql", "name": SEALED + "!", "host": "h", "user": "u"}},
        {"source": SEALED},
        SEALED,
    ):
        answer = ask(engine.at.path, "POST", "/v1/sources", json.dumps(body))
        assert answer.status == 400, answer
        assert SEALED not in answer.text


@pytest.mark.parametrize("name", ["sealed", "tenant", "safe", "of-file"])
def test_a_copy_has_the_secret_and_shows_it_to_nobody(engine: ResidentEngine, name: str) -> None:
    to = f"{name}-copy"
    raw = ask(engine.at.path, "POST", f"/v1/sources/{name}/copy", json.dumps({"to": to}))
    assert raw.status == 200 and json.loads(raw.text)["name"] == to
    assert_clean(engine, raw.text)
    made, found = engine.files.source(to), engine.files.source(name)
    assert secret_of(made) == secret_of(found) != MASK
    assert msgspec.structs.replace(made, name=name) == found
    shown = engine.call(op.SOURCE, Named(to)).source
    assert shown is not None and (secret_of(shown) == MASK) == (name != "of-file")
    with pytest.raises(RemoteError, match=f"the data source '{to}' exists. Give another name"):
        engine.call(op.COPY_SOURCE, Rename(name, to))
    assert f"the data source '{name}' exists" in engine.command("source", "copy", "shop", name, code=3).stderr
    engine.call(op.DELETE_SOURCE, Named(to))
    assert engine.command("source", "copy", name, to).stdout == f"written: {engine.paths.sources / to}.toml\n"
    assert engine.files.source(to) == made
    engine.call(op.DELETE_SOURCE, Named(to))
    with pytest.raises(RemoteError) as missing:
        engine.call(op.COPY_SOURCE, Rename(to, name))
    assert missing.value.status == 404


def test_a_mask_given_back_keeps_what_stands_there(engine: ResidentEngine) -> None:
    before = token_of(engine)
    shown = engine.call(op.SOURCE, Named("sealed")).source
    assert shown is not None
    assert engine.call(op.PUT_SOURCE, PutSource(shown, replace=True)).source == shown
    assert token_of(engine) == before
    with pytest.raises(RemoteError, match="the secret is a mask"):
        engine.call(op.PUT_SOURCE, PutSource(MySQLSource("events", "h", "u", 1, MASK), replace=True))


def test_no_file_but_the_key_leads_to_one(engine: ResidentEngine) -> None:
    found = [path for path in engine.home.rglob("*") if path.is_file()]
    assert {"state.db", "secret.key", "engine.log", "output.log"} <= {path.name for path in found}
    for path in found:
        text = path.read_bytes().decode("latin-1")
        for secret in (IN_ENVIRONMENT, SEALED, IN_FILE, PRINTED):
            assert secret not in text, path
        if path.parent != engine.paths.sources:
            assert token_of(engine) not in text, path


def test_no_command_shows_one(engine: ResidentEngine) -> None:
    for command in (
        ("source", "show", "sealed"),
        ("source", "list", "--json"),
        ("engine", "logs"),
        ("project", "events", "orders"),
    ):
        assert_clean(engine, engine.command(*command).stdout)
    assert engine.process is not None
    assert_clean(engine, Path(f"/proc/{engine.process.pid}/cmdline").read_text())
