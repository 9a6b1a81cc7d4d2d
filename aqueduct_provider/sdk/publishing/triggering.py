"""Trigger a flow: parameter values -> what a run is given, and a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import plain_value
from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
from aqueduct_provider.sdk.publishing.deployment import check_paused
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc_keys

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.spec.models import Parameter, WorkflowSpec
    from aqueduct_provider.spec.run_values import StoredValue


def trigger(
    flow: Flow, parameters: Mapping[str, Any], *, unpause: bool, timeout: float, progress: bool
) -> RunInfo:
    """Run a flow once.

    :raises AuthoringError: a name or a value does not fit, or the flow is paused, or was deleted; nothing was
        sent.
    :raises WaitTimedOut: Airflow does not show the flow's version in time.
    """
    from aqueduct_provider.spec.run_values import to_conf

    record, airflow = flow.record, flow.session.airflow(flow.record.engine)
    if record.retired_at is not None:
        raise AuthoringError(
            f"{record.name!r} was deleted on {record.retired_at:%Y-%m-%d}, so it cannot run; its old runs "
            "can be read. Publish it again to run it."
        )
    values = run_values(flow.spec, parameters)
    flow.wait_until_deployed(timeout, progress=progress)
    check_paused(record, airflow, unpause=unpause)
    for key, data in values.objects.items():
        flow.session.store.put(key, data)
    return airflow.trigger(record.dag_id, {**values.plain, **to_conf(values.given)})


@dataclass(frozen=True)
class RunValues:
    """The values of one run's parameters.

    :param plain: those that are JSON, by name.
    :param given: values in the store, by name.
    :param objects: what has to be stored for ``given``: key -> bytes.
    """

    plain: Mapping[str, Any]
    given: Mapping[str, StoredValue]
    objects: Mapping[str, bytes] = field(repr=False)


def run_values(spec: WorkflowSpec, parameters: Mapping[str, Any]) -> RunValues:
    """Return the values, checked.

    :param spec: of either dialect; compiled flows take JSON only.
    :raises AuthoringError: with all that is wrong.
    """
    from aqueduct_provider.storage.layout import FlowLayout

    plain: dict[str, Any] = {}
    given: dict[str, StoredValue] = {}
    objects: dict[str, bytes] = {}
    for name, value in _encoded(spec, parameters).items():
        found = _plain(spec, spec.parameter(name), value)
        if found is not None:
            plain[name] = found
        else:
            given[name] = stored = value.given()
            objects[FlowLayout(str(spec.flow.id)).value(stored.sha256)] = value.data
    return RunValues(plain, given, objects)


def _encoded(spec: WorkflowSpec, parameters: Mapping[str, Any]) -> dict[str, EncodedValue]:
    if not isinstance(parameters, Mapping):
        raise AuthoringError(
            f"parameters must be a dict of values by name, not a {type(parameters).__name__}."
        )
    known = {parameter.name: parameter for parameter in spec.parameters}
    encoded: dict[str, EncodedValue] = {}
    wrong: list[str] = []
    for name, value in nfc_keys(parameters).items():
        if name not in known:
            hint = suggestion(str(name), known) or " It has none."
            wrong.append(f"{spec.flow.name!r} has no parameter {name!r}.{hint}")
            continue
        try:
            encoded[name] = _value(spec, known[name], value)
        except AuthoringError as error:
            wrong.append(str(error))
    if wrong:
        raise AuthoringError("\n".join(wrong))
    return encoded


def _value(spec: WorkflowSpec, parameter: Parameter, value: Any) -> EncodedValue:
    from aqueduct_provider.sdk.authoring.encode_values import check_given, encoded_value
    from aqueduct_provider.sdk.authoring.parameters import holds_artifact

    what = f"The value of parameter {parameter.name!r}"
    if holds_artifact(value):
        raise AuthoringError(f"{what} holds an artifact. Give what its .get() returns.")
    encoded = encoded_value(value, parameter.type.value, what)
    if spec.compiled is None:
        check_given(encoded, what)
    elif _plain(spec, parameter, encoded) is None:
        raise AuthoringError(
            f"{what} is not JSON: compiled flows take only such values. Leave it out, or publish the flow "
            "with aqueduct_provider.sdk."
        )
    return encoded


def _plain(spec: WorkflowSpec, parameter: Parameter, value: EncodedValue) -> Any:
    """Return the value as Airflow's params hold it, or None; their own None means: not given."""
    # Where any type fits, nothing would show the worker that a list of JSON was a tuple.
    if value.type == "tuple" and parameter.type.value != "tuple":
        return None
    if spec.compiled is not None and value.serialization_type != "numpy-scalar":
        # Any size: compiled specs know only this form.
        return plain_value(value.data, value.serialization_type)
    found = value.inline()
    return found and found["value"]
