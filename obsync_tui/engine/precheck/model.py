"""How checks are run and what they report on."""

from collections.abc import Callable, Iterable

import msgspec

from obsync_tui.engine.errors import EngineError
from obsync_tui.model.check import CheckResult, Outcome

__all__ = ["Check", "CheckResult", "Outcome", "Subject", "listed", "run_checks"]


class Subject(msgspec.Struct, frozen=True):
    """What checks are about, by the name that the user gave it; makes their results."""

    name: str

    def passed(self, item: str, text: str) -> CheckResult:
        """All is well."""
        return CheckResult(self.name, item, Outcome.PASS, text)

    def warned(self, item: str, text: str, cure: str = "") -> CheckResult:
        """The project can run, at a risk or with less than asked for."""
        return CheckResult(self.name, item, Outcome.WARNING, text, cure)

    def failed(self, item: str, text: str, cure: str) -> CheckResult:
        """The project cannot run, or would lose changes."""
        return CheckResult(self.name, item, Outcome.FAIL, text, cure)

    def not_run(self, item: str, because: str) -> CheckResult:
        """The check needs something that failed before."""
        return CheckResult(self.name, item, Outcome.NOT_RUN, because)

    def failure(self, item: str, error: EngineError) -> CheckResult:
        """A check that ended in an error of the engine."""
        return self.failed(item, error.what, error.cure)


class Check(msgspec.Struct, frozen=True):
    """A check and the item it reports on."""

    item: str
    run: Callable[[], Iterable[CheckResult]]


def run_checks(subject: Subject, checks: Iterable[Check]) -> list[CheckResult]:
    """Run checks in order; one that ends in an engine's error has failed, and the others go on."""
    results: list[CheckResult] = []
    for check in checks:
        try:
            results += check.run()
        except EngineError as error:
            results.append(subject.failure(check.item, error))
    return results


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Names in one line, the first few and how many more there are."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more
