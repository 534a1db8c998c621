"""What it means to set a project to a point of time, as labelled lines."""

from obsync_tui.model.retime import Retime, Stretch

_SHOWN = 200


def plan_lines(wanted: Retime) -> list[tuple[str, str]]:
    """A plan as labelled lines."""
    found = wanted.found
    finest = "; the log has whole seconds, and this one is taken whole" if found.whole_seconds else ""
    lines = [
        ("local", found.at.local + finest),
        ("utc", found.at.utc),
        ("epoch", found.at.epoch),
        ("position", found.position.executed[:_SHOWN] or "the beginning of the log"),
        ("next change", found.following.utc if found.following else "none yet"),
        ("log", f"from {found.earliest.utc} to {found.newest.utc}, the source's clock"),
        ("now at", wanted.current.executed[:_SHOWN] or "the beginning of the log"),
        ("sent again", _stretch(found.repeated)),
        ("skipped", _stretch(found.skipped)),
    ]
    if wanted.current.inside:
        lines.append(
            ("cut short", f"{wanted.current.inside}, of which {wanted.current.rows} rows were delivered")
        )
    lines += [(str(table), "will be read again at the next run") for table in wanted.again]
    lines += [
        (
            str(one.table),
            f"its shape there is not known: {one.statement[:120]} at {one.gtid}, {one.changed.utc}",
        )
        for one in wanted.unknown
    ]
    return lines


def _stretch(stretch: Stretch) -> str:
    if not stretch.transactions:
        return "nothing"
    first, last = (one.utc if one else "?" for one in (stretch.first, stretch.last))
    count = "1 transaction" if stretch.transactions == 1 else f"{stretch.transactions:,} transactions"
    return f"{count}, from {first} to {last}"
