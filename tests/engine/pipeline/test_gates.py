"""Gates keep what is paused, and let go of those who wait."""

import threading
from pathlib import Path

from obsync_tui.engine.pipeline.gates import STREAM, Gates, paused_components
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.component import Component

ID = "np_aaaaaaaaaaaa"


def test_what_is_paused_outlasts_the_process(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        gates = Gates(state, ID)
        assert gates.close(Component.STORE) and not gates.close(Component.STORE)
        assert gates.close(Component.FULL_IMPORT)
        assert not gates.open(Component.CONNECTOR)
    with StateFile(tmp_path / "state.db") as state:
        assert paused_components(state, ID) == {Component.STORE, Component.FULL_IMPORT}
        assert paused_components(state, "np_bbbbbbbbbbbb") == frozenset()
        gates = Gates(state, ID)
        assert gates.closed(STREAM) and not gates.closed((Component.CONNECTOR,))
        gates.open(Component.STORE)
        gates.open(Component.FULL_IMPORT)
        assert paused_components(state, ID) == frozenset() and state.records(ID) == []


def test_who_waits_goes_on_at_once_when_the_gate_opens_or_it_ends(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        gates = Gates(state, ID)
        gates.close(Component.CONNECTOR)
        assert not gates.wait(STREAM, lambda: False, 0.05)
        threading.Timer(0.05, lambda: gates.open(Component.CONNECTOR)).start()
        assert gates.wait(STREAM, lambda: False, 60)
        gates.close(Component.CONNECTOR)
        ended = threading.Event()
        threading.Timer(0.05, lambda: (ended.set(), gates.wake())).start()
        assert gates.wait(STREAM, ended.is_set, 60)
