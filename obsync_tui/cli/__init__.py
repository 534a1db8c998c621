"""The `obsync` command."""

import os
import sys
import traceback

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import drop, note, open_standard_streams, show_error
from obsync_tui.cli.parser import parser
from obsync_tui.cli.session import Session
from obsync_tui.model.errors import EngineError


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code (table in `obsync_tui.cli.exit_codes`)."""
    os.umask(0o077)
    open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        arguments = parser().parse_args(argv)
        code: int = arguments.command(Session(), arguments)
        sys.stdout.flush()
        return code
    except EngineError as error:
        show_error(error)
        return exit_codes.exit_code(error)
    except BrokenPipeError:
        drop(sys.stdout.fileno())
        return exit_codes.OUTPUT_GONE
    except KeyboardInterrupt:
        note("interrupted")
        return exit_codes.INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        note(f"unexpected error: {type(error).__name__}. Please report it with the lines above.")
        return exit_codes.UNEXPECTED
