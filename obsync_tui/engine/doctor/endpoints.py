"""Checks of data sources: their secrets can be found here, they answer, and what time it is there.

All are asked at once. A black hole costs its own time-out only, and none of them more than the limit.
"""

from collections.abc import Sequence
from functools import cache, partial

from obsync_tui.engine.doctor.deadline import within
from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.precheck.connectivity import test_source
from obsync_tui.engine.precheck.model import CheckResult, Outcome
from obsync_tui.engine.sinks.kafka.client import SecretResolver
from obsync_tui.model.datasource import DataSource, KafkaSource, password_of
from obsync_tui.model.finding import About, Finding, Level

_LEVELS = {
    Outcome.PASS: Level.OK,
    Outcome.WARNING: Level.WARNING,
    Outcome.FAIL: Level.FAILURE,
    Outcome.NOT_RUN: Level.WARNING,
}
_ANSWER_S = 6.0
_AT_ONCE = 64


def check_sources(sources: Sequence[DataSource], secrets: SecretResolver, *, limit_s: float) -> list[Finding]:
    """What each data source answers, in order, within `limit_s` seconds in all."""
    asked = within(
        limit_s, [partial(_check_source, source, secrets, limit_s) for source in sources], at_once=_AT_ONCE
    )
    return [
        finding
        for source, found in zip(sources, asked, strict=True)
        for finding in (_silent(source, limit_s) if found is None else found)
    ]


def _check_source(source: DataSource, secrets: SecretResolver, limit_s: float) -> list[Finding]:
    about = About(f"data source {source.name}")
    found, once = [], cache(secrets)
    if reference := password_of(source):
        try:
            once(reference)
            found.append(about.ok("secret", f"found ({reference.partition(':')[0]})"))
        except EngineError as error:
            return [about.failure("secret", error.what, error.cure, error.where)]
    results = test_source(source, once, limit_s=min(_ANSWER_S, limit_s))
    return found + [_finding(about, result, address(source)) for result in results]


def address(source: DataSource) -> str:
    """Where the data source is."""
    return source.endpoint if isinstance(source, KafkaSource) else f"{source.host}:{source.port}"


def _finding(about: About, result: CheckResult, where: str) -> Finding:
    level = _LEVELS[result.outcome]
    cure = (
        ""
        if level is Level.OK
        else result.cure or "Check that the server runs and that host and port are right."
    )
    return Finding(about.subject, result.item, level, result.text, where, cure)


def _silent(source: DataSource, limit_s: float) -> list[Finding]:
    return [
        About(f"data source {source.name}").failure(
            "connection",
            f"no answer within {limit_s:.0f} s",
            "Check name resolution (getent hosts HOST), firewalls and that the server runs; then: "
            f"obsync source test {source.name}",
            address(source),
        )
    ]
