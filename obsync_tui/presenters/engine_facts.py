"""The engine itself: who answers, its load, its sizes."""

from obsync_tui.model.views import EngineFacts, Hello
from obsync_tui.presenters.quantities import duration_text, size_text
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.zone import Zone


def engine_lines(
    hello: Hello | None, facts: EngineFacts | None, now_s: float, zone: Zone, version: str
) -> list[Line]:
    """Each fact on its line."""
    if hello is None:
        return [line(Span("No engine has answered yet.", Role.DIM))]
    rows = [
        ("version", hello.version + ("" if hello.version == version else f"  (this console: {version})")),
        ("protocol", str(hello.protocol)),
        ("process", str(hello.pid)),
        ("started", f"{zone.moment(hello.started_s)}, {duration_text(max(now_s - hello.started_s, 0))} ago"),
        ("home", hello.home),
        ("you may", "look and act" if hello.access == "admin" else "look only"),
    ]
    if facts is not None:
        rows += [
            ("socket", facts.socket),
            ("projects", f"{facts.projects}, {facts.running} running"),
            ("clients", f"{facts.clients} watching"),
            ("load", f"{facts.cpu_share * 100:.0f} % of a core"),
            ("memory", size_text(facts.rss_bytes)),
            ("threads", f"{facts.threads}" + _abandoned(facts.threads_abandoned)),
            ("files open", str(facts.descriptors)),
            ("state.db", size_text(facts.state_bytes)),
            ("logs", size_text(facts.logs_bytes)),
        ]
    return [line(Span(f" {name:<11} ", Role.DIM), value) for name, value in rows]


def _abandoned(count: int) -> str:
    return f", {count} abandoned in calls that do not return" if count else ""
