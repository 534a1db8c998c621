"""What the views of one project share: whose they are, where they lie, what their actions are for."""

from collections.abc import Sequence
from typing import ClassVar

from obsync_tui.model.views import ProjectSummary
from obsync_tui.screens.project_actions import ProjectActions


class OneProject(ProjectActions, inherit_bindings=False):
    """A view of one project; PLACE is where it lies below the project, empty for the project itself."""

    PLACE: ClassVar[str] = ""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    @property
    def crumbs(self) -> Sequence[str]:
        """The project, and what of it."""
        return (self._project, self.PLACE) if self.PLACE else (self._project,)

    @property
    def place(self) -> tuple[str, str]:
        """This view of this project."""
        return self.NAME, self._project

    @property
    def targets(self) -> Sequence[ProjectSummary]:
        """This project."""
        found = self.host.picture.project(self._project)
        return [found] if found is not None else []
