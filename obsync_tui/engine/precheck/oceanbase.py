"""Checks of a tenant of OceanBase."""

from obsync_tui.engine.oceanbase.version import NEWEST, OLDEST, Edition, Version
from obsync_tui.engine.precheck.model import CheckResult, Subject


def check_version(subject: Subject, version: Version) -> CheckResult:
    """OceanBase 3.1 to 4.x are supported."""
    item, shown = "version", str(version)
    if version.number < OLDEST:
        return subject.failed(item, f"{shown} is not supported", "Use OceanBase 3.1 to 4.x as the source.")
    if version.number[: len(NEWEST)] > NEWEST:
        return subject.warned(item, f"{shown} was never tried", "Use OceanBase 3.1 to 4.x as the source.")
    if version.edition is Edition.SEEKDB:
        return subject.warned(item, f"{shown}: an embedded engine, for trying things out")
    return subject.passed(item, shown)
