"""Data sources as rows and texts: where they are, what a test found, what a tenant offers."""

from collections.abc import Sequence

from obsync_tui.model.check import CheckResult, Outcome
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource, Tls
from obsync_tui.model.tenant import Available, Description
from obsync_tui.model.viewlog import ListedLog
from obsync_tui.model.views import SourceView
from obsync_tui.presenters.quantities import duration_text, size_text
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.zone import Zone

_KINDS = {MySQLSource: "MySQL", OceanBaseSource: "OceanBase", KafkaSource: "Kafka"}
_OUTCOMES = {
    Outcome.PASS: Span("  ok   ", Role.GOOD),
    Outcome.WARNING: Span("  warn ", Role.WARN),
    Outcome.FAIL: Span("  FAIL ", Role.BAD),
    Outcome.NOT_RUN: Span("  -    ", Role.DIM),
}


def kind_text(view: SourceView) -> str:
    """MySQL, OceanBase, Kafka; empty for a file that cannot be used."""
    return "" if view.source is None else _KINDS[type(view.source)]


def place_cell(view: SourceView) -> Span:
    """Host and port, or what is wrong with the file."""
    if view.error:
        return Span(view.error, Role.BAD)
    return Span("" if view.source is None else place_text(view.source))


def place_text(source: DataSource) -> str:
    """Where it listens."""
    return source.endpoint if isinstance(source, KafkaSource) else f"{source.host}:{source.port}"


def user_text(view: SourceView) -> str:
    """Who logs in."""
    source = view.source
    if isinstance(source, KafkaSource):
        return source.sasl.user if source.sasl else ""
    return "" if source is None else source.user


def used_cell(view: SourceView) -> Span:
    """The projects that use it."""
    return Span(" ".join(view.used_by) or "-", Role.PLAIN if view.used_by else Role.DIM)


def facts(view: SourceView) -> list[Line]:
    """A data source's fields, each on its line; secrets are not among them."""
    source = view.source
    if source is None:
        return [line(Span(view.error, Role.BAD))]
    rows = [("kind", kind_text(view)), ("at", place_text(source)), ("user", user_text(view) or "-")]
    rows.append(("TLS", _tls_text(source.tls)))
    if isinstance(source, OceanBaseSource):
        login = source.login
        rows.append(("tenant", f"{login.tenant or '?'} of cluster {login.cluster or '?'}"))
        rows.append(
            (
                "log",
                str(source.log) + (", costs of view logs accepted" if source.accept_view_log_costs else ""),
            )
        )
    if isinstance(source, KafkaSource):
        rows.append(("SASL", source.sasl.mechanism if source.sasl else "off"))
        rows += [(name, value) for name, value in source.properties.items()]
    rows.append(("used by", ", ".join(view.used_by) or "no project"))
    return [line(Span(f"  {name:<9} ", Role.DIM), value) for name, value in rows]


def _tls_text(tls: Tls) -> str:
    if not tls.enabled:
        return "off"
    return (
        "on"
        + (f", authority {tls.ca}" if tls.ca else "")
        + ("" if tls.verify else ", certificate NOT verified")
    )


def check_lines(results: Sequence[CheckResult]) -> list[Line]:
    """A line a check, each failure with what to do."""
    lines: list[Line] = []
    for result in results:
        about = f"{result.subject} {result.item}".strip()
        lines.append(line(_OUTCOMES[result.outcome], Span(f"{about}: ", Role.DIM), result.text))
        if result.cure and result.outcome is not Outcome.PASS:
            lines.append(line(Span("         do: ", Role.DIM), Span(result.cure, Role.STRONG)))
    return lines


def checks_said(results: Sequence[CheckResult]) -> Span:
    """What a test came to, in one line."""
    failed = sum(result.outcome is Outcome.FAIL for result in results)
    warned = sum(result.outcome is Outcome.WARNING for result in results)
    if failed:
        return Span(f"{failed} of {len(results)} checks failed", Role.BAD)
    return Span(
        f"all {len(results)} checks passed" + (f", {warned} with a warning" if warned else ""), Role.GOOD
    )


def description_lines(found: Description) -> list[Line]:
    """What a tenant offers and lacks, with the statements that give what is missing."""
    tenant = found.tenant
    flashback = "?" if tenant.undo_retention_s is None else duration_text(tenant.undo_retention_s)
    lines = [
        line(Span("version    ", Role.DIM), found.version),
        line(Span("tenant     ", Role.DIM), f"{tenant.tenant or '?'} of cluster {tenant.cluster or '?'}"),
        line(Span("account    ", Role.DIM), found.account),
        line(Span("time zone  ", Role.DIM), tenant.time_zone or "?"),
        line(Span("flashback  ", Role.DIM), f"{flashback} back"),
        line(Span("clock      ", Role.DIM), f"{found.clock_offset_s:+.1f} s against this host"),
        line(Span("databases  ", Role.DIM), ", ".join(found.databases) or "none"),
        (),
        *_available("Binlog Service", found.binlog_service),
        *_available("view logs", found.view_logs),
        line(
            Span("changes are read from  ", Role.DIM),
            Span(str(found.log.log or "NOTHING"), Role.STRONG),
            f": {found.log.why}",
        ),
    ]
    if found.log.cure:
        lines.append(line(Span("  do: ", Role.DIM), Span(found.log.cure, Role.STRONG)))
    for rights in found.rights:
        lines += [
            (),
            line(
                Span(f"rights for {rights.step}: ", Role.DIM),
                "nothing is missing" if not rights.missing else "missing",
            ),
        ]
        lines += [line(Span(f"{statement.rstrip(';')};", Role.STRONG)) for statement in rights.missing]
    if found.longer_flashback:
        lines += [
            (),
            line(Span("to lengthen the flashback window:", Role.DIM)),
            line(Span(found.longer_flashback, Role.STRONG)),
        ]
    return lines


def _available(name: str, found: Available) -> list[Line]:
    word = {True: Span("yes", Role.GOOD), False: Span("no", Role.WARN), None: Span("unknown", Role.DIM)}[
        found.yes
    ]
    lines = [line(Span(f"{name}: ", Role.DIM), word, f"  {found.why}")]
    if found.cure:
        lines.append(line(Span("  do: ", Role.DIM), found.cure))
    return lines


def view_log_lines(logs: Sequence[ListedLog], zone: Zone) -> list[Line]:
    """A tenant's view logs, those of lost projects told apart."""
    if not logs:
        return [line("There are no view logs in this tenant.")]
    lines = []
    for log in logs:
        owner = (
            Span("orphan: its project is gone", Role.WARN)
            if log.orphan
            else Span(log.owner or "nobody known here")
        )
        lines.append(
            line(
                Span(f"{log.table.database}.{log.table.table}", Role.STRONG),
                Span("  owner ", Role.DIM),
                owner,
                Span(
                    f"  created {zone.moment(log.created_s)}  purged to {zone.moment(log.purged_s)}", Role.DIM
                ),
                Span(f"  LOBs up to {size_text(log.lob_bytes)}", Role.DIM),
            )
        )
    return lines
