"""All checks in order, by subject."""

from collections.abc import Iterator

from obsync_tui.engine.doctor import (
    access,
    clock,
    configuration,
    installation,
    keeping,
    limits,
    login,
    places,
    terminal,
)
from obsync_tui.engine.doctor.endpoints import check_sources
from obsync_tui.engine.doctor.facts import Engine, Facts
from obsync_tui.engine.sinks.kafka.client import SecretResolver
from obsync_tui.model.finding import Finding

# With what reading facts takes at most, a run ends within 15 s; a program that is asked for a secret has 10 s.
SOURCES_LIMIT_S = 10.7
# More than that at once is beyond what the engine is made for.
_MOST_RUNNING = 50


def examine(
    facts: Facts,
    secrets: SecretResolver,
    engine: Engine,
    *,
    sources_limit_s: float = SOURCES_LIMIT_S,
) -> list[Finding]:
    """Every check's finding, by subject; only data sources are asked anything, all else is in `facts`."""
    sources = [one.source for one in facts.sources if one.source is not None]
    return [*examine_machine(facts, engine), *check_sources(sources, secrets, limit_s=sources_limit_s)]


def examine_machine(facts: Facts, engine: Engine) -> Iterator[Finding]:
    """The findings that follow from the facts alone."""
    ids = frozenset(one.project.id for one in facts.projects if one.project is not None)
    running = min(len(ids), _MOST_RUNNING)
    yield installation.check_python(facts.interpreter)
    yield installation.check_backend(facts.interpreter)
    yield installation.check_engine(engine, facts.home)
    yield terminal.check_kind(facts.terminal)
    yield terminal.check_multiplexer(facts.terminal)
    yield terminal.check_colours(facts.terminal)
    yield terminal.check_size(facts.terminal)
    yield terminal.check_passwords(facts.terminal)
    yield terminal.check_locale(facts.locale)
    yield terminal.check_charset(facts.locale, facts.terminal)
    yield login.check_survival(facts.login)
    yield login.check_linger(facts.login)
    yield limits.check_open_files(facts.limits, running)
    yield limits.check_tasks(facts.limits, running)
    yield limits.check_file_size(facts.limits)
    yield limits.check_memory(facts.memory, facts.limits, running)
    yield clock.check_wall(facts.clock)
    yield clock.check_step(facts.clock)
    yield clock.check_zone(facts.clock)
    for place in facts.places:
        yield places.check_filesystem(place)
        if not place.error:
            yield places.check_writable(place)
            yield places.check_room(place)
    for usage in facts.usage:
        yield places.check_usage(usage, len(ids))
    yield from access.check_entries(facts.entries, facts.uid)
    yield keeping.check_state(facts.state)
    yield from keeping.check_locks(facts.locks, ids)
    yield from configuration.check_files(facts.sources, facts.projects)
