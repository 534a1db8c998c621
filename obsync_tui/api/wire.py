"""Requests and answers as bytes of HTTP and back, the same on both sides."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import msgspec

from obsync_tui.api.errors import ErrorAnswer, RemoteError, remote_error
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.config.files import decode_hook, encode_hook

T = TypeVar("T")
_OTHER_VERSION = "Is the engine of another version? obsync engine restart starts the installed one."
# A name that is not there is a ConfigError.
_NO_SUCH_OPERATION = ("NotFound", "MethodNotAllowed")
READ_ONLY_HEADER = "x-obsync-read-only"


class HttpRequest(msgspec.Struct, frozen=True):
    """One call: method, path with its query, body."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None


def http_request(operation: Operation[Request, Response], request: Request) -> HttpRequest:
    """The request of a call; fields that equal their default are left out of a query."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(operation.request)}
    values: dict[str, object] = msgspec.to_builtins(request, enc_hook=encode_hook)
    path = operation.path
    for name in operation.path_fields:
        path = path.replace(f"{{{name}}}", quote(str(values.pop(name)), safe=""))
    if not operation.in_query:
        return HttpRequest(operation.method, path, {}, encode(values))
    query = {
        name: value if isinstance(value, str) else encode(value).decode()
        for name, value in values.items()
        if value != fields[name].default
    }
    return HttpRequest(operation.method, path, query, None)


def answer(operation: Operation[Request, Response], status: int, content: bytes) -> Response:
    """The answer of a call; RemoteError for one that is an error or cannot be read."""
    if status >= 400:
        raise error_of(status, content)
    try:
        return decode(content, operation.response)
    except msgspec.MsgspecError as error:
        raise RemoteError(
            ErrorAnswer(
                "NotUnderstood",
                f"the engine's answer is not understood: {error}",
                operation.path,
                _OTHER_VERSION,
            ),
            status,
        ) from error


def error_of(status: int, content: bytes) -> RemoteError:
    """The error that an answer holds."""
    try:
        found = msgspec.json.decode(content, type=ErrorAnswer)
        if found.code in _NO_SUCH_OPERATION:
            found = msgspec.structs.replace(found, cure=_OTHER_VERSION)
        return remote_error(found, status)
    except msgspec.MsgspecError:
        return RemoteError(
            ErrorAnswer("NotUnderstood", f"the engine answered {status}", "", "Look at: obsync engine logs"),
            status,
        )


def encode(value: object) -> bytes:
    """JSON."""
    return msgspec.json.encode(value, enc_hook=encode_hook)


def decode(content: bytes, kind: type[T]) -> T:
    """JSON as a type; msgspec.MsgspecError when it is not one."""
    return msgspec.json.decode(content, type=kind, dec_hook=decode_hook)
