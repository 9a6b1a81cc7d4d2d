"""Trigger a flow: parameter values -> Airflow's ``conf``, and a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError, Hint
from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc_keys

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.spec.models import Parameter
    from aqueduct_provider.spec.run_values import StoredValue


def trigger(
    flow: Flow, parameters: Mapping[str, Any], *, unpause: bool, timeout: float, progress: bool
) -> RunInfo:
    """Run a flow once.

    :raises AuthoringError: a name or a value does not fit, or the flow is paused, or was deleted; nothing was
        sent.
    :raises WaitTimedOut: Airflow does not show the flow's version in time.
    """
    record, airflow = flow.record, flow.session.airflow(flow.record.engine)
    if record.retired_at is not None:
        raise AuthoringError(
            f"{record.name!r} was deleted on {record.retired_at:%Y-%m-%d}, so it cannot run; its old runs "
            "can be read. Publish it again to run it."
        )
    given = given_values(flow, parameters)
    flow.wait_until_deployed(timeout, progress=progress)
    dag = airflow.dag(record.dag_id)
    if dag is not None and dag.is_paused:
        if not unpause:
            raise AuthoringError(
                f"{record.name!r} is paused in Airflow: a run would wait for ever. Unpause it there.",
                hint=Hint.worded(
                    "Or trigger it with {}; its schedule then runs again, too.", "unpause=True", "--unpause"
                ),
            )
        airflow.unpause(record.dag_id)
    for key, data in given.objects.items():
        flow.session.store.put(key, data)
    return airflow.trigger(record.dag_id, given.conf)


@dataclass(frozen=True)
class TriggerValues:
    """The values of one run.

    :param conf: Airflow's.
    :param objects: what has to be stored before: key -> bytes.
    """

    conf: Mapping[str, Any]
    objects: Mapping[str, bytes] = field(repr=False)


def given_values(flow: Flow, parameters: Mapping[str, Any]) -> TriggerValues:
    """Return the values, checked: JSON is in the ``conf``, anything else is named there.

    :raises AuthoringError: with all that is wrong.
    """
    from aqueduct_provider.spec.run_values import to_conf
    from aqueduct_provider.storage.layout import FlowLayout

    layout = FlowLayout(flow.record.flow_id)
    inline: dict[str, Any] = {}
    named: dict[str, StoredValue] = {}
    objects: dict[str, bytes] = {}
    for name, value in _encoded(flow, parameters).items():
        if (plain := _inline(flow.spec.parameter(name), value)) is not None:
            inline[name] = plain
        else:
            named[name] = given = value.given()
            objects[layout.value(given.sha256)] = value.data
    return TriggerValues({**inline, **to_conf(named)}, objects)


def _encoded(flow: Flow, parameters: Mapping[str, Any]) -> dict[str, EncodedValue]:
    if not isinstance(parameters, Mapping):
        raise AuthoringError(
            f"parameters must be a dict of values by name, not a {type(parameters).__name__}."
        )
    known = {parameter.name: parameter for parameter in flow.spec.parameters}
    encoded: dict[str, EncodedValue] = {}
    wrong: list[str] = []
    for name, value in nfc_keys(parameters).items():
        if name not in known:
            hint = suggestion(str(name), known) or " It has none."
            wrong.append(f"{flow.name()!r} has no parameter {name!r}.{hint}")
            continue
        try:
            encoded[name] = _value(known[name], value)
        except AuthoringError as error:
            wrong.append(str(error))
    if wrong:
        raise AuthoringError("\n".join(wrong))
    return encoded


def _value(parameter: Parameter, value: Any) -> EncodedValue:
    from aqueduct_provider.sdk.authoring.encode_values import check_given, encoded_value
    from aqueduct_provider.sdk.authoring.parameters import holds_artifact

    what = f"The value of parameter {parameter.name!r}"
    if holds_artifact(value):
        raise AuthoringError(f"{what} holds an artifact. Give what its .get() returns.")
    encoded = encoded_value(value, parameter.type.value, what)
    check_given(encoded, what)
    return encoded


def _inline(parameter: Parameter, value: EncodedValue) -> Any:
    """Return the value as Airflow's params hold it, or None; their own None means: not given."""
    found = value.inline()
    # Where any type fits, nothing would show the worker that a list of JSON was a tuple.
    if found is None or (value.type == "tuple" and parameter.type.value != "tuple"):
        return None
    return found["value"]
