"""What of a stopped project's log is out of reach."""

from obsync_tui.model.gap import Gap

_SHOWN = 200


def gap_lines(found: Gap) -> list[tuple[str, str]]:
    """Labelled lines, the position first."""
    survey = found.survey
    lines = [("position", found.position[:_SHOWN]), ("out of reach", survey.lost or "nothing")]
    lines += [(str(gap.table), gap.what) for gap in survey.gaps]
    lines += [
        (
            str(table),
            "its columns are not those that the project knows" if table in found.tables else "never read",
        )
        for table in survey.changed
    ]
    lines += [(str(table), "will be read again at the next run") for table in found.resync]
    return lines
