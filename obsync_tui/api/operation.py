"""An operation of the API: one entry gives route, client call, access rule and OpenAPI document."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Request = TypeVar("Request", bound=msgspec.Struct)
Response = TypeVar("Response")

_FIELD = re.compile(r"{(\w+)}")


class Access(StrEnum):
    """Who may call: a viewer only reads, and sees no rows of data."""

    VIEWER = "viewer"
    ADMIN = "admin"


@dataclass(frozen=True)
class Operation(Generic[Request, Response]):
    """`path` names fields of the request in braces; the others are the query of a GET or DELETE, else a JSON body.

    `needs_engine`: nothing but a running engine can answer. `slow`: the engine asks servers for the answer.
    `from_disk`: it reads files for it, and nobody else is to wait for the disk.
    """

    name: str
    method: str
    path: str
    request: type[Request]
    response: type[Response]
    summary: str
    access: Access = Access.ADMIN
    needs_engine: bool = False
    slow: bool = False
    from_disk: bool = False

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The request's fields that stand in the path."""
        return tuple(_FIELD.findall(self.path))

    @property
    def in_query(self) -> bool:
        """Whether the other fields are the query and not a body."""
        return self.method in ("GET", "DELETE")
