"""One component's log on disk: `store.log`, and older files `store.log.1` to `store.log.3`.

A file begins with its running number, by which a cursor finds it after rotations. Every other line is a record:
`2026-01-31T12:00:00.000Z WARNING text`, control characters escaped.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from obsync_tui.config.paths import private_directory
from obsync_tui.model.history import Level

LINE_CHARACTERS = 8000
_HEADER = b"# obsync log "
_HEADER_BYTES = 64
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_TIME, _LEVEL, _TEXT = slice(0, 24), slice(25, 32), slice(33, None)


def line_of(at_s: float, level: Level, text: str) -> bytes:
    """A record as a line of UTF-8, its text cut to LINE_CHARACTERS."""
    if len(text) > LINE_CHARACTERS:
        text = f"{text[:LINE_CHARACTERS]}… ({len(text) - LINE_CHARACTERS} characters more)"
    when = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")[:23]
    return f"{when}Z {level:<7} {_ACTING.sub(_escape, text)}\n".encode()


def parsed(line: bytes) -> tuple[float | None, Level, str]:
    """Time, level and text of a line; a line that is not a record is INFO without a time."""
    text = line.decode("utf-8", "replace")
    try:
        return datetime.fromisoformat(text[_TIME]).timestamp(), Level(text[_LEVEL].rstrip()), text[_TEXT]
    except ValueError:
        return None, Level.INFO, text


class LogFile(msgspec.Struct, frozen=True):
    """The log at a path, its size bound in bytes and how many files there are in all."""

    path: Path
    size_bytes: int
    files: int

    def append(self, content: bytes) -> None:
        """Write lines, all or none, into a further file when this one is full; OSError when that is impossible."""
        with self._opened() as (file, size_bytes):
            number = _number(file)
            if os.pread(file, 1, size_bytes - 1) != b"\n":
                content = b"\n" + content  # The process was killed inside a line.
            if number and (size_bytes + len(content) <= self.size_bytes or size_bytes <= _HEADER_BYTES):
                self._write(file, size_bytes, content)
                return
        self._rotate()
        with self._opened(number) as (file, size_bytes):
            self._write(file, size_bytes, content)

    @contextmanager
    def _opened(self, after: int = 0) -> Iterator[tuple[int, int]]:
        """The newest file and its size; made when it is missing, with a number above `after`."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            file = os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            private_directory(self.path.parent)
            file = os.open(self.path, flags, 0o600)
        try:
            found = os.fstat(file)
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(file, 0o600)
            yield file, found.st_size or self._begin(file, after)
        finally:
            os.close(file)

    def _begin(self, file: int, after: int) -> int:
        # The time, so that a file emptied by hand is not taken for the one before.
        header = b"%s%d\n" % (_HEADER, max(time.time_ns() // 1000, after + 1))
        self._write(file, 0, header)
        return len(header)

    def _write(self, file: int, size_bytes: int, content: bytes) -> None:
        try:
            while content:
                content = content[os.write(file, content) :]
        except OSError:
            # Half a line would swallow the next one.
            os.ftruncate(file, size_bytes)
            raise

    def _rotate(self) -> None:
        for older in range(self.files - 1, 0, -1):
            try:
                os.rename(self._file(older - 1), self._file(older))
            except FileNotFoundError:
                continue

    def _file(self, age: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{age}") if age else self.path

    @contextmanager
    def parts(self) -> Iterator[dict[int, "Part"]]:
        """The files that there are, by number, oldest first; OSError when one cannot be read."""
        found: dict[int, Part] = {}
        with ExitStack() as stack:
            # Newest first: what a rotation meanwhile moves is then met twice rather than not at all.
            for age in range(self.files):
                try:
                    file = os.open(self._file(age), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
                except FileNotFoundError:
                    continue
                stack.callback(os.close, file)
                number = _number(file)
                if number and number not in found:
                    found[number] = Part(file, _header_bytes(file), os.fstat(file).st_size)
            yield dict(sorted(found.items()))


class Part(msgspec.Struct, frozen=True):
    """An open file of a log: where its records begin and end, in bytes from its beginning."""

    file: int
    begin: int
    end: int

    def lines(self, begin: int, end: int) -> tuple[list[tuple[int, bytes]], int, int]:
        """The whole lines between two offsets, each with the offset where it begins, without its line feed.

        Answers also where the first begins and the last ends.
        """
        begin = max(begin, self.begin)
        content = os.pread(self.file, max(0, end - begin), begin)
        if begin > self.begin and os.pread(self.file, 1, begin - 1) != b"\n":
            cut = content.find(b"\n") + 1 or len(content)
            begin, content = begin + cut, content[cut:]
        found: list[tuple[int, bytes]] = []
        at = begin
        for line in content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]:
            found.append((at, line))
            at += len(line) + 1
        return found, begin, at


def _number(file: int) -> int:
    """The file's running number; 0 while it has none."""
    header, ended, _ = os.pread(file, _HEADER_BYTES, 0).partition(b"\n")
    digits = header.removeprefix(_HEADER)
    return int(digits) if ended and header.startswith(_HEADER) and digits.isdigit() else 0


def _header_bytes(file: int) -> int:
    return os.pread(file, _HEADER_BYTES, 0).index(b"\n") + 1


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
