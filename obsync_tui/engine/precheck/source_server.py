"""Checks of a MySQL server: version, log, clock and rights."""

from collections.abc import Iterable

import msgspec

from obsync_tui.engine.mysql.privileges import Rights, missing_grants
from obsync_tui.engine.mysql.server import LogFilters, Variables
from obsync_tui.engine.precheck.model import CheckResult, Subject, listed
from obsync_tui.model.project import Step
from obsync_tui.model.table import TableName

_CLOCK_WARNING_S = 1.0
_RETENTION_WARNING_S = 24 * 3600


class Setting(msgspec.Struct, frozen=True):
    """A server setting that must have one value, why, and how it gets it."""

    name: str
    required: str
    why: str
    cure: str


_NO_RESTART = "Run: SET GLOBAL {name} = {required}; and set it in my.cnf, then close sessions opened before."
_GTID_STEPS = (
    "Run one after the other: SET GLOBAL gtid_mode = OFF_PERMISSIVE; SET GLOBAL gtid_mode = ON_PERMISSIVE; "
    "SET GLOBAL gtid_mode = ON; and set gtid_mode = ON in my.cnf."
)
SETTINGS = (
    Setting(
        "log_bin",
        "ON",
        "nothing is written to the log",
        "Set log_bin and server_id in my.cnf and restart the server.",
    ),
    Setting("binlog_format", "ROW", "the log holds statements instead of rows", _NO_RESTART),
    Setting("binlog_row_image", "FULL", "the log leaves columns out", _NO_RESTART),
    Setting(
        "enforce_gtid_consistency",
        "ON",
        "GTIDs can be missing from the log",
        "Run: SET GLOBAL enforce_gtid_consistency = ON; and set it in my.cnf.",
    ),
    Setting("gtid_mode", "ON", "a position cannot be told without GTIDs", _GTID_STEPS),
    Setting("binlog_transaction_compression", "OFF", "compressed transactions are not read", _NO_RESTART),
)


def check_version(subject: Subject, variables: Variables) -> CheckResult:
    """MySQL 5.7 and 8.0 are supported, and what calls itself so."""
    item, shown = "version", f"{variables.product} {variables.version}"
    cure = "Use a MySQL 5.7 or 8.0 server as the source."
    if variables.product == "MariaDB":
        return subject.failed(item, f"{shown}: MariaDB's GTIDs and log are of another kind", cure)
    if variables.number[:2] in ((5, 7), (8, 0)):
        return subject.passed(item, shown)
    if variables.number[:1] == (8,):
        return subject.warned(item, f"{shown} was never tried", cure)
    return subject.failed(item, f"{shown} is not supported", cure)


def check_setting(subject: Subject, variables: Variables, setting: Setting) -> CheckResult:
    """One setting that must have one value."""
    value = {field: str(getattr(variables, field)) for field in variables.__struct_fields__}[setting.name]
    shown = value or "empty"
    # log_bin and its like come as ON or 1, by version.
    if value.upper() == setting.required or (value == "1" and setting.required == "ON"):
        return subject.passed(setting.name, shown)
    cure = setting.cure.format(name=setting.name, required=setting.required)
    return subject.failed(setting.name, f"{shown}, but must be {setting.required}: {setting.why}", cure)


def check_sync_binlog(subject: Subject, variables: Variables) -> CheckResult:
    """With another value a crashed machine can forget transactions that were already sent."""
    if variables.sync_binlog == 1:
        return subject.passed("sync_binlog", "1")
    return subject.warned(
        "sync_binlog",
        f"{variables.sync_binlog}: when the server's machine fails, the log can lose changes already sent",
        "Run: SET GLOBAL sync_binlog = 1; and set it in my.cnf.",
    )


def check_retention(subject: Subject, variables: Variables) -> CheckResult:
    """How long the log is kept bounds how long a project may stand still."""
    item, kept_s = "log retention", variables.retention_s
    if not kept_s:
        return subject.passed(item, "the log is kept until it is purged by hand")
    text = f"the log is kept {kept_s / 3600:.0f} h"
    if kept_s >= _RETENTION_WARNING_S:
        return subject.passed(item, text)
    name = "binlog_expire_logs_seconds = 604800" if variables.number[:1] == (8,) else "expire_logs_days = 7"
    return subject.warned(
        item,
        f"{text}; a project that stands still longer must be synchronized anew",
        f"Run: SET GLOBAL {name}; and set it in my.cnf.",
    )


def check_clock(subject: Subject, offset_s: float) -> CheckResult:
    """Lags are differences between the server's clock and this machine's."""
    text = f"the server's clock differs from this machine's by {offset_s:+.1f} s"
    if abs(offset_s) <= _CLOCK_WARNING_S:
        return subject.passed("clock", text)
    return subject.warned(
        "clock", f"{text}; lags are shown corrected by it", "Synchronize both machines by NTP."
    )


def check_log_filters(subject: Subject, filters: LogFilters, databases: Iterable[str]) -> CheckResult:
    """binlog_do_db and binlog_ignore_db keep changes out of the log."""
    dropped = [database for database in sorted(set(databases)) if filters.drops(database)]
    if not dropped:
        return subject.passed("log filters", "every database in scope is logged")
    return subject.failed(
        "log filters",
        f"the server leaves changes in {listed(dropped)} out of its log",
        "Remove binlog_do_db and binlog_ignore_db from my.cnf and restart the server.",
    )


def check_rights(
    subject: Subject,
    rights: Rights,
    steps: Iterable[Step],
    tables: Iterable[TableName],
    databases: Iterable[str],
) -> CheckResult:
    """The rights that the project's steps need."""
    missing = missing_grants(rights, steps, tables, databases)
    if not missing:
        return subject.passed("rights", f"{rights.account} may read the objects and the log")
    return subject.failed(
        "rights", f"{rights.account} lacks {len(missing)} of the rights needed", f"Run: {' '.join(missing)}"
    )
