"""Which back-end runs, who says so, and that the kernel is built where it can be."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from obsync_tui.engine.errors import ConfigError
from obsync_tui.engine.native import backend as choice
from obsync_tui.engine.native.backend import VARIABLE, Backend, backend, built
from tests.servers.compiler import compiles

ROOT = Path(__file__).resolve().parents[3]
HEADERS = Path(sysconfig.get_path("include")) / "Python.h"
NO_COMPILER = pytest.mark.skipif(
    not (compiles() and HEADERS.is_file()), reason="no C compiler or no Python headers on this machine"
)


def obsync_version(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "obsync_tui", "--version"]
    return subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, text=True, capture_output=True
    )


@NO_COMPILER
def test_the_kernel_is_built_where_there_is_a_compiler() -> None:
    assert built(), (
        "make venv builds obsync_tui/engine/native/_kernel.abi3.so; its output tells why it did not"
    )


@NO_COMPILER
def test_the_kernel_is_that_of_these_sources() -> None:
    folder = ROOT / "obsync_tui" / "engine" / "native"
    newest = max(path.stat().st_mtime for path in folder.glob("*.[ch]"))
    assert (folder / "_kernel.abi3.so").stat().st_mtime >= newest, "run make venv"


def test_the_variable_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert backend({VARIABLE: "python"}) is Backend.PYTHON
    for there, found in ((True, Backend.NATIVE), (False, Backend.PYTHON)):
        monkeypatch.setattr(choice, "built", lambda there=there: there)
        assert backend({}) is backend({VARIABLE: ""}) is found


def test_what_cannot_be_had_is_an_error_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"OBSYNC_ROWPLAN is 'rust'.*native or python"):
        backend({VARIABLE: "rust"})
    monkeypatch.setattr(choice, "built", lambda: False)
    with pytest.raises(ConfigError, match=r"not built.*gcc python3-dev"):
        backend({VARIABLE: "native"})


def test_the_version_names_the_back_end() -> None:
    assert obsync_version(**{VARIABLE: "python"}).stdout.endswith(" (python row plans)\n")
    assert obsync_version(**{VARIABLE: ""}).stdout.endswith(
        f" ({'native' if built() else 'python'} row plans)\n"
    )
    refused = obsync_version(**{VARIABLE: "rust"})
    assert refused.returncode and VARIABLE in refused.stderr
