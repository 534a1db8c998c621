"""`obsync engine`: the resident process."""

import argparse
import os
import time

from obsync_tui.api import operations as op
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.requests import EngineLogs, Nothing
from obsync_tui.api.starting import OUTPUT_FILE, last_words, start_engine
from obsync_tui.cli import exit_codes
from obsync_tui.cli.logs import newest, show_lines
from obsync_tui.cli.output import show, show_json, show_pairs
from obsync_tui.cli.session import Session
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.views import Hello
from obsync_tui.presenters.quantities import duration_text, size_text, time_text

STOP_TIMEOUT_S = 20.0
_POLL_S = 0.05


def run(session: Session, arguments: argparse.Namespace) -> int:
    """Run the engine in this process, as a unit or another supervisor does, until a signal stops it."""
    from obsync_tui.engine.process import run_engine

    run_engine(session.paths, os.environ)
    return exit_codes.OK


def start(session: Session, arguments: argparse.Namespace) -> int:
    """Start the engine in a session of its own, and wait until it answers."""
    found = start_engine(session.paths, session.endpoint, os.environ)
    _say(found)
    return exit_codes.OK


def stop(session: Session, arguments: argparse.Namespace) -> int:
    """Stop every project at its checkpoint, then the engine."""
    print("stopped" if _stop(session) else "no engine runs")
    return exit_codes.OK


def restart(session: Session, arguments: argparse.Namespace) -> int:
    """Stop at checkpoints, start the installed version, and go on with what was running."""
    if session.client is not None:
        _refuse_unit(session.client.call(op.HELLO, Nothing()).pid)
    _stop(session)
    _say(start_engine(session.paths, session.endpoint, os.environ))
    return exit_codes.OK


def status(session: Session, arguments: argparse.Namespace) -> int:
    """Say whether the engine runs, since when, and what it uses."""
    if session.client is None:
        raise EngineAway(
            "no engine runs", where=str(session.endpoint.path), cure="Start it: obsync engine start"
        )
    facts = session.client.call(op.ENGINE, Nothing())
    if arguments.json:
        show_json(facts)
        return exit_codes.OK
    show_pairs(
        [
            ("engine", f"obsync {facts.version}, process {facts.pid}"),
            ("home", facts.home),
            ("socket", facts.socket),
            (
                "running since",
                f"{time_text(facts.started_s)} ({duration_text(facts.at_s - facts.started_s)})",
            ),
            ("projects", f"{facts.projects}, {facts.running} running"),
            ("processor", f"{facts.cpu_share * 100:.1f} % of a core on average"),
            ("memory", size_text(facts.rss_bytes)),
            ("threads", f"{facts.threads}, {facts.threads_abandoned} abandoned"),
            ("descriptors", str(facts.descriptors)),
            ("clients", f"{facts.clients} watching"),
            ("state", f"{size_text(facts.state_bytes)}, logs {size_text(facts.logs_bytes)}"),
        ]
    )
    return exit_codes.OK


def logs(session: Session, arguments: argparse.Namespace) -> int:
    """Print the engine's newest log lines; they can be read when it does not run, too."""
    asked = EngineLogs(arguments.level, arguments.search or "", limit=arguments.lines)
    page = newest(lambda part: session.call(op.ENGINE_LOGS, part), asked)
    show_lines(page.lines)
    if not page.lines and (words := last_words(session.paths.logs / "engine" / OUTPUT_FILE)):
        show(words)
    return exit_codes.OK


def _refuse_unit(pid: int) -> None:
    """ConfigError when the engine is a unit: systemd would take the stop for its end, and not know the one after it."""
    from obsync_tui.engine.doctor.machine import control_group

    group = control_group(str(pid))
    if group.endswith("/obsync.service"):
        manager = "systemctl --user" if "/user@" in group else "sudo systemctl"
        raise ConfigError(
            "the engine is a systemd unit", where="obsync.service", cure=f"Run: {manager} restart obsync"
        )


def _stop(session: Session) -> bool:
    """Whether there was one to stop; returns when it has let go of the home."""
    if session.client is None:
        return False
    session.client.call(op.STOP_ENGINE, Nothing())
    session.client.close()
    from obsync_tui.engine.errors import ProjectOwned
    from obsync_tui.engine.state.lock import HomeLock

    deadline_s = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline_s:
        try:
            with HomeLock(session.paths.state, alone=True):
                return True
        except ProjectOwned:
            time.sleep(_POLL_S)
    raise EngineAway(
        f"the engine did not end within {STOP_TIMEOUT_S:.0f} s",
        where=str(session.endpoint.path),
        cure="Look at: obsync engine logs",
    )


def _say(found: Hello) -> None:
    print(f"running: obsync {found.version}, process {found.pid}")
