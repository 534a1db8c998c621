"""Checks of the files of data sources and projects."""

from collections.abc import Iterable

from obsync_tui.config.files import Listed
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.finding import About, Finding

_ABOUT = About("configuration")


def check_files(sources: Iterable[Listed], projects: Iterable[Listed]) -> list[Finding]:
    """Every file can be used, and names what exists."""
    known, listed = list(sources), list(projects)
    found = [_wrong("data source", one) for one in known if one.error]
    found += [_wrong("project", one) for one in listed if one.error]
    found += [finding for one in listed for finding in _check_ends(one, known)]
    return found or [_ABOUT.ok("files", f"{len(known)} data sources, {len(listed)} projects")]


def _wrong(what: str, one: Listed) -> Finding:
    return _ABOUT.failure(what, f"{one.name}: {one.error}", "Correct the file.")


def _check_ends(one: Listed, sources: list[Listed]) -> Iterable[Finding]:
    project = one.project
    if project is None:
        return
    by_name = {source.name: source for source in sources}
    for key, name, to_kafka in (("from", project.source, False), ("to", project.destination, True)):
        end = by_name.get(name)
        where = f"project {project.name}, {key}"
        if end is None:
            cure = f"Add it (obsync source add {name}), or name another."
            yield _ABOUT.failure("project", f"there is no data source {name!r}", cure, where)
        elif end.source is not None and isinstance(end.source, KafkaSource) is not to_kafka:
            cure = "Name one of kind kafka." if to_kafka else "Name one of kind mysql or oceanbase."
            yield _ABOUT.failure("project", f"{name} is of another kind", cure, where)
