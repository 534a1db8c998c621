"""Every test of row plans runs on both back-ends."""

from __future__ import annotations

import pytest

from obsync_tui.engine.native.backend import VARIABLE, Backend, built


@pytest.fixture(autouse=True, params=list(Backend))
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The back-end that plans are compiled for."""
    chosen: Backend = request.param
    if chosen is Backend.NATIVE and not built():
        pytest.skip("the kernel is not built here")  # tests/engine/native says whether it should be
    monkeypatch.setenv(VARIABLE, chosen)
    return chosen
