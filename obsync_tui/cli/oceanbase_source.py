"""`obsync source describe` and `prepare`: what only sources of OceanBase have."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Databases, Named
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show, show_json, show_pairs
from obsync_tui.cli.session import Session
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.tenant import Available, Description


def describe(session: Session, arguments: argparse.Namespace) -> int:
    """Print what the tenant offers, and the statements that grant what is missing."""
    found = session.call(op.DESCRIBE, Named(arguments.name))
    if arguments.json:
        show_json(found)
        return exit_codes.OK
    source = session.call(op.SOURCE, Named(arguments.name)).source
    assert isinstance(source, OceanBaseSource)
    show_pairs(_lines(source, found))
    missing = list(dict.fromkeys(statement for step in found.rights for statement in step.missing))
    if missing:
        show("\n-- What is missing, to be run in the tenant as root:\n" + "\n".join(missing))
    return exit_codes.OK


def prepare(session: Session, arguments: argparse.Namespace) -> int:
    """Print the script that makes the data source's user, without a connection."""
    show(session.call(op.PREPARE, Databases(arguments.name, arguments.databases or "")).text)
    return exit_codes.OK


def _lines(source: OceanBaseSource, found: "Description") -> list[tuple[str, str]]:
    tenant = found.tenant
    window = "not told to this user"
    if tenant.undo_retention_s is not None:
        window = f"{tenant.undo_retention_s} s (undo_retention); longer: {found.longer_flashback}"
    chosen = (
        f"{found.log.log}: {found.log.why}" if found.log.log else f"none. {found.log.why}. {found.log.cure}"
    )
    lines = [
        ("address", f"{source.host}:{source.port}"),
        ("version", found.version),
        ("tenant", tenant.tenant or "not told"),
        ("cluster", tenant.cluster or "not told"),
        ("account", found.account),
        ("Binlog Service", _available(found.binlog_service)),
        ("view logs", _available(found.view_logs)),
        ("log", f"{source.log} -> {chosen}"),
        ("flashback window", window),
        ("row image", tenant.binlog_row_image or "not told"),
        ("names", _names(tenant.lower_case_table_names)),
        ("clock", f"{found.clock_offset_s:+.1f} s against this machine's; time zone {tenant.time_zone}"),
        ("databases", ", ".join(found.databases) or "none that this user may read"),
    ]
    for step in found.rights:
        by = f" ({step.log})" if step.log else ""
        lines.append((f"rights: {step.step}{by}", "missing, see below" if step.missing else "complete"))
    return lines


def _available(log: "Available") -> str:
    shown = {True: "yes", False: "no", None: "not known"}[log.yes]
    return f"{shown}: {log.why}" + (f". {log.cure}" if log.cure else "")


def _names(lower_case_table_names: int | None) -> str:
    if lower_case_table_names == 0:
        return "case-sensitive (lower_case_table_names = 0)"
    if lower_case_table_names is None:
        return "not told"
    kept = "lower case" if lower_case_table_names == 1 else "as they were written"
    return (
        f"kept in {kept} (lower_case_table_names = {lower_case_table_names}); match rules are case-sensitive"
    )
