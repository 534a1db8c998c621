"""Tables as the command line names them."""

from collections.abc import Iterable

from obsync_tui.model.errors import ConfigError
from obsync_tui.model.table import TableName

ALL = "all"


def listed(texts: Iterable[str] | None) -> tuple[str, ...]:
    """What stands between commas in an option that may be given several times."""
    return tuple(part.strip() for text in texts or () for part in text.split(",") if part.strip())


def table_names(text: str | None, where: str) -> tuple[str, ...]:
    """The tables of `DATABASE.TABLE,…`; none for `all`. ConfigError for anything else."""
    if text == ALL:
        return ()
    names = listed([text or ""])
    for name in names:
        try:
            TableName.parse(name)
        except ValueError as error:
            raise ConfigError(
                f"not a table: {name!r}", where=where, cure="Write DATABASE.TABLE,… or all."
            ) from error
    return names
