"""Whether the source still holds what a project has not read yet."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from obsync_tui.engine.errors import LogGap, StateError
from obsync_tui.engine.pipeline.checkpoint import LOCAL_PROGRESS_KEY
from obsync_tui.engine.precheck.model import CheckResult, Subject
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.binlog.history import SourceLog, check_position
from obsync_tui.model.position import GtidSet, LogPosition

_ITEM = "position"


def known_position(state_file: Path, project_id: str) -> LogPosition | None:
    """The stream's position as this machine last saw it committed; None before the stream. StateError."""
    if not state_file.exists():
        return None
    with StateFile(state_file) as state:
        for record in state.records(project_id):
            if record.key == LOCAL_PROGRESS_KEY and record.value is not None:
                return msgspec.json.decode(record.value, type=LogPosition | None)
    return None


def check_known_position(
    subject: Subject, read_log: Callable[[], SourceLog], state_file: Path, project_id: str
) -> CheckResult:
    """The log after the position is still there, and is of the same history."""
    try:
        position = known_position(state_file, project_id)
        if position is None:
            return subject.passed(_ITEM, "no change was read yet")
        check_position(GtidSet.parse(position.executed), read_log(), subject.name)
    except (LogGap, StateError) as error:
        return subject.failed(_ITEM, error.what, error.cure)
    return subject.passed(_ITEM, "the log holds everything that was not read yet")
