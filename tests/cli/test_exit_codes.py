"""Exit codes: every error has one, the table in the documentation is the table in the code."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

import pytest

from obsync_tui.cli import exit_codes
from obsync_tui.cli.checks import show_results
from obsync_tui.engine import errors
from obsync_tui.engine.errors import EngineError
from tests.cli.conftest import Obsync

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, EngineError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_a_documented_code(kind: type[EngineError]) -> None:
    assert kind in exit_codes.CODES
    documented = {int(code) for code in re.findall(r"^ *(\d+) ", exit_codes.__doc__ or "", re.MULTILINE)}
    assert exit_codes.exit_code(kind("what")) in documented
    assert {
        exit_codes.CHECK_FAILED,
        exit_codes.INTERRUPTED,
        exit_codes.OUTPUT_GONE,
        exit_codes.USAGE,
    } < documented


def test_the_table_is_stable() -> None:
    stable = {
        "Stopped": 0, "EngineError": 1, "ConfigError": 3, "SourceUnreachable": 4, "SourceRefused": 5, "SourceUnfit": 6,
        "LogGap": 7, "SchemaMismatch": 8, "SchemaChanged": 8, "ValueUnreadable": 9, "SinkUnreachable": 10,
        "TransactionAborted": 10, "SinkRefused": 11, "TopicUnfit": 12, "MessageTooLarge": 12, "CheckpointLost": 13,
        "ProjectOwned": 14, "Fenced": 14, "ReplacedReader": 14, "StateError": 15, "LogDamaged": 17,
    }  # fmt: skip
    assert {kind.__name__: code for kind, code in exit_codes.CODES.items()}.items() >= stable.items()


def test_a_class_without_a_code_takes_its_parents() -> None:
    class Odd(errors.SinkRefused):
        pass

    assert exit_codes.exit_code(Odd("x")) == 11


@pytest.mark.parametrize(
    "arguments",
    [(), ("source",), ("nothing",), ("project", "create", "x"), ("source", "add", "x", "--kind", "oracle")],
)
def test_usage(obsync: Obsync, arguments: tuple[str, ...]) -> None:
    assert "--help" in obsync(*arguments, code=2).stderr


def test_help_and_version(obsync: Obsync) -> None:
    assert obsync("--version").stdout.startswith("obsync ")
    assert "--partition-rule" in obsync("project", "create", "--help").stdout


def test_a_reader_that_goes_away_is_no_error(environment: dict[str, str]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "obsync_tui", "source", "list", "--json"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_listing_loads_no_kafka_no_mysql_and_no_http(environment: dict[str, str]) -> None:
    code = (
        "import sys; from obsync_tui.cli import main; main(['project', 'list']); main(['source', 'list'])\n"
        "print([name for name in ('confluent_kafka', 'pymysql', 'pymysqlreplication', 'cryptography', 'httpx', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "[]\n"


class _Result:
    def __init__(self, outcome: str, cure: str = "") -> None:
        self.subject, self.item, self.outcome, self.text, self.cure = (
            "source",
            "rights",
            outcome,
            "none\x1b.",
            cure,
        )


def test_results_are_one_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_results([_Result("pass"), _Result("warning", "Do x.")], as_json=False) == 0
    assert show_results([_Result("pass"), _Result("fail", "GRANT a TO 'b';")], as_json=False) == 16
    assert capsys.readouterr().out.splitlines() == [
        r"pass     source: rights: none\x1b.",
        r"warning  source: rights: none\x1b. Do x.",
        r"pass     source: rights: none\x1b.",
        r"fail     source: rights: none\x1b. GRANT a TO 'b';",
    ]
