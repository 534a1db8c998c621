"""`obsync project`: showing, checking, resetting and deleting projects."""

import argparse

from obsync_tui.cli import exit_codes
from obsync_tui.cli.checks import show_results
from obsync_tui.cli.output import confirm, note, show, show_complete, show_json, show_table
from obsync_tui.cli.report import ProjectRow, Report, report_of
from obsync_tui.cli.session import Session
from obsync_tui.cli.status_text import lag_text, status_block, time_text
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Project


def check(session: Session, arguments: argparse.Namespace) -> int:
    """Run the precheck: one line an item, each failure with its cure."""
    project = session.files.project(arguments.name)
    source, destination = session.source_of(project), session.destination_of(project)
    from obsync_tui.engine.precheck.run import precheck

    results = precheck(project, source, destination, session.secrets.resolve, session.paths.state)
    return show_results(results, as_json=arguments.json)


def status(session: Session, arguments: argparse.Namespace) -> int:
    """Print what the project wrote about itself last, its age, and whether its process lives."""
    project = session.files.project(arguments.name)
    report = report_of(session, project)
    if arguments.json:
        show_json(report)
    elif report.status is None or report.age_s is None:
        print(f"{project.name} has not run yet")
    else:
        print(status_block(report.status, report.state, report.age_s))
    return exit_codes.OK


def list_all(session: Session, arguments: argparse.Namespace) -> int:
    """List the projects; a file that is wrong is named and makes the exit code that of configuration."""
    listed = session.files.projects()
    rows = [_row(report_of(session, one.project), one.project) for one in listed if one.project]
    rows += [ProjectRow(name=one.name, error=one.error) for one in listed if one.error]
    if arguments.json:
        show_json(rows)
    else:
        show_table(
            ("NAME", "FROM", "TO", "STATE", "SOURCE LAG", "DELIVERY"),
            [
                (
                    row.name,
                    row.source,
                    row.destination,
                    row.state,
                    lag_text(row.source_lag_s),
                    lag_text(row.delivery_lag_s),
                )
                for row in rows
                if not row.error
            ],
        )
    errors = [one.error for one in listed if one.error]
    for error in errors:
        note(error)
    return exit_codes.CODES[ConfigError] if errors else exit_codes.OK


def _row(report: Report, project: Project) -> ProjectRow:
    status = report.status
    return ProjectRow(
        name=project.name,
        id=project.id,
        source=project.source,
        destination=project.destination,
        state=report.state,
        running=report.running,
        phase=status.phase if status else None,
        age_s=report.age_s,
        source_lag_s=status.source_lag_s if status else None,
        delivery_lag_s=status.delivery_lag_s if status else None,
    )


def show_one(session: Session, arguments: argparse.Namespace) -> int:
    """Print a project with all its defaults."""
    show_complete(session.files.project(arguments.name), as_json=arguments.json)
    return exit_codes.OK


def events(session: Session, arguments: argparse.Namespace) -> int:
    """Print what happened to a project, oldest first."""
    project = session.files.project(arguments.name)
    from obsync_tui.engine.state.database import StateFile

    with StateFile(session.paths.state_file) as state:
        found = state.events(project.id, arguments.limit)
    if arguments.json:
        show_json(found)
        return exit_codes.OK
    for event in found:
        show(f"{time_text(event.at_s)} {event.kind:<9} {event.text}")
    return exit_codes.OK


def reset(session: Session, arguments: argparse.Namespace) -> int:
    """Forget a stopped project's progress, so that its next run starts from the beginning."""
    project = session.files.project(arguments.name)
    source, destination = session.source_of(project), session.destination_of(project)
    confirm(
        project.name,
        arguments.yes,
        f"Resetting {project.name} forgets its progress: the next run sends everything again.",
    )
    from obsync_tui.engine.pipeline.reset import reset_project
    from obsync_tui.engine.state.database import StateFile
    from obsync_tui.engine.state.lock import ProjectLock

    with StateFile(session.paths.state_file) as state, ProjectLock(session.paths.state, project.id):
        reset_project(project, source, destination, session.secrets.resolve, state)
        state.add_event(project.id, "reset", "progress forgotten by obsync project reset")
    print(f"reset: {project.name}")
    return exit_codes.OK


def delete(session: Session, arguments: argparse.Namespace) -> int:
    """Release a stopped project's checkpoint, then remove its state and its file."""
    project = session.files.project(arguments.name)
    servers = None if arguments.local_only else (session.source_of(project), session.destination_of(project))
    confirm(
        project.name,
        arguments.yes,
        f"Deleting {project.name} removes its file, its state and its checkpoint. Topics and messages stay.",
    )
    from obsync_tui.engine.state.database import StateFile
    from obsync_tui.engine.state.lock import ProjectLock

    stays = f"the checkpoint topic __obsync.{project.id} stays in Kafka"
    with StateFile(session.paths.state_file) as state, ProjectLock(session.paths.state, project.id):
        if servers is not None:
            from obsync_tui.engine.pipeline.reset import release_project

            stays = release_project(project, *servers, session.secrets.resolve, state)
        state.delete(project.id, but=VIEW_LOG_PREFIX)
        session.files.delete_project(project.name)
    print(f"deleted: {project.name}")
    if stays:
        note(stays)
    return exit_codes.OK
