"""What came of an edited project that a run was asked to apply."""

import msgspec


class Change(msgspec.Struct, frozen=True):
    """A key of the project file that differs, such as `full.rows_per_s`, and why it is treated as it is."""

    key: str
    why: str


class Applied(msgspec.Struct, frozen=True):
    """The keys that differ, by what they ask for. With one that can `never` change, nothing at all was applied."""

    live: tuple[Change, ...] = ()
    restart: tuple[Change, ...] = ()
    never: tuple[Change, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the project runs with the changes now, or does once it has restarted at its checkpoint."""
        return not self.never
