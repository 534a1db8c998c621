"""Engines that end with their test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.engine.resident import ResidentEngine

NewEngine = Callable[..., ResidentEngine]


@pytest.fixture
def new_engine(tmp_path: Path) -> Iterator[NewEngine]:
    """new_engine(environment, before=): a home with an engine that is not started yet."""
    numbers = itertools.count(1)
    with ExitStack() as stack:

        def make(environment: dict[str, str] | None = None, *, before: str = "") -> ResidentEngine:
            return stack.enter_context(
                closing(ResidentEngine(tmp_path / f"h{next(numbers)}", environment, before))
            )

        yield make


@pytest.fixture
def engine(new_engine: NewEngine) -> ResidentEngine:
    """A running engine of this test's own, with the sources `shop` and `events`, where nothing listens."""
    made = new_engine()
    made.sources()
    made.start()
    return made
