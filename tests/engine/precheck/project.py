"""A project on real servers, and its precheck."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from obsync_tui.engine.precheck.model import CheckResult, Outcome
from obsync_tui.engine.precheck.run import precheck
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource
from obsync_tui.model.project import (
    Objects,
    Project,
)
from obsync_tui.model.secret import Secret, SecretReference
from tests.servers import KafkaBroker, MySQLServer


def secrets(reference: SecretReference) -> Secret:
    return Secret(str(reference).removeprefix("env:"))


@dataclass
class Setup:
    """A project on real servers; `database` is its own."""

    server: MySQLServer
    broker: KafkaBroker
    database: str
    state_dir: Path

    @property
    def source(self) -> MySQLSource:
        return MySQLSource("shop", "127.0.0.1", "root", self.server.port)

    @property
    def destination(self) -> KafkaSource:
        return KafkaSource("events", self.broker.bootstrap)

    @property
    def project(self) -> Project:
        return Project(
            id=f"np_{uuid4().hex[:12]}",
            name="orders",
            source="shop",
            destination="events",
            objects=Objects((f"{self.database}.*",)),
        )

    def check(
        self,
        project: Project | None = None,
        source: DataSource | None = None,
        destination: DataSource | None = None,
    ) -> list[CheckResult]:
        return precheck(
            project or self.project,
            source or self.source,
            destination or self.destination,
            secrets,
            self.state_dir,
        )


def one(results: list[CheckResult], item: str, subject: str = "") -> CheckResult:
    """The only result on the item that is not a pass."""
    (found,) = [
        r for r in results if r.item == item and subject in r.subject and r.outcome is not Outcome.PASS
    ]
    return found


def bad(results: list[CheckResult]) -> set[str]:
    # The test servers do not sync their log; that is reported in every run.
    return {r.item for r in results if r.outcome is not Outcome.PASS} - {"sync_binlog"}
