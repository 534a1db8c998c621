"""What the watch stream brings: the newest value of each topic, whenever it changed."""

import msgspec

from obsync_tui.model.views import EngineFacts, ProjectDetails, ProjectSummary


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One moment of what is watched; a part that did not change since the frame before is None.

    Topics: `projects` gives `projects` (all of them, when one changed); `project:NAME` gives `details`, and `gone` when
    there is no such project any more; `engine` gives `engine`. A frame without parts is a heartbeat.
    """

    at_s: float
    projects: tuple[ProjectSummary, ...] | None = None
    details: ProjectDetails | None = None
    engine: EngineFacts | None = None
    gone: str = ""
