"""The API against its own document: schemathesis makes requests, good and bad, for every operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import hypothesis
import pytest
import requests
import requests.adapters
import schemathesis
import urllib3
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import GenerationMode

from obsync_tui.api import operations as op
from obsync_tui.api.operations import OPERATIONS
from obsync_tui.api.requests import ListProjects, Nothing
from obsync_tui.engine.server.application import AnyHandler, as_handlers
from obsync_tui.engine.server.openapi import document
from tests.engine.resident import ResidentEngine
from tests.engine.server.rawhttp import UnixConnection, ask

# These end the engine, or wait for servers that a random host names.
LEFT_OUT = {"engine-stop", "source-try"}
# These ask servers, seconds each; they get names that are not there.
SLOW = {one.name for one in OPERATIONS if one.slow} | {"project-batch"}
# These take away what the others are tried on.
TAKING = {"project-rename", "project-delete"}
# A good request of these is done, not only refused well.
SUCCEEDING = {
    *("projects", "project", "status", "project-file", "project-create", "project-start", "project-pause"),
    *("source-put", "source", "sources", "seal", "drafts", "draft-put", "draft-delete", "engine", "hello"),
}
EXAMPLES = 12


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("engine")
        self._path = path

    def _new_conn(self) -> urllib3.connection.HTTPConnection:
        made = urllib3.connection.HTTPConnection("engine", timeout=60)
        by_path = UnixConnection(self._path)

        def connect() -> None:
            by_path.connect()
            made.sock = by_path.sock

        made.connect = connect  # type: ignore[method-assign]
        return made


class OverSocket(requests.adapters.HTTPAdapter):
    """Lets `requests` speak to the engine's socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._pool = _Pool(path)

    def get_connection_with_tls_context(self, *_: object, **__: object) -> _Pool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentEngine]:
    with closing(ResidentEngine(tmp_path_factory.mktemp("o") / "h")) as made:
        made.sources()
        made.project("orders")
        made.project("other")
        made.project("spare")
        made.start()
        yield made


@pytest.fixture(scope="module")
def session(engine: ResidentEngine) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.mount("http://engine", OverSocket(str(engine.at.path)))
        yield made


@pytest.fixture(scope="module")
def schema(engine: ResidentEngine) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_dict(json.loads(ask(engine.at.path, "GET", "/v1/openapi.json").text))


def test_every_operation_that_is_served_is_described(engine: ResidentEngine) -> None:
    served = json.loads(ask(engine.at.path, "GET", "/v1/openapi.json").text)
    described = {one["operationId"] for path in served["paths"].values() for one in path.values()}
    assert {"hello", "projects", "project-start", "source-put", "drafts", "events"} <= described
    assert described <= {one.name for one in OPERATIONS}
    assert served["openapi"] == "3.1.0"
    handlers: tuple[AnyHandler, ...] = as_handlers()
    assert document([one.operation for one in handlers])["paths"] == {}
    text = json.dumps(served)
    assert "\\\\A" not in text and "\\\\Z" not in text, "patterns are in the language of JSON Schema"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS if one.name not in LEFT_OUT])
def test_requests_of_all_kinds_are_answered_as_described(
    name: str, mode: GenerationMode, schema: schemathesis.schemas.BaseSchema, session: requests.Session
) -> None:
    found = [r.ok() for r in schema.get_all_operations() if r.ok().definition.raw["operationId"] == name]
    if not found:
        pytest.skip("not served yet")
    operation = found[0]
    names = ("orders", "other", "shop", "events", "nothing", "")  # none: what schemathesis makes
    if name in SLOW | TAKING:
        names = ("nothing",) if name in SLOW else ("spare", "nothing")
    statuses: set[int] = set()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), target=st.sampled_from(names))
    def fuzz(case: schemathesis.Case, target: str) -> None:
        if target and "name" in (case.path_parameters or {}):
            case.path_parameters["name"] = target
        if mode is GenerationMode.POSITIVE and name in ("project-create", "project-save"):
            # Rules that a schema cannot say would refuse nearly all of what it makes.
            case.body["project"] |= {"from": "shop", "to": "events", "objects": {"include": ["shop.*"]}}
            case.body["project"].pop("store", None)
        answer = case.call(base_url="http://engine", session=session)
        statuses.add(answer.status_code)
        assert answer.status_code != 500 and b'"Unexpected"' not in answer.content, answer.text
        operation.validate_response(answer)

    try:
        fuzz()
    except hypothesis.errors.Unsatisfiable:
        pytest.skip("nothing of this kind can be made")
    assert 200 in statuses or mode is not GenerationMode.POSITIVE or name not in SUCCEEDING, statuses


def test_after_all_of_it_the_engine_is_well(engine: ResidentEngine) -> None:
    assert engine.process is not None and engine.process.poll() is None
    assert isinstance(engine.call(op.PROJECTS, ListProjects()), tuple)
    facts = engine.call(op.ENGINE, Nothing())
    assert facts.pid == engine.process.pid and facts.rss_bytes < 500 << 20
    assert "Traceback" not in engine.said and "Unexpected" not in engine.said
