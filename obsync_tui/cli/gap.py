"""`obsync project gap`: what of a stopped project's log is out of reach, and the user's decision about it."""

import argparse

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show, show_json, show_pairs
from obsync_tui.cli.session import Session
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.gap import Gap
from obsync_tui.model.table import TableName

_ALL = "all"
_SHOWN = 200


def gap(session: Session, arguments: argparse.Namespace) -> int:
    """Show the gap, or commit what is to be read again and what is given up; the next run does it."""
    project = session.files.project(arguments.name)
    source, destination = session.source_of(project), session.destination_of(project)
    from obsync_tui.engine.pipeline.gap import decide, read_gap
    from obsync_tui.engine.pipeline.parts import source_side
    from obsync_tui.engine.pipeline.stopped import stopped_project
    from obsync_tui.engine.state.database import StateFile
    from obsync_tui.engine.state.lock import ProjectLock

    secrets = session.secrets.resolve
    with StateFile(session.paths.state_file) as state, ProjectLock(session.paths.state, project.id):
        side = source_side(project, source, secrets, state)
        with stopped_project(project, destination, secrets, state) as stopped:
            if arguments.resync or arguments.accept:
                resync = _tables(arguments.resync)
                for line in decide(project, side, stopped, state, resync, arguments.accept):
                    show(line)
                show(f"to do it: obsync project run {project.name}")
                return exit_codes.OK
            found = read_gap(side, stopped, f"project {project.name}")
    if arguments.json:
        show_json(found)
    else:
        show_pairs(_lines(found))
        if found.survey.lost or found.survey.gaps:
            show(f"\nobsync project gap {project.name} --resync TABLE,… | --resync all | --accept")
    return exit_codes.OK


def _tables(text: str | None) -> list[TableName] | None:
    """The tables that --resync names, None for all."""
    if text == _ALL:
        return None
    names = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        database, dot, table = part.strip().partition(".")
        if not (database and dot and table):
            raise ConfigError(
                f"not a table: {part.strip()!r}",
                where="project gap --resync",
                cure="Write DATABASE.TABLE,… or all.",
            )
        names.append(TableName(database, table))
    return names


def _lines(found: "Gap") -> list[tuple[str, str]]:
    survey = found.survey
    lines = [("position", found.position[:_SHOWN]), ("out of reach", survey.lost or "nothing")]
    lines += [(str(gap.table), gap.what) for gap in survey.gaps]
    lines += [
        (
            str(table),
            "its columns are not those that the project knows" if table in found.tables else "never read",
        )
        for table in survey.changed
    ]
    lines += [(str(table), "will be read again at the next run") for table in found.resync]
    return lines
