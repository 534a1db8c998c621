"""Secrets: what may stand in a file for one, and how the value is found when it is needed.

`env:NAME` a variable, `file:PATH` a file that only its owner reads, `cmd:PROGRAM` what a program prints, `sealed:TOKEN`
a Fernet token (https://github.com/fernet/spec) under the key file of the state directory; empty is no secret. No error
here repeats a value.
"""

import os
import shlex
import signal
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec

from obsync_tui.config.paths import private_directory, sync_directory, unusable
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import Secret, SecretReference

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KINDS = ("env", "file", "cmd", "sealed")
PROGRAM_TIMEOUT_S = 10.0
MAX_SIZE_BYTES = 65536


def parse_reference(text: str) -> SecretReference:
    """The text as a reference; ValueError, without the text, when it is something else: a secret in clear."""
    kind, colon, rest = text.partition(":")
    if text and not (colon and rest and kind in KINDS):
        raise ValueError(
            "a secret in clear is refused; expected env:NAME, file:PATH, cmd:PROGRAM or sealed:TOKEN"
        )
    if "\x00" in text:
        raise ValueError("a NUL character is not allowed")
    return SecretReference(text)


class SecretResolver(msgspec.Struct, frozen=True):
    """Finds secrets in an environment, and seals them with the key in `key_file`."""

    key_file: Path
    environment: Mapping[str, str]

    def resolve(self, reference: SecretReference) -> Secret:
        """The secret behind the reference; ConfigError says what is missing and how to set it."""
        kind, _, rest = reference.partition(":")
        if not reference:
            return Secret("")
        if kind == "env":
            return self._variable(rest)
        if kind == "file":
            return Secret(_file_content(Path(rest).expanduser()))
        if kind == "cmd":
            return Secret(_program_output(rest, self.environment))
        if kind == "sealed":
            return self._unseal(rest)
        raise ConfigError(
            "is neither env:, file:, cmd: nor sealed:", where="a secret's reference", cure="Set it anew."
        )

    def seal(self, secret: Secret) -> SecretReference:
        """A reference that holds the secret itself, readable with the key file only, which is made when missing."""
        token = _fernet(self._key() or self._make_key(), self.key_file).encrypt(secret.reveal().encode())
        return SecretReference(f"sealed:{token.decode()}")

    def _variable(self, name: str) -> Secret:
        value = self.environment.get(name, "")
        if not value:
            raise ConfigError(
                "the environment variable is not set",
                where=f"env:{name}",
                cure=f"Export {name} before obsync starts, or choose file:, cmd: or a sealed secret.",
            )
        return Secret(value)

    def _unseal(self, token: str) -> Secret:
        from cryptography.fernet import InvalidToken

        key = self._key()
        if key is None:
            raise ConfigError(
                "the key file that secrets were sealed with is missing",
                where=str(self.key_file),
                cure="Put it back from a backup, or enter the password again with `obsync source add --replace`.",
            )
        try:
            return Secret(_fernet(key, self.key_file).decrypt(token.encode()).decode())
        except (InvalidToken, UnicodeError) as error:
            raise ConfigError(
                "a sealed secret is damaged, or was sealed with another key",
                where=str(self.key_file),
                cure="Enter the password again with `obsync source add --replace`.",
            ) from error

    def _key(self) -> bytes | None:
        if not self.key_file.exists():
            return None
        return _file_content(self.key_file).encode()

    def _make_key(self) -> bytes:
        """Make the key file, unless another process was faster: then take that one's."""
        from cryptography.fernet import Fernet

        private_directory(self.key_file.parent)
        temporary = self.key_file.with_name(f".{self.key_file.name}.{token_hex(8)}")
        try:
            with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, self.key_file)  # fails when the file is there, unlike rename
            except FileExistsError:
                pass
            os.unlink(temporary)
            sync_directory(self.key_file.parent)
        except OSError as error:
            raise unusable(self.key_file, "written", error) from error
        return _file_content(self.key_file).encode()


def _fernet(key: bytes, key_file: Path) -> "Fernet":
    from cryptography.fernet import Fernet

    try:
        return Fernet(key)
    except ValueError as error:
        raise ConfigError(
            "is not a key",
            where=str(key_file),
            cure="Put the file back from a backup, or remove it and seal again.",
        ) from error


def _file_content(path: Path) -> str:
    """The file's text without the newline at its end; refuses what others could read or swap."""
    if not path.is_absolute():
        raise ConfigError("the path is not absolute", where=f"file:{path}", cure="Write the full path.")
    try:
        # Not blocking, so that a named pipe is refused below instead of waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError("is not a regular file", where=str(path), cure="Name a file.")
            if status.st_mode & 0o077:
                raise ConfigError(
                    f"others may read this secret (mode {stat.S_IMODE(status.st_mode):04o})",
                    where=str(path),
                    cure=f"Run: chmod 600 {shlex.quote(str(path))}",
                )
            content = file.read(MAX_SIZE_BYTES + 1)
    except OSError as error:
        raise unusable(path, "read", error) from error
    return _text(content, str(path))


def _program_output(command: str, environment: Mapping[str, str]) -> str:
    """What the program prints on standard output within 10 s, in a session of its own: no terminal to ask on."""
    where = f"cmd:{command}"
    cure = "Run it in a shell to see why; it must print the secret and nothing else."
    try:
        arguments = shlex.split(command)
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"cannot be started: {reason}", where=where, cure=cure) from error
    try:
        output, _ = process.communicate(timeout=PROGRAM_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"did not end within {PROGRAM_TIMEOUT_S:g} s", where=where, cure=cure) from error
    finally:
        _end_group(process)
    if process.returncode:
        raise ConfigError(f"ended with exit code {process.returncode}", where=where, cure=cure)
    return _text(output, where)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End what the program left behind, itself included: nothing outlives the question."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if process.stdout:
        process.stdout.close()


def _text(content: bytes, where: str) -> str:
    """The secret's text: one line end at its end belongs to the editor, not to the secret."""
    if len(content) > MAX_SIZE_BYTES:
        raise ConfigError(
            f"is larger than {MAX_SIZE_BYTES} bytes", where=where, cure="Name the secret alone."
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", where=where, cure="Store the secret as UTF-8.") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigError("is empty", where=where, cure="Store the secret there.")
    return text
