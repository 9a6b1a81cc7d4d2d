"""The parameters of a local run: values of Python -> what an attempt takes.

In: a spec and values by parameter name. Out: JSON values, and values that lie in the store by their digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc_keys

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
    from aqueduct_provider.spec.models import Parameter, WorkflowSpec
    from aqueduct_provider.spec.run_values import StoredValue

# What Airflow takes by default; a slash would make another key.
_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")


@dataclass(frozen=True)
class LocalParameters:
    """The parameters of one run.

    :param params: JSON values by name.
    :param given: values in the store, by name.
    :param objects: what has to be stored for ``given``: key -> bytes.
    """

    params: Mapping[str, Any]
    given: Mapping[str, StoredValue]
    objects: Mapping[str, bytes]


def parameters_for(spec: WorkflowSpec, values: Mapping[str, Any]) -> LocalParameters:
    """Return the parameters of a run with these values.

    :raises AuthoringError: the flow has no such parameter, or the value is not of its type.
    """
    from aqueduct_provider.sdk.authoring.encode_values import check_given, encoded_value
    from aqueduct_provider.spec.run_values import StoredValue
    from aqueduct_provider.storage.layout import FlowLayout

    known = {parameter.name: parameter for parameter in spec.parameters}
    params, given, objects = dict[str, Any](), dict[str, StoredValue](), dict[str, bytes]()
    for name, value in nfc_keys(values).items():
        if name not in known:
            raise AuthoringError(f"{spec.flow.name!r} has no parameter {name!r}.{suggestion(name, known)}")
        encoded = encoded_value(value, known[name].type.value, f"The value of parameter {name!r}")
        if _is_plain(known[name], value, encoded):
            params[name] = value if isinstance(value, str) else json.loads(encoded.data)
            continue
        if spec.compiled is not None:
            raise AuthoringError(
                f"The value of parameter {name!r} is not JSON: compiled flows take only such values. Leave it"
                " out, or publish the flow with aqueduct_provider.sdk."
            )
        check_given(encoded, f"The value of parameter {name!r}")
        given[name] = encoded.given()
        objects[FlowLayout(str(spec.flow.id)).value(given[name].sha256)] = encoded.data
    return LocalParameters(params, given, objects)


def check_run_id(run_id: str) -> str:
    """Return the run id.

    :raises AuthoringError: it cannot be part of a key.
    """
    if not _RUN_ID.fullmatch(run_id) or run_id in (".", ".."):
        raise AuthoringError(
            f"{run_id!r} cannot be a run id: use letters, digits and _ . ~ : + - only, 250 at most."
        )
    return run_id


def _is_plain(parameter: Parameter, value: Any, encoded: EncodedValue) -> bool:
    """Return whether an attempt takes the value as JSON. None means the published default."""
    # Where any type fits, nothing would show that a list of JSON was a tuple.
    lost = encoded.type == "tuple" and parameter.type.value != "tuple"
    return value is not None and not lost and encoded.serialization_type in ("json", "string")
