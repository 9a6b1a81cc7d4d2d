"""The parameters of a flow as Airflow's params.

In: the parameters of a spec. Out: typed ``Param`` objects, which the trigger form shows and against which
Airflow checks a REST ``conf``. A param of None means the value that was published with the flow.
"""

from __future__ import annotations

import json
from typing import Any

from aqueduct_provider.compat import ANY_ITEMS, Param
from aqueduct_provider.factory.docs import shown
from aqueduct_provider.spec.models import JSON_TYPES, ArtifactType, InlineDefault, Parameter, WorkflowSpec
from aqueduct_provider.spec.types import MAX_INTEGER, MIN_INTEGER

# Airflow sends params, and these schemas, in a format that has no larger integers: no task could start. The
# draft is the last in which 1e300 is not an integer, so the last that separates large floats from integers.
_DRAFT = {"$schema": "http://json-schema.org/draft-04/schema#"}
_NOT_TOO_LARGE = {
    "not": {
        "title": "an integer of more than 64 bits",
        "anyOf": [
            {"type": "integer", "minimum": MAX_INTEGER, "exclusiveMinimum": True},
            {"type": "integer", "maximum": MIN_INTEGER, "exclusiveMaximum": True},
        ],
    }
}
_WITHIN = {
    **_DRAFT,
    "definitions": {
        "value": {
            **_NOT_TOO_LARGE,
            "items": {"$ref": "#/definitions/value"},
            "additionalProperties": {"$ref": "#/definitions/value"},
        }
    },
    "allOf": [{"$ref": "#/definitions/value"}],
}
_SCHEMAS: dict[ArtifactType, dict[str, Any]] = {
    ArtifactType.NUMERIC: {"type": "number", **_DRAFT, **_NOT_TOO_LARGE},
    ArtifactType.STRING: {"type": "string"},
    ArtifactType.BOOLEAN: {"type": "boolean"},
    ArtifactType.DICTIONARY: {"type": "object", **_WITHIN},
    ArtifactType.LIST: {"type": "array", "items": ANY_ITEMS, **_WITHIN},
    ArtifactType.TUPLE: {"type": "array", "items": ANY_ITEMS, **_WITHIN},
    ArtifactType.JSON: {"type": "string", "format": "multiline"},
}
_ANY = {"type": ["string", "number", "boolean", "object", "array", "null"], "items": ANY_ITEMS, **_WITHIN}
# A list, for the form of Airflow 3 takes a lone "null" for a field that must be filled.
_NOT_SETTABLE = {"type": ["null"]}
_PUBLISHED = "Leave it empty for the published value."


def params_of(spec: WorkflowSpec) -> dict[str, Param]:
    """Return the params of the flow's DAG, by name, in the order of the spec."""
    return {parameter.name: _param(parameter) for parameter in spec.parameters}


def _param(parameter: Parameter) -> Param:
    inline = isinstance(parameter.default, InlineDefault)
    description = " ".join(filter(None, [parameter.description, _hint(parameter.type, inline=inline)]))
    return Param(
        _inline_value(parameter),
        description=shown(description) or None,
        schema=_schema(parameter.type, inline=inline),
    )


def _hint(kind: ArtifactType, *, inline: bool) -> str:
    if kind not in JSON_TYPES:
        return f"It cannot be set here, for its type is {kind.value}; runs use the published value."
    if kind is ArtifactType.JSON:
        return "Text that is JSON." if inline else f"Text that is JSON. {_PUBLISHED}"
    return "" if inline else _PUBLISHED


def _schema(kind: ArtifactType, *, inline: bool) -> dict[str, Any]:
    if kind not in JSON_TYPES:
        return dict(_NOT_SETTABLE)
    if kind is ArtifactType.UNTYPED:
        return dict(_ANY)
    schema = _SCHEMAS[kind]
    return dict(schema) if inline else {**schema, "type": [schema["type"], "null"]}


def _inline_value(parameter: Parameter) -> Any:
    if not isinstance(parameter.default, InlineDefault) or parameter.type not in JSON_TYPES:
        return None
    value = parameter.default.value
    if parameter.type is ArtifactType.JSON and not isinstance(value, str):
        return json.dumps(value)
    return value
