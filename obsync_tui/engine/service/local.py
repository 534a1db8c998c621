"""The operations that need no running engine, each room loaded when it is asked for."""

import importlib
from collections.abc import Callable
from typing import cast

import msgspec

from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.engine.service.service import Caller, Handler, Service

# The cheap ones first: a list needs no client of Kafka or MySQL.
_ROOMS = ("projects", "sources", "past", "runs", "probes", "components", "objectchanges")


def function_of(
    operation: Operation[Request, Response],
) -> Callable[[Service, Request, Caller], Response]:
    """What does the operation."""
    for room in _ROOMS:
        module = importlib.import_module(f"obsync_tui.engine.service.{room}")
        handlers: tuple[Handler[msgspec.Struct, object], ...] = module.HANDLERS
        for handler in handlers:
            if handler.operation.name == operation.name:
                return cast("Handler[Request, Response]", handler).function
    raise AssertionError(f"nothing does {operation.name}")
