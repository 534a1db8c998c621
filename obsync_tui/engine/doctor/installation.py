"""Checks of the installation: Python, the back-end of row plans, and the engine that answers."""

from obsync_tui import __version__
from obsync_tui.engine.doctor.facts import STOPPED, Engine, Interpreter, Lock
from obsync_tui.model.finding import About, Finding

OLDEST = (3, 11)
_ABOUT = About("installation")


def check_python(interpreter: Interpreter) -> Finding:
    """Python is of a version that obsync is made for."""
    version = ".".join(str(part) for part in interpreter.version)
    what = f"{interpreter.implementation} {version}, obsync {__version__}"
    if interpreter.version[:2] < OLDEST:
        needed = ".".join(str(part) for part in OLDEST)
        cure = f"Install obsync into a virtual environment of Python {needed} or newer."
        return _ABOUT.failure("python", f"{what}; {needed} is needed", cure, interpreter.executable)
    if interpreter.implementation != "CPython":
        cure = "Use CPython: obsync is tried on nothing else."
        return _ABOUT.warning("python", what, cure, interpreter.executable)
    return _ABOUT.ok("python", what, interpreter.executable)


def check_backend(interpreter: Interpreter) -> Finding:
    """Row plans run in the kernel; Python does the same at about a fifth of the speed."""
    if interpreter.backend_problem:
        return _ABOUT.failure("row plans", interpreter.backend_problem, interpreter.backend_cure)
    if interpreter.backend == "native":
        return _ABOUT.ok("row plans", "by the native kernel")
    return _ABOUT.warning(
        "row plans",
        "in Python, at about a fifth of the kernel's speed",
        "Install a C compiler and Python's headers (Debian: apt-get install gcc libc6-dev python3-dev), then install "
        "obsync again; or leave OBSYNC_ROWPLAN out, where it says python.",
    )


def check_engine(engine: Engine, home: Lock | None) -> Finding:
    """The engine answers and is of this command's version, or does not run: nobody holds the home."""
    if engine.problem:
        return _ABOUT.failure("engine", engine.problem, engine.cure, engine.socket)
    if not engine.version:
        return _silent(engine, home)
    what = f"version {engine.version}, process {engine.pid}"
    if engine.version != __version__:
        return _ABOUT.warning(
            "engine",
            f"{what}; this command is {__version__}",
            "Run: obsync engine restart (projects stop at checkpoints and go on).",
            engine.socket,
        )
    return _ABOUT.ok("engine", what, engine.socket)


def _silent(engine: Engine, home: Lock | None) -> Finding:
    if home is None or not home.held:
        return _ABOUT.ok("engine", "not running", engine.socket)
    if home.process == STOPPED:
        what, cure = "is stopped by a signal", f"Run: kill -CONT {home.pid}"
    else:
        what = "does not answer"
        cure = "See: obsync engine logs. If it does not come back: obsync engine restart."
    return _ABOUT.failure("engine", f"process {home.pid} holds this home, but {what}", cure, engine.socket)
