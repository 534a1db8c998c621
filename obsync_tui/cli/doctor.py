"""`obsync doctor`: what keeps obsync from working here, each finding with its cure."""

import argparse
import os
import time
from collections.abc import Sequence
from itertools import groupby

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show_json
from obsync_tui.cli.session import Session
from obsync_tui.model.finding import Finding, Level
from obsync_tui.terminal.sanitizer import visible


def doctor(session: Session, arguments: argparse.Namespace) -> int:
    """Examine this machine, account and installation; the exit code says whether a check failed."""
    from obsync_tui.engine.doctor.examination import examine
    from obsync_tui.engine.doctor.reading import read_engine, read_facts

    started_s = time.monotonic()
    facts = read_facts(session.paths, session.endpoint.path, os.environ)
    findings = examine(facts, session.secrets.resolve, read_engine(session.endpoint))
    if arguments.json:
        show_json(findings)
    else:
        _show(findings, time.monotonic() - started_s)
    failed = any(finding.level is Level.FAILURE for finding in findings)
    return exit_codes.CHECK_FAILED if failed else exit_codes.OK


def _show(findings: Sequence[Finding], took_s: float) -> None:
    for subject, group in groupby(findings, lambda finding: finding.subject):
        print(visible(subject))
        for finding in group:
            where = f" ({finding.where})" if finding.where else ""
            print(visible(f"  {finding.level:<8} {finding.check}: {finding.what}{where}"))
            if finding.cure:
                print(visible(f"           -> {finding.cure}"))
    counts = [sum(finding.level is level for finding in findings) for level in Level]
    print("{} ok, {} warnings, {} failures, in {:.1f} s".format(*counts, took_s))
