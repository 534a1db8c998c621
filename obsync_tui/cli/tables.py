"""Tables as the command line names them."""

from obsync_tui.model.errors import ConfigError
from obsync_tui.model.table import TableName

ALL = "all"


def table_names(text: str | None, where: str) -> tuple[str, ...]:
    """The tables of `DATABASE.TABLE,…`; none for `all`. ConfigError for anything else."""
    if text == ALL:
        return ()
    names = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for name in names:
        try:
            TableName.parse(name)
        except ValueError as error:
            raise ConfigError(
                f"not a table: {name!r}", where=where, cure="Write DATABASE.TABLE,… or all."
            ) from error
    return names
