"""The checks of an OceanBase tenant on its engine: each passes, and each fails with the cure that makes it pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from obsync_tui.engine.oceanbase.version import Edition, Version
from obsync_tui.engine.precheck import view_log
from obsync_tui.engine.precheck.model import CheckResult, Outcome, Subject
from obsync_tui.engine.precheck.oceanbase import (
    OceanBaseChecks,
    check_row_image,
    check_undo_retention,
    check_version,
)
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.project import Objects, Project, Step, TableRule
from obsync_tui.model.secret import SecretReference
from obsync_tui.model.table import Column, TableName, TableVersion
from tests.contract.sources import ViewLogSource
from tests.engine.precheck.project import secrets
from tests.servers import BinlogService, OceanBaseServer

PASS, WARNING, FAIL, NOT_RUN = Outcome.PASS, Outcome.WARNING, Outcome.FAIL, Outcome.NOT_RUN
SHOP = Subject("shop")


class Tenant:
    """A tenant with a database of the test's own, a source that reads it by view logs, and a project."""

    def __init__(self, server: OceanBaseServer | BinlogService, state_file: Path) -> None:
        self.server, self.state_file = server, state_file
        self.database = f"pre{uuid4().hex[:8]}"
        self.run_sql(
            f"CREATE DATABASE {self.database}",
            f"CREATE TABLE {self.database}.orders (id INT PRIMARY KEY, note VARCHAR(9))",
        )
        self.source = OceanBaseSource(
            "shop", "127.0.0.1", "root@sys", server.port, log=LogChoice.VIEW_LOG, accept_view_log_costs=True
        )
        self.project = Project(
            f"np_{uuid4().hex[:12]}", "orders", "shop", "events", Objects((f"{self.database}.*",))
        )

    def run_sql(self, *statements: str) -> None:
        with self.server.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def check(self, **changes: object) -> dict[str, list[CheckResult]]:
        """The results by item; changes are the source's."""
        source = msgspec.structs.replace(self.source, **changes)
        found: dict[str, list[CheckResult]] = {}
        for result in OceanBaseChecks(self.project, source, secrets, self.state_file).run():
            assert result.subject == "shop"
            found.setdefault(result.item, []).append(result)
        return found

    def change(self, **changes: object) -> None:
        """Change the project."""
        self.project = msgspec.structs.replace(self.project, **changes)


@pytest.fixture
def tenant(oceanbase: OceanBaseServer, tmp_path: Path) -> Iterator[Tenant]:
    tenant = Tenant(oceanbase, tmp_path / "state.db")
    yield tenant
    tenant.run_sql(f"DROP DATABASE IF EXISTS {tenant.database}")


def outcomes(found: dict[str, list[CheckResult]]) -> dict[str, list[Outcome]]:
    return {item: [result.outcome for result in results] for item, results in found.items()}


def test_a_tenant_without_fault(tenant: Tenant) -> None:
    assert outcomes(tenant.check()) == {
        "connection": [PASS],
        # The engine is an embedded one, which is said.
        "version": [WARNING],
        "log": [PASS],
        "binlog_row_image": [PASS],
        "clock": [PASS],
        "rights": [PASS],
        "objects": [PASS],
        "keys": [PASS],
        "column types": [PASS],
        "virtual columns": [PASS],
        "undo_retention": [PASS],
        "view logs": [PASS],
        "view log owners": [PASS],
    }
    tenant.change(steps=(Step.SCHEMA, Step.FULL))
    assert not {"log", "binlog_row_image", "view logs", "view log owners"} & set(tenant.check())


def test_no_connection(tenant: Tenant) -> None:
    found = tenant.check(password=SecretReference("env:wrong"))
    assert outcomes(found) == {
        "connection": [FAIL], "version": [NOT_RUN], "log": [NOT_RUN], "rights": [NOT_RUN], "objects": [NOT_RUN],
    }  # fmt: skip
    assert "1045" in found["connection"][0].text and "wrong" not in str(found)


def test_the_log_and_its_costs(tenant: Tenant, binlog_service: BinlogService) -> None:
    (refused,) = tenant.check(accept_view_log_costs=False)["log"]
    assert (refused.outcome, refused.cure) == (FAIL, "To agree, set accept_view_log_costs = true.")
    assert "an INSERT of a thousand rows takes three to six times as long" in refused.text
    (missing,) = tenant.check(log=LogChoice.AUTO)["log"]
    assert (missing.outcome, missing.text) == (FAIL, "Binlog Service does not answer")
    assert "binlog_service_ip" in missing.cure and 'log = "view-log"' in missing.cure
    found = tenant.check(log=LogChoice.AUTO, port=binlog_service.port)
    (taken,) = found["log"]
    assert (taken.outcome, taken.text) == (PASS, 'binlog: log = "auto" takes Binlog Service')
    assert "view logs" not in found


def test_a_tenant_that_writes_parts_of_rows(tenant: Tenant) -> None:
    with tenant.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL binlog_row_image = 'MINIMAL'")
        try:
            result = check_row_image(SHOP, connection)
            (cure,) = result.cure.removeprefix("Run: ").split("; ")[:1]
            cursor.execute(cure)
            cured = check_row_image(SHOP, connection)
        finally:
            cursor.execute("SET GLOBAL binlog_row_image = 'FULL'")
    assert (result.outcome, cured.outcome) == (FAIL, PASS)
    assert result.text.startswith("MINIMAL, but must be FULL")


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        (Version((4, 3, 5, 3), Edition.CE), PASS),
        (Version((3, 1, 4), Edition.CE), PASS),
        (Version((4, 2, 1), Edition.EE), PASS),
        (Version((4, 3, 5, 3), Edition.SEEKDB, (1, 3, 0)), WARNING),
        (Version((5, 0), Edition.CE), WARNING),
        (Version((2, 2, 77), Edition.EE), FAIL),
    ],
)
def test_versions(version: Version, outcome: Outcome) -> None:
    result = check_version(SHOP, version)
    assert result.outcome is outcome and str(version) in result.text
    assert bool(result.cure) == (version.number[0] in (2, 5))


def test_missing_rights_come_with_the_statements_that_grant_them(tenant: Tenant) -> None:
    user = f"u_{tenant.database}"
    tenant.run_sql(f"CREATE USER {user} IDENTIFIED BY 'x'", f"GRANT SELECT ON {tenant.database}.* TO {user}")
    account = {"user": f"{user}@sys", "password": SecretReference("env:x")}
    (lacking,) = tenant.check(**account)["rights"]
    assert lacking.outcome is FAIL and user in lacking.text
    tenant.run_sql(*(one for one in lacking.cure.removeprefix("Run: ").split(";") if one.strip()))
    found = tenant.check(**account)
    assert [outcomes(found)[item] for item in ("rights", "view logs", "view log owners")] == [[PASS]] * 3
    tenant.run_sql(f"DROP USER {user}")


def test_objects(tenant: Tenant) -> None:
    name = tenant.database
    tenant.run_sql(f"CREATE TABLE {name}.loose (a INT)")
    tenant.change(
        objects=Objects(
            (f"{name}.*", f"{name}.absent"),
            tables=(TableRule(f"{name}.orders", sharding_columns=("nobody",)), TableRule(f"{name}.nowhere")),
        )
    )
    found = tenant.check()
    assert (found["objects"][0].outcome, f"{name}.absent" in found["objects"][0].text) == (FAIL, True)
    assert [result.outcome for result in found["table settings"]] == [FAIL, WARNING]
    (keyless,) = found["keys"]
    assert keyless.outcome is WARNING and "ADD PRIMARY KEY" in keyless.cure
    tenant.run_sql(f"CREATE TABLE {name}.near (id INT PRIMARY KEY, place VECTOR(3))")
    (unread,) = tenant.check()["column types"]
    assert (unread.outcome, unread.cure) == (FAIL, "Exclude their tables.")
    assert f"{name}.near.place (VECTOR(3))" in unread.text
    tenant.change(objects=Objects((f"{name}.none*",)))
    (nothing,) = tenant.check()["objects"]
    assert (nothing.outcome, nothing.text) == (FAIL, "the rules match no table")


def test_undo_retention() -> None:
    version = Version((4, 3, 5, 3), Edition.CE)
    short = check_undo_retention(SHOP, version, 100_000_000, 1800)
    assert short.outcome is WARNING
    assert short.cure == "To read all under one: ALTER SYSTEM SET undo_retention = 10000;"
    assert check_undo_retention(SHOP, version, 100_000_000, 10_000).outcome is PASS
    assert (
        "SET GLOBAL undo_retention" in check_undo_retention(SHOP, Version((3, 1), Edition.CE), 10**9, 9).cure
    )
    assert check_undo_retention(SHOP, version, 0, 1800).outcome is PASS
    assert check_undo_retention(SHOP, version, 5, None).outcome is WARNING


def test_tables_that_cannot_have_a_view_log(tenant: Tenant) -> None:
    name = tenant.database
    tenant.run_sql(
        f"CREATE TABLE {name}.made (id INT PRIMARY KEY, twice INT GENERATED ALWAYS AS (id * 2) STORED)",
        f"CREATE TABLE {name}.page (id INT PRIMARY KEY, body LONGTEXT)",
    )
    refused, lobs = tenant.check()["view logs"]
    assert (refused.outcome, lobs.outcome) == (FAIL, WARNING)
    assert f"{name}.made: a view log cannot hold generated columns: twice" in refused.text
    assert refused.cure == "Leave these tables out, or use Binlog Service."
    assert f"786,432 bytes to them, less where a table has several: {name}.page" in lobs.text
    assert "accept_lost_lob_updates = true" in lobs.cure
    tenant.change(objects=Objects((f"{name}.*",), exclude=(f"{name}.made", f"{name}.page")))
    assert outcomes(tenant.check())["view logs"] == [PASS]


def test_more_tables_than_polls_like() -> None:
    tables = [
        TableVersion(TableName("shop", f"t{n}"), (Column("id", "int", "int", nullable=False),), ("id",))
        for n in range(101)
    ]
    many, fit = view_log.check_tables(SHOP, tables)
    assert (many.outcome, many.cure) == (WARNING, "Use Binlog Service for that many tables.")
    assert fit.outcome is PASS
    assert [result.outcome for result in view_log.check_tables(SHOP, tables[:100])] == [PASS]


def test_whose_the_logs_are(tenant: Tenant) -> None:
    name = tenant.database
    columns = "WITH PRIMARY KEY, ROWID, SEQUENCE (note) INCLUDING NEW VALUES"
    tenant.run_sql(f"CREATE MATERIALIZED VIEW LOG ON {name}.orders {columns}")
    (nobodys,) = tenant.check()["view log owners"]
    assert (nobodys.outcome, f"{name}.orders (no project on this machine)" in nobodys.text) == (FAIL, True)
    assert "`obsync source logs` lists the logs" in nobodys.cure
    tenant.run_sql(f"DROP MATERIALIZED VIEW LOG ON {name}.orders")
    logs = ViewLogSource(tenant.server)  # type: ignore[arg-type]
    with StateFile(tenant.state_file) as state:
        state.save(logs.project_id, tuple(logs.records.values()))
    tenant.change(objects=Objects((f"{logs.database}.t",)))
    (others,) = tenant.check()["view log owners"]
    assert (others.outcome, f"{logs.database}.t (project {logs.project_id})" in others.text) == (FAIL, True)
    tenant.change(id=logs.project_id)
    assert outcomes(tenant.check())["view log owners"] == [PASS]
