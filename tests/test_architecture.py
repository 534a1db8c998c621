"""The rules that keep the house livable, each with a file that breaks it, to prove that it can fail.

A rule looks at one source file and yields what is wrong with it. Rules about the import graph as a whole
(chains of imports) are the import-linter contracts in pyproject.toml; they are proved here as well.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("obsync_tui", "tests", "benchmarks")
MAX_FILE_LINES = 399
MAX_FUNCTION_LINES = 59
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "manager", "managers"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the repository and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def in_package(self) -> bool:
        return self.path.startswith("obsync_tui/")

    @property
    def package(self) -> tuple[str, ...]:
        """The parts of the package that relative imports start from."""
        return PurePosixPath(self.path).parent.parts

    @property
    def module(self) -> str:
        path = PurePosixPath(self.path).with_suffix("")
        return ".".join(path.parent.parts if path.name == "__init__" else path.parts)


Rule = Callable[[Source], Iterator[str]]


@dataclass(frozen=True)
class Boundary:
    """What the modules of a room may import; forbidden names win, None allows every other name."""

    room: str
    forbidden: tuple[str, ...] = ()
    own_allowed: tuple[str, ...] | None = None
    foreign_allowed: tuple[str, ...] | None = None


TERMINAL = ("textual", "rich")
DEMO = "obsync_tui.demo"
SCREENS = ("obsync_tui.app", "obsync_tui.screens", "obsync_tui.widgets", "obsync_tui.terminal")
SOURCE_SIDE = tuple(f"obsync_tui.engine.{room}" for room in ("store", "full", "mysql", "oceanbase"))
SINK_SIDE = ("obsync_tui.engine.sinks",)
BOUNDARIES = (
    Boundary("obsync_tui.engine", forbidden=(*TERMINAL, *SCREENS, "obsync_tui.cli", DEMO)),
    Boundary(
        DEMO,
        forbidden=(*TERMINAL, "obsync_tui.app", "obsync_tui.screens", "obsync_tui.widgets", "obsync_tui.cli"),
    ),
    Boundary("obsync_tui.model", forbidden=TERMINAL, own_allowed=("obsync_tui.model",)),
    Boundary(
        "obsync_tui.config", forbidden=(*TERMINAL, *SCREENS, "obsync_tui.cli", DEMO, "obsync_tui.engine")
    ),
    Boundary("obsync_tui.api", forbidden=(*TERMINAL, *SCREENS, "obsync_tui.cli", "obsync_tui.engine")),
    Boundary("obsync_tui.screens", forbidden=("obsync_tui.engine",)),
    Boundary("obsync_tui.widgets", forbidden=("obsync_tui.engine",)),
    Boundary("obsync_tui.presenters", forbidden=(*TERMINAL, "obsync_tui.engine", "obsync_tui.api")),
    Boundary("obsync_tui.keys", forbidden=(*TERMINAL, "obsync_tui.engine", "obsync_tui.api")),
    Boundary(
        "obsync_tui.engine.formats",
        own_allowed=("obsync_tui.engine.formats", "obsync_tui.model"),
        foreign_allowed=("msgspec",),
    ),
    *(Boundary(room, forbidden=SINK_SIDE) for room in SOURCE_SIDE),
    *(Boundary(room, forbidden=SOURCE_SIDE) for room in SINK_SIDE),
)


def within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yields line and absolute dotted name of every import, `from a import b` as `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = source.package[: len(source.package) - node.level + 1] if node.level else ()
            stem = [*start, *([node.module] if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*stem, alias.name])


def crossing(boundary: Boundary, name: str) -> bool:
    """Whether the import of a dotted name breaks the boundary."""
    if within(name, boundary.forbidden):
        return True
    top = name.partition(".")[0]
    if top == "obsync_tui":
        return boundary.own_allowed is not None and not within(name, boundary.own_allowed)
    if boundary.foreign_allowed is None or top in sys.stdlib_module_names:
        return False
    return top not in boundary.foreign_allowed


def boundaries(source: Source) -> Iterator[str]:
    for boundary in BOUNDARIES:
        if not within(source.module, (boundary.room,)):
            continue
        for line, name in imports(source):
            if crossing(boundary, name):
                yield f"{source.path}:{line}: {boundary.room} must not import {name}"


def file_length(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{source.path}: {lines} lines, at most {MAX_FILE_LINES}; split it by idea"


def function_length(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{source.path}:{node.lineno}: {node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}"


def module_names(source: Source) -> Iterator[str]:
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in FORBIDDEN_NAMES:
            yield f"{source.path}: a module named {part!r} says nothing; name the idea"


def module_docstring(source: Source) -> Iterator[str]:
    if source.in_package and not ast.get_docstring(source.tree):
        yield f"{source.path}: no module docstring"


def catches_everything(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(catches_everything(member) for member in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def says_nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass | ast.Continue)


def swallowed_exceptions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            if catches_everything(node.type) and all(says_nothing(statement) for statement in node.body):
                yield f"{source.path}:{node.lineno}: swallows every exception"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}:
            if any(catches_everything(argument) for argument in node.args):
                yield f"{source.path}:{node.lineno}: suppresses every exception"


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    """Yields the functions of a module or public class whose names other modules may use."""
    for node in body:
        name = getattr(node, "name", "_")
        if name.startswith("_") and not name.endswith("__"):
            continue
        if isinstance(node, ast.ClassDef):
            yield from public_functions(node.body)
        elif isinstance(node, Function):
            yield node


def mentions_any(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                quoted = ast.parse(node.value, mode="eval").body
            except SyntaxError:  # a Literal["two words"] is no annotation
                continue
            if not isinstance(quoted, ast.Constant) and mentions_any(quoted):
                return True
        if getattr(node, "id", getattr(node, "attr", "")) == "Any":
            return True
    return False


def any_in_signature(source: Source) -> Iterator[str]:
    if not source.in_package:
        return
    for function in public_functions(source.tree.body):
        a = function.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        if any(mentions_any(hint) for hint in [function.returns, *(one.annotation for one in arguments)]):
            yield f"{source.path}:{function.lineno}: Any in the signature of {function.name}"


RULES: tuple[Rule, ...] = (
    boundaries,
    file_length,
    function_length,
    module_names,
    module_docstring,
    swallowed_exceptions,
    any_in_signature,
)

LONG_FUNCTION = "def run():\n" + "    x = 1\n" * MAX_FUNCTION_LINES
BREACHES: tuple[tuple[Rule, str, str], ...] = (
    (boundaries, "obsync_tui/engine/supervisor.py", "import textual.app"),
    (boundaries, "obsync_tui/engine/__init__.py", "def show():\n    from rich.table import Table"),
    (boundaries, "obsync_tui/engine/process.py", "from obsync_tui.cli import main"),
    (boundaries, "obsync_tui/engine/process.py", "from .. import cli"),
    (boundaries, "obsync_tui/engine/process.py", "from obsync_tui.demo import shop"),
    (boundaries, "obsync_tui/demo/screen.py", "import textual"),
    (boundaries, "obsync_tui/demo/command.py", "from obsync_tui.cli import main"),
    (boundaries, "obsync_tui/model/project.py", "from obsync_tui.engine.errors import ObsyncError"),
    (boundaries, "obsync_tui/model/project.py", "from ..config import paths"),
    (boundaries, "obsync_tui/config/paths.py", "from rich import print"),
    (boundaries, "obsync_tui/api/client.py", "import rich"),
    (boundaries, "obsync_tui/screens/projects.py", "from obsync_tui import engine"),
    (boundaries, "obsync_tui/widgets/plot.py", "from ..engine.metrics import history"),
    (boundaries, "obsync_tui/presenters/project_rows.py", "from rich.text import Text"),
    (boundaries, "obsync_tui/keys/registry.py", "from textual.binding import Binding"),
    (boundaries, "obsync_tui/engine/oceanbase/catalog.py", "import obsync_tui.engine.sinks"),
    (boundaries, "obsync_tui/engine/formats/default.py", "from obsync_tui.engine.store import binlog"),
    (boundaries, "obsync_tui/engine/formats/default.py", "from ..errors import ObsyncError"),
    (boundaries, "obsync_tui/engine/formats/default.py", "import confluent_kafka"),
    (boundaries, "obsync_tui/engine/store/stream.py", "from obsync_tui.engine.sinks.kafka import producer"),
    (boundaries, "obsync_tui/engine/full/reader.py", "from ..sinks import kafka"),
    (boundaries, "obsync_tui/engine/mysql/catalog.py", "from obsync_tui.engine import sinks"),
    (boundaries, "obsync_tui/engine/sinks/kafka/producer.py", "from ...full import ranges"),
    (file_length, "tests/test_long.py", "x = 1\n" * (MAX_FILE_LINES + 1)),
    (function_length, "benchmarks/stream.py", LONG_FUNCTION),
    (function_length, "tests/test_long.py", "class A:\n    async " + LONG_FUNCTION.replace("\n", "\n    ")),
    (module_names, "obsync_tui/engine/utils.py", ""),
    (module_names, "tests/helpers/mysql.py", ""),
    (module_names, "obsync_tui/common/__init__.py", ""),
    (module_docstring, "obsync_tui/engine/process.py", "# a comment\nx = 1"),
    (module_docstring, "obsync_tui/engine/__init__.py", ""),
    (swallowed_exceptions, "obsync_tui/engine/process.py", "try:\n    x()\nexcept Exception:\n    pass"),
    (swallowed_exceptions, "tests/test_x.py", "try:\n    x()\nexcept:\n    ..."),
    (
        swallowed_exceptions,
        "tests/test_x.py",
        "for x in y:\n    try: x()\n    except (OSError, BaseException): continue",
    ),
    (swallowed_exceptions, "benchmarks/x.py", "with contextlib.suppress(Exception):\n    x()"),
    (any_in_signature, "obsync_tui/model/x.py", "def f(a: int, *, b: dict[str, Any]) -> None: ..."),
    (any_in_signature, "obsync_tui/model/x.py", "class A:\n    async def f(self) -> typing.Any: ..."),
    (any_in_signature, "obsync_tui/model/x.py", "class A:\n    def __init__(self, *rest: 'list[Any]'): ..."),
)
PERMITTED: tuple[tuple[Rule, str, str], ...] = (
    (boundaries, "obsync_tui/screens/projects.py", "import textual"),
    (boundaries, "obsync_tui/cli.py", "from obsync_tui.engine.pipeline import run"),
    (boundaries, "obsync_tui/demo/screen.py", "from obsync_tui.terminal.sanitizer import visible"),
    (boundaries, "obsync_tui/engine/formats/default.py", "import json, msgspec\nfrom ...model import table"),
    (boundaries, "obsync_tui/engine/pipeline/run.py", "from obsync_tui.engine import sinks, store"),
    (boundaries, "obsync_tui/engine/store_of_nothing.py", "from obsync_tui.engine import sinks"),
    (file_length, "tests/test_long.py", "x = 1\n" * MAX_FILE_LINES),
    (function_length, "tests/test_long.py", "def run():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)),
    (module_names, "obsync_tui/engine/database.py", ""),
    (module_docstring, "obsync_tui/engine/__init__.py", '"""The engine."""'),
    (swallowed_exceptions, "tests/test_x.py", "try:\n    x()\nexcept OSError:\n    pass"),
    (swallowed_exceptions, "tests/test_x.py", "try:\n    x()\nexcept Exception as error:\n    log(error)"),
    (any_in_signature, "obsync_tui/model/x.py", "def _f(a: Any) -> None:\n    x: Any = a"),
    (any_in_signature, "obsync_tui/model/x.py", "def f(a: AnyStr, b: Literal['two words']) -> object: ..."),
)


def example_id(value: object) -> str | None:
    return str(getattr(value, "__name__", value)) if callable(value) else None


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in files]


def test_the_files_are_found(sources: list[Source]) -> None:
    assert {"obsync_tui/__init__.py", "tests/test_architecture.py"} <= {source.path for source in sources}


@pytest.mark.parametrize("rule", RULES, ids=example_id)
def test_every_file_keeps(rule: Rule, sources: list[Source]) -> None:
    breaches = [breach for source in sources for breach in rule(source)]
    assert not breaches, "\n" + "\n".join(breaches)


def test_files_in_c_keep_the_length_too() -> None:
    files = list((ROOT / "obsync_tui").rglob("*.[ch]"))
    assert files
    for path in files:
        assert len(path.read_text("utf-8").splitlines()) <= MAX_FILE_LINES, path


@pytest.mark.parametrize(("rule", "path", "text"), BREACHES, ids=example_id)
def test_a_breach_is_seen(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule(Source(path, text)))) == 1


@pytest.mark.parametrize(("rule", "path", "text"), PERMITTED, ids=example_id)
def test_good_code_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


def test_every_rule_is_proved() -> None:
    assert {rule for rule, _, _ in BREACHES} == {rule for rule, _, _ in PERMITTED} == set(RULES)
    modules = [Source(path, text).module for rule, path, text in BREACHES if rule is boundaries]
    rooms = {boundary.room for boundary in BOUNDARIES}
    assert {room for room in rooms if any(within(module, (room,)) for module in modules)} == rooms


CONTRACTS = {
    "no-terminal": {
        "obsync_tui/engine/full/x.py": "import obsync_tui.shown",
        "obsync_tui/shown.py": "import rich",
    },
    "layers": {"obsync_tui/engine/x.py": "import obsync_tui.demo"},
    "console": {
        "obsync_tui/screens/x.py": "import obsync_tui.api.between",
        "obsync_tui/api/between.py": "import obsync_tui.engine",
    },
    "console-layers": {"obsync_tui/widgets/x.py": "import obsync_tui.screens"},
    "source-side": {
        "obsync_tui/engine/store/x.py": "import obsync_tui.engine.between",
        "obsync_tui/engine/between.py": "import obsync_tui.engine.sinks",
    },
    "sink-side": {"obsync_tui/engine/sinks/x.py": "import obsync_tui.engine.full"},
}


def lint_imports(tree: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    options = ["--no-cache", "--no-logo", "--contract", contract]
    return subprocess.run(
        [sys.executable, "-c", command, *options], cwd=tree, text=True, capture_output=True, check=False
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_an_import_contract_can_break(contract: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    engine_rooms = [f"engine/{room}" for room in ("store", "full", "mysql", "oceanbase", "sinks")]
    console_rooms = ["cli", "screens", "widgets", "presenters", "keys", "terminal"]
    for room in [".", "demo", "engine", "api", "config", "model", *console_rooms, *engine_rooms]:
        (tmp_path / "obsync_tui" / room).mkdir(exist_ok=True)
        (tmp_path / "obsync_tui" / room / "__init__.py").touch()
    (tmp_path / "obsync_tui" / "app.py").touch()
    kept = lint_imports(tmp_path, contract)
    assert (kept.returncode, "1 kept, 0 broken" in kept.stdout) == (0, True), kept.stdout + kept.stderr
    for path, text in CONTRACTS[contract].items():
        (tmp_path / path).write_text(text)
    broken = lint_imports(tmp_path, contract)
    assert (broken.returncode, "0 kept, 1 broken" in broken.stdout) == (1, True), (
        broken.stdout + broken.stderr
    )
