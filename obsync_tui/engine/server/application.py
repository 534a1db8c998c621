"""The API as an ASGI application: a route for each operation, the watch stream, metrics, and the OpenAPI document."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.responses import StreamingResponse
from starlette.routing import Route

from obsync_tui.api.endpoint import Peer
from obsync_tui.api.errors import ErrorAnswer
from obsync_tui.api.operations import OPERATIONS
from obsync_tui.api.wire import READ_ONLY_HEADER, encode
from obsync_tui.config.files import decode_hook
from obsync_tui.config.settings import Settings
from obsync_tui.engine.errors import AccessDenied, BadRequest, Busy, EngineError
from obsync_tui.engine.history.prometheus import CONTENT_TYPE
from obsync_tui.engine.server import access
from obsync_tui.engine.server.failures import failure
from obsync_tui.engine.server.openapi import document
from obsync_tui.engine.server.watch import Watches
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.history import Level

MAX_BODY_BYTES = 8 * 1024 * 1024
# A call that waits for a server has a thread of its own; that many at once are more than people ask for.
MAX_SLOW_CALLS = 64
_JSON = "application/json"
AnyHandler = Handler[msgspec.Struct, object]
Endpoint = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Application:
    """Serves the handlers; `settings` are read at each connection, so that an edit acts at once."""

    def __init__(
        self,
        service: Service,
        handlers: Sequence[AnyHandler],
        settings: Callable[[], Settings],
        watches: Watches,
        metrics: Callable[[], bytes],
        log: Callable[[Level, str], None],
    ) -> None:
        self._service = service
        self._settings = settings
        self._watches = watches
        self._metrics = metrics
        self._log = log
        self._slow_calls = 0
        routes = [Route(h.operation.path, self._endpoint(h), methods=[h.operation.method]) for h in handlers]
        described = msgspec.json.encode(document([h.operation for h in handlers]))
        routes += [
            Route("/v1/openapi.json", self._guarded(_constant(described)), methods=["GET"]),
            Route("/v1/watch", self._guarded(self._watch), methods=["GET"]),
            Route("/metrics", self._guarded(self._show_metrics), methods=["GET"]),
        ]
        self.asgi = Starlette(
            routes=routes, exception_handlers={404: _not_found, 405: _not_allowed, 500: self._unexpected}
        )

    def _guarded(self, inner: Callable[[HttpRequest, Caller], Awaitable[HttpResponse]]) -> Endpoint:
        async def endpoint(request: HttpRequest) -> HttpResponse:
            try:
                return await inner(request, self._caller(request))
            except EngineError as error:
                return failure(error)
            except ClientDisconnect:
                return HttpResponse(status_code=400)  # nobody is there to read it

        return endpoint

    def _endpoint(self, handler: AnyHandler) -> Endpoint:
        operation = handler.operation

        async def call(request: HttpRequest, asking: Caller) -> HttpResponse:
            access.check(operation.access, asking)
            asked = await _request(handler, request)
            if operation.method == "GET" and not (operation.slow or operation.from_disk):
                found = handler.function(self._service, asked, asking)
            else:
                found = await self._in_thread(lambda: handler.function(self._service, asked, asking))
            return HttpResponse(encode(found), media_type=_JSON)

        return self._guarded(call)

    def _caller(self, request: HttpRequest) -> Caller:
        read_only = request.headers.get(READ_ONLY_HEADER) == "1"
        # A question leaves no trace, and files of proc(5) and of the users need not be read for it.
        named = request.method != "GET"
        return access.caller(peer_of(request), self._settings(), read_only=read_only, named=named)

    async def _in_thread(self, function: Callable[[], object]) -> object:
        """Run in a thread of its own: one that never returns holds up nobody else."""
        if self._slow_calls >= MAX_SLOW_CALLS:
            raise Busy(
                f"{MAX_SLOW_CALLS} calls wait for servers", where="engine", cure="Try again in a while."
            )
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()

        def work() -> None:
            try:
                result = function()
            except BaseException as error:  # whatever it is, the caller is told
                _resolve(loop, done, error=error)
            else:
                _resolve(loop, done, result=result)

        self._slow_calls += 1
        threading.Thread(target=work, name="call", daemon=True).start()
        try:
            return await done
        finally:
            self._slow_calls -= 1

    async def _watch(self, request: HttpRequest, asking: Caller) -> HttpResponse:
        stream = self._watches.open(
            request.query_params.get("topics", ""), request.query_params.get("every_s", "1")
        )
        return StreamingResponse(stream, media_type="application/x-ndjson")

    async def _show_metrics(self, request: HttpRequest, asking: Caller) -> HttpResponse:
        return HttpResponse(self._metrics(), media_type=CONTENT_TYPE)

    async def _unexpected(self, request: HttpRequest, error: Exception) -> HttpResponse:
        self._log(Level.ERROR, f"{request.method} {request.url.path}: {type(error).__name__}: {error}")
        return HttpResponse(
            encode(
                ErrorAnswer(
                    "Unexpected",
                    f"unexpected error: {type(error).__name__}",
                    request.url.path,
                    "Please report it with the engine's log: obsync engine logs",
                )
            ),
            500,
            media_type=_JSON,
        )


def peer_of(request: HttpRequest) -> Peer:
    """The peer that the protocol found when it accepted the connection."""
    host, pid = request.client or ("", 0)
    uid, _, gid = host.partition(":")
    if not uid:
        raise AccessDenied("nobody knows who calls", where="access")
    return Peer(pid, int(uid), int(gid))


def _resolve(
    loop: asyncio.AbstractEventLoop,
    done: "asyncio.Future[object]",
    result: object = None,
    error: BaseException | None = None,
) -> None:
    def act() -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    try:
        loop.call_soon_threadsafe(act)
    except RuntimeError:
        return  # the engine has ended meanwhile


async def _request(handler: AnyHandler, request: HttpRequest) -> msgspec.Struct:
    """The operation's request out of path, query and body; BadRequest when it cannot be one."""
    operation = handler.operation
    values: dict[str, object] = {}
    if operation.in_query:
        values |= dict(request.query_params)
    else:
        body = await _body(request)
        try:
            decoded = msgspec.json.decode(body) if body else {}
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest(f"the body is not JSON: {error}", where=operation.path) from error
        if not isinstance(decoded, dict):
            raise BadRequest("the body is not a JSON object", where=operation.path)
        values |= decoded
    values |= request.path_params
    try:
        return msgspec.convert(values, operation.request, strict=not operation.in_query, dec_hook=decode_hook)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadRequest(str(error), where=operation.path, cure="See /v1/openapi.json.") from error


async def _body(request: HttpRequest) -> bytes:
    size_bytes = 0
    parts: list[bytes] = []
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > MAX_BODY_BYTES:
            raise BadRequest(f"the body is larger than {MAX_BODY_BYTES} bytes", where=request.url.path)
        parts.append(part)
    return b"".join(parts)


def _constant(content: bytes) -> Callable[[HttpRequest, Caller], Awaitable[HttpResponse]]:
    async def show(request: HttpRequest, asking: Caller) -> HttpResponse:
        return HttpResponse(content, media_type=_JSON)

    return show


async def _not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = ErrorAnswer("NotFound", "there is no such operation", request.url.path, "See /v1/openapi.json.")
    return HttpResponse(encode(answer), 404, media_type=_JSON)


async def _not_allowed(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = ErrorAnswer(
        "MethodNotAllowed", f"not by {request.method}", request.url.path, "See /v1/openapi.json."
    )
    return HttpResponse(encode(answer), 405, headers=getattr(error, "headers", None), media_type=_JSON)


def as_handlers(*groups: Sequence[object]) -> tuple[AnyHandler, ...]:
    """Handlers of several rooms in one table, in the order of the operations."""
    found = {one.operation.name: one for one in (cast(AnyHandler, one) for group in groups for one in group)}
    return tuple(found[one.name] for one in OPERATIONS if one.name in found)
