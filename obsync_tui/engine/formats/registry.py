"""Formats by OMS's names."""

from obsync_tui.engine.formats.default import DEFAULT, DEFAULT_EXTEND_COLUMN_TYPE
from obsync_tui.engine.formats.plan import MessageFormat
from obsync_tui.model.project import Format

FORMATS: dict[Format, MessageFormat] = {
    Format.DEFAULT: DEFAULT,
    Format.DEFAULT_EXTEND_COLUMN_TYPE: DEFAULT_EXTEND_COLUMN_TYPE,
}
