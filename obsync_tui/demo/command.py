"""The real `obsync` command, as a person would type it."""

import fcntl
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from obsync_tui.engine.errors import EngineError

_STOP_S = 15.0
_CHECK_S = 0.1


class CommandFailed(EngineError):
    """A command ended with an error; the text is what it said."""


class Obsync:
    """Runs commands, with their files below `home`, and prints each as one would type it.

    `secrets` are variables of their environment; `check` is called while one runs and ends it by an exception.
    """

    def __init__(
        self,
        home: Path,
        secrets: Mapping[str, str],
        say: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._say = say
        self._check = check
        self._environment: Mapping[str, str] = {
            **os.environ,
            "OBSYNC_HOME": str(home),
            **secrets,
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *arguments: str, show: bool = True) -> str:
        """Run a command to its end and print it and its output; CommandFailed when it fails."""
        if show:
            self.show(*arguments)
        process = subprocess.Popen(
            self._command(*arguments),
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the demo.
            start_new_session=True,
        )
        output = self._output(process)
        if process.returncode:
            raise CommandFailed(
                f"it ended with {process.returncode}: {' '.join(output.split())}",
                where=f"obsync {shlex.join(arguments)}",
            )
        if show:
            for line in output.splitlines():
                self._say(f"  {line}")
        return output

    def _output(self, process: "subprocess.Popen[str]") -> str:
        try:
            while True:
                try:
                    return process.communicate(timeout=_CHECK_S)[0]
                except subprocess.TimeoutExpired:
                    self._check()
        finally:
            process.kill()
            process.wait()

    def show(self, *arguments: str) -> None:
        """Print a command, over several lines where it is long."""
        line = "  $ obsync"
        words = [shlex.quote(word) for word in arguments]
        for i, word in enumerate(words):
            # An option stays with its value.
            follows = f" {words[i + 1]}" if word.startswith("--") and i + 1 < len(words) else ""
            if len(line) + 1 + len(word) + len(follows) > 78:
                self._say(line + " \\")
                line = "     "
            line += f" {word}"
        self._say(line)

    def start(self, *arguments: str) -> "Running":
        """Start a command that goes on, on a terminal of its own, and print it."""
        self.show(*arguments)
        return Running(self._command(*arguments), self._environment)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "obsync_tui.demo.tied", str(os.getpid()), *arguments]


class Running:
    """`obsync project run` on a terminal of 80 columns: `status` is its newest line, `notes` what else it said."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._reader, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.status = ""
        self.notes: list[str] = []
        # A session of its own: Ctrl-C is for the demo, which then stops the project in order.
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._thread = threading.Thread(target=self._listen, name="terminal", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the command is gone."""
        return self._process.poll() is not None

    def stop(self) -> int:
        """Ctrl-C, then wait for its end; the exit code."""
        if not self.ended:
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._thread.join(_STOP_S)
        return code

    def kill(self) -> None:
        """End it at once."""
        if not self.ended:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._reader, 4096)
            except OSError:  # what a terminal answers when nobody writes to it any more
                break
            *lines, rest = (rest + data).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                self._hear(line)
            # A status line is rewritten in place: it ends with "erase to the end of the line".
            if rest.endswith(b"\x1b[K"):
                self._hear(rest)
                rest = b""
        os.close(self._reader)

    def _hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").removesuffix("\x1b[K").rstrip()
        if text.startswith("obsync: "):
            self.notes.append(text)
        elif text:
            self.status = text
