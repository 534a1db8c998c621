"""What is shown, written to files."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from obsync_tui.config.paths import write_private
from obsync_tui.widgets.pane import Pane

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
# A spreadsheet takes such a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(directory: Path, name: str, now_s: float, pane: Pane) -> str:
    """Write the pane's rows as CSV and JSON, mode 0600, and say where; ConfigError when that is not possible."""
    columns, rows = pane.table()
    at = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem = directory / "exports" / f"{_UNFIT.sub('_', name)[:80]}-{at}"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    write_private(stem.with_suffix(".csv"), text.getvalue().encode("utf-8", "backslashreplace"))
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    write_private(stem.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(records), indent=1))
    return f"{len(rows)} rows in {stem}.csv and .json"


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
