"""The OpenAPI 3.1 document of the operations, made from the types that the server checks requests by."""

from collections.abc import Sequence

import msgspec

from obsync_tui.api.errors import ErrorAnswer
from obsync_tui.api.operation import Operation
from obsync_tui.model.secret import SecretReference
from obsync_tui.model.views import PROTOCOL

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Document = dict[str, Json]
_REF = "#/components/schemas/{name}"


def document(operations: Sequence[Operation[msgspec.Struct, object]]) -> Document:
    """The document; paths with their parameters, bodies, answers and errors."""
    types = [kind for one in operations for kind in (one.request, one.response)]
    schemas, components = msgspec.json.schema_components(
        [*types, ErrorAnswer], schema_hook=_schema_hook, ref_template=_REF
    )
    _translate([*schemas, components])
    paths: Document = {}
    for number, operation in enumerate(operations):
        place = paths.setdefault(operation.path, {})
        assert isinstance(place, dict)
        request = _resolved(schemas[2 * number], components)
        place[operation.method.lower()] = _described(operation, request, schemas[2 * number + 1], schemas[-1])
    return {
        "openapi": "3.1.0",
        "info": {"title": "obsync engine", "version": str(PROTOCOL)},
        "paths": paths,
        "components": {"schemas": components},
    }


def _described(
    operation: Operation[msgspec.Struct, object], request: Document, response: Json, error: Json
) -> Document:
    properties = request.get("properties")
    required = request.get("required")
    assert isinstance(properties, dict)
    needed = required if isinstance(required, list) else []
    in_path = operation.path_fields
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": properties[name]} for name in in_path
    ]
    rest = {name: schema for name, schema in properties.items() if name not in in_path}
    found: Document = {
        "operationId": operation.name,
        "summary": operation.summary,
        "x-access": str(operation.access),
        "responses": {
            "200": {"description": "The answer.", "content": _content(response)},
            "4XX": {"description": "Refused, with what, where and the cure.", "content": _content(error)},
            "5XX": {"description": "A server or the disk failed.", "content": _content(error)},
        },
    }
    if operation.in_query:
        parameters += [
            {"name": name, "in": "query", "required": name in needed, "schema": schema}
            for name, schema in rest.items()
        ]
    else:
        body: Document = {
            "type": "object",
            "properties": rest,
            "required": [name for name in needed if name not in in_path],
            "additionalProperties": False,
        }
        found["requestBody"] = {"required": bool(body["required"]), "content": _content(body)}
    if parameters:
        found["parameters"] = parameters
    return found


def _resolved(schema: Document, components: Document) -> Document:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = components[reference.rpartition("/")[2]]
        assert isinstance(found, dict)
        return found
    return schema


def _content(schema: Json) -> Document:
    return {"application/json": {"schema": schema}}


def _translate(value: object) -> None:
    """Write what Python means as JSON Schema says it: anchors as those of ECMA-262, integers of 64 bits."""
    if isinstance(value, dict):
        if isinstance(pattern := value.get("pattern"), str):
            value["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
        if value.get("type") == "integer":
            value.setdefault("maximum", 2**63 - 1)
            value.setdefault("minimum", -(2**63))
        for inner in value.values():
            _translate(inner)
    elif isinstance(value, list):
        for inner in value:
            _translate(inner)


def _schema_hook(kind: type) -> Document:
    if kind is SecretReference:
        return {
            "type": "string",
            "pattern": "^$|^(env|file|cmd|sealed):",
            "description": "env:NAME, file:PATH, cmd:PROGRAM or sealed:TOKEN",
        }
    raise NotImplementedError(kind.__name__)
