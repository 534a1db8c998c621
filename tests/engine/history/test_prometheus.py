"""What Prometheus reads, by its own client's parser; the Grafana board asks for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from obsync_tui.engine.history.prometheus import (
    CONTENT_TYPE,
    ENGINE_FAMILIES,
    PROJECT_FAMILIES,
    EngineFacts,
    StateCount,
    render,
)
from obsync_tui.model.metrics import Failure, FullStatus, Phase, Status

ROOT = Path(__file__).resolve().parents[3]
ENGINE = EngineFacts(
    "1.2", "native", 100.5, 2**30, 12.25, 40, 99, (StateCount("running", 2), StateCount("paused", 0)), 3, 1
)
FULL = Status(
    "np_a", "orders", Phase.FULL, 1000.5, 7, 900.0, source_lag_s=0.25, delivery_lag_s=-1.5, source_lag_age_s=2.0,
    backlog_rows=10, backlog_bytes=2**40 + 1, behind_transactions=3, rows=100, bytes=1000, read_rows=110,
    read_bytes=1100, commit_total_s=4.5, log_fill=0.5, message_fill=1.0, messages=200, commits=9, restarts=2,
    bottleneck="sink", clock_offset_s=0.125, purge_left_s=3600.0, full=FullStatus(5, 2, 60, 90, 1.0, 30.0),
    warnings=("a", "b"), failure=Failure("X", "what", "where", "cure", True, 9.0),
)  # fmt: skip
BARE = Status("np_b", "idle", Phase.INCREMENTAL, 1000.0, 7, 900.0, idle=True)


def read(*statuses: Status) -> dict[str, Metric]:
    families = list(text_string_to_metric_families(render(ENGINE, statuses).decode()))
    found = {family.name: family for family in families}
    assert len(found) == len(families), "a family is told twice"
    return found


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    """The one sample with these labels, whose others are the project's."""
    samples = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(samples) == 1, (name, labels, samples)
    return float(samples[0])


EXPECTED = {
    "obsync_connected": 1, "obsync_failed": 1, "obsync_idle": 0, "obsync_warnings": 2,
    "obsync_status_timestamp_seconds": 1000.5, "obsync_start_time_seconds": 900,
    "obsync_seconds_behind_source": 0.25, "obsync_delivery_seconds_behind_source": -1.5,
    "obsync_seconds_since_last_event": 2, "obsync_transactions_behind_source": 3,
    "obsync_events_seen_total": 110, "obsync_bytes_read_total": 1100, "obsync_events_delivered_total": 100,
    "obsync_bytes_delivered_total": 1000, "obsync_record_send_total": 200, "obsync_commits_total": 9,
    "obsync_commit_duration_seconds_total": 4.5, "obsync_backlog_events": 10,
    "obsync_backlog_bytes": 2**40 + 1, "obsync_restarts_total": 2, "obsync_source_clock_offset_seconds": 0.125,
    "obsync_source_purge_seconds": 3600, "obsync_snapshot_running": 1, "obsync_snapshot_tables": 5,
    "obsync_snapshot_remaining_tables": 3, "obsync_snapshot_rows_scanned": 60,
    "obsync_snapshot_rows_estimated": 90, "obsync_snapshot_remaining_seconds": 30,
}  # fmt: skip
ENGINE_EXPECTED = {
    "obsync_engine_start_time_seconds": 100.5, "obsync_engine_resident_memory_bytes": 2**30,
    "obsync_engine_cpu_seconds_total": 12.25, "obsync_engine_threads": 40, "obsync_engine_abandoned_threads": 1,
    "obsync_engine_open_files": 99, "obsync_engine_log_lines_dropped_total": 3,
}  # fmt: skip


def test_every_figure_of_a_project() -> None:
    families = read(FULL, BARE)
    found = {name: value(families, name, project="orders", project_id="np_a") for name in EXPECTED}
    assert found == EXPECTED
    for queue, fill in (("log", 0.5), ("message", 1.0)):
        assert value(families, "obsync_queue_utilization_ratio", project="orders", queue=queue) == fill
    for component in ("source", "connector", "sink"):
        told = value(families, "obsync_bottleneck", project="orders", component=component)
        assert told == (component == "sink")
    assert value(families, "obsync_phase", project="idle", phase="incremental") == 1
    assert value(families, "obsync_idle", project="idle") == 1
    assert {*EXPECTED, "obsync_queue_utilization_ratio", "obsync_bottleneck", "obsync_phase"} == {
        family.name for family in PROJECT_FAMILIES
    }


def test_every_figure_of_the_engine() -> None:
    families = read()
    assert {name: value(families, name) for name in ENGINE_EXPECTED} == ENGINE_EXPECTED
    assert value(families, "obsync_engine_info", version="1.2", row_plans="native") == 1
    assert value(families, "obsync_engine_projects", state="running") == 2
    assert value(families, "obsync_engine_projects", state="paused") == 0
    assert {*ENGINE_EXPECTED, "obsync_engine_info", "obsync_engine_projects"} == {
        family.name for family in ENGINE_FAMILIES
    }
    assert len(families) == len(ENGINE_FAMILIES), "no project, no metric of projects"


def test_what_is_not_known_has_no_sample() -> None:
    families = read(BARE)
    for name in ("seconds_behind_source", "transactions_behind_source", "source_purge_seconds"):
        assert f"obsync_{name}" not in families
    assert [
        sample.labels["project"] for sample in read(FULL, BARE)["obsync_seconds_behind_source"].samples
    ] == ["orders"]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", 'a\\"\n\\', "Ω 表", "a{b}=c,", "\\n", ""])
def test_names_are_escaped(name: str) -> None:
    families = read(msgspec.structs.replace(FULL, project=name), BARE)
    assert value(families, "obsync_commits_total", project=name, project_id="np_a") == 9


def test_what_is_no_unicode_is_replaced() -> None:
    families = read(msgspec.structs.replace(FULL, project="a\ud800b"))
    assert value(families, "obsync_commits_total", project="a?b") == 9


@pytest.mark.parametrize(("number", "text"), [
    (0.1, "0.1"), (1e-9, "1e-09"), (2**63, "9223372036854775808"), (float("nan"), "NaN"), (float("inf"), "+Inf"),
    (float("-inf"), "-Inf"), (1e300, None), (-0.0, "0"), (True, "1"),
])  # fmt: skip
def test_numbers(number: float, text: str | None) -> None:
    page = render(ENGINE, (msgspec.structs.replace(FULL, source_lag_s=number),)).decode()
    line = next(line for line in page.splitlines() if line.startswith("obsync_seconds_behind_source{"))
    assert text is None or line.endswith(f"}} {text}")
    assert repr(float(line.split()[-1])) == repr(float(number) + 0.0)


def test_kinds_and_names_go_together() -> None:
    for family in (*ENGINE_FAMILIES, *PROJECT_FAMILIES):
        assert re.fullmatch(r"obsync_[a-z_]+", family.name)
        assert (family.kind == "counter") == family.name.endswith("_total"), family.name
        assert not re.search(r"millis|_ms|_kb|_mb|percent", family.name), "base units only"
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
    assert render(ENGINE, ()).endswith(b"\n")


def expressions() -> list[str]:
    board = json.loads((ROOT / "docs" / "grafana" / "obsync.json").read_text("utf-8"))
    texts = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return texts + [one["definition"] for one in board["templating"]["list"] if "definition" in one]


def test_the_board_asks_for_what_there_is() -> None:
    there = {sample.name for family in read(FULL, BARE).values() for sample in family.samples}
    asked = {name for text in expressions() for name in re.findall(r"obsync_\w+", text)}
    assert len(asked) > 25
    assert asked <= there, asked - there


def test_the_board_takes_rates_of_counters_only() -> None:
    for text in expressions():
        for name in re.findall(r"(?:rate|increase)\((obsync_\w+)", text):
            assert name.endswith("_total"), text
        if "rate(" not in text and "increase(" not in text and "dropped" not in text:
            assert "_total" not in text, text


def test_the_board_shows_units_of_the_names() -> None:
    board = json.loads((ROOT / "docs" / "grafana" / "obsync.json").read_text("utf-8"))
    for panel in board["panels"]:
        unit = panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            text = target["expr"]
            if re.search(r"(_seconds|_seconds_behind_source|_seconds_since\w*)\{", text):
                assert unit == "s", panel["title"]
            if "_bytes{" in text or text.endswith("_bytes"):
                assert unit == "bytes", panel["title"]


def test_panels_do_not_overlap() -> None:
    board = json.loads((ROOT / "docs" / "grafana" / "obsync.json").read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
