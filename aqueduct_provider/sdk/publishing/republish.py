"""A version that was published once -> the next version of the flow, here or in another store.

In: the spec's JSON, where it goes, and what is to be different there. Out: a ``Composition``, as ``compose``
makes of a script. Pure.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.argument_checks import check_mapping
from aqueduct_provider.sdk.publishing.compose import Composition
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy
from aqueduct_provider.sdk.publishing.inline_secrets import refuse_secrets_in_text
from aqueduct_provider.sdk.suggest import suggestion

Json = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """What is different where a flow goes.

    :param connections: ids of Airflow connections: as they are in the spec -> as they are there.
    :param defaults: parameter's name -> its default there.
    """

    connections: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what users gave.

        :raises AuthoringError: it is not by name, or an id of a connection is not text.
        """
        example = "{'warehouse_test': 'warehouse'}"
        there = check_mapping("connections", self.connections, example)
        for one in there.values():
            if not isinstance(one, str) or not one:
                raise AuthoringError(f"connections has {one!r} as an id: give text, such as {example}.")
        check_mapping("parameters", self.defaults, "{'days': 365}")


NO_CHANGES = Changes()


def changes_of(connections: Mapping[str, str] | None, defaults: Mapping[str, Any] | None) -> Changes:
    """Return what users say is different; None: nothing.

    :raises AuthoringError: as :class:`Changes` does.
    """
    return Changes({} if connections is None else connections, {} if defaults is None else defaults)


def republished(
    copy: FlowCopy,
    artifact_store: Mapping[str, Any],
    changes: Changes = NO_CHANGES,
    *,
    number: int | None = None,
    version: Mapping[str, Any] | None = None,
) -> Composition:
    """Compose the next version of a flow of a copy.

    :param artifact_store: the field of the spec.
    :param number: of the version; None: unknown.
    :param version: further fields of the spec's ``version``, such as who publishes it.
    :raises AuthoringError: a connection or a parameter is unknown, a default does not fit, or holds a secret.
    :raises SpecError: the result is not a valid spec.
    """
    from aqueduct_provider.spec.loader import parse

    document = copy.document
    # The commit of its code stays true; the rest is said of one publication.
    git = document["version"].get("git")
    document["version"] = {
        **({"git": git} if git else {}),
        **(version or {}),
        "id": str(uuid.uuid4()),
        "number": number,
        "created_at": datetime.now(timezone.utc).isoformat(),
    }
    document["artifact_store"] = dict(artifact_store)
    known = {place["connection_id"] for place in places_of(document)}
    if unknown := sorted(changes.connections.keys() - known):
        named = f"no Airflow connection {', '.join(map(repr, unknown))}"
        raise AuthoringError(f"{document['flow']['name']!r} has {named}.{suggestion(unknown[0], known)}")
    for place in places_of(document):
        place["connection_id"] = changes.connections.get(place["connection_id"], place["connection_id"])
    objects = dict(copy.objects)
    for name, value in changes.defaults.items():
        objects.update(_set_default(document, name, value))
    refuse_secrets_in_text(document)
    text = json.dumps(document, indent=2).encode()
    return Composition(parse(text, document["dag_id"]), text, objects)


def places_of(document: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the sources, targets and receivers of a spec that name an Airflow connection."""
    operators: list[Json] = document["operators"]
    found = [operator.get(name) for operator in operators for name in ("source", "target")]
    for one in (document, *operators):
        found += one.get("notifications", ())
    yield from (one for one in found if one and one.get("connection_id"))


def _set_default(document: Json, name: str, value: Any) -> dict[str, bytes]:
    """Set the default of a parameter, and return what has to be stored for it."""
    from aqueduct_provider.sdk.authoring.encode_values import encoded_value
    from aqueduct_provider.storage.layout import FlowLayout

    parameters = {one["name"]: one for one in document["parameters"]}
    if name not in parameters:
        flow = document["flow"]["name"]
        raise AuthoringError(f"{flow!r} has no parameter {name!r}.{suggestion(name, parameters)}")
    parameter = parameters[name]
    encoded = encoded_value(value, parameter["type"], f"The default of parameter {name!r}")
    inline = encoded.inline()
    if inline is not None:
        parameter["default"] = inline
        return {}
    key = FlowLayout(document["flow"]["id"]).value(encoded.sha256)
    parameter["default"] = encoded.stored(key)
    return {key: encoded.data}
