"""What a project wrote about itself last, and whether its process lives."""

import os
import time
from pathlib import Path

import msgspec

from obsync_tui.cli.session import Session
from obsync_tui.cli.status_text import ENDED
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Project

# A second of rounding in the kernel's boot time, and one for a start that writes its first status late.
START_SLACK_S = 2.0


class Report(msgspec.Struct, frozen=True):
    """`obsync project status --json`: `age_s` is None and `status` null for a project that never ran."""

    project: str
    id: str
    state: str
    running: bool
    age_s: float | None = None
    status: Status | None = None


class ProjectRow(msgspec.Struct, frozen=True, rename={"source": "from", "destination": "to"}):
    """`obsync project list --json`: one project, or the error of its file."""

    name: str
    id: str = ""
    source: str = ""
    destination: str = ""
    state: str = ""
    running: bool = False
    phase: Phase | None = None
    age_s: float | None = None
    source_lag_s: float | None = None
    delivery_lag_s: float | None = None
    error: str = ""


def report_of(session: Session, project: Project) -> Report:
    """Read the project's status; StateError when the state file cannot be read."""
    status = None
    if session.paths.state_file.exists():
        from obsync_tui.engine.state.database import StateFile

        with StateFile(session.paths.state_file) as state:
            status = state.status(project.id)
    if status is None:
        return Report(project.name, project.id, "not started", False)
    alive = status.phase not in ENDED and process_lives(status.pid, status.at_s)
    if alive:
        state_text = "running"
    else:
        state_text = str(status.phase) if status.phase in ENDED else "ended without a word"
    return Report(project.name, project.id, state_text, alive, round(time.time() - status.at_s, 3), status)


def process_lives(pid: int, at_s: float) -> bool:
    """Whether the process that had this pid at `at_s` (UTC epoch seconds) lives: not another that got its pid later."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except OSError:
        return False
    started_s = int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and started_s <= at_s + START_SLACK_S
