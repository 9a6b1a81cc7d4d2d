"""State what a flow is in its serialized DAG, so that readers of Airflow's database need no S3 (pure).

In: a spec and its plan. Out: for each Airflow task a JSON object as text, the attribute ``aqueduct`` of its
operator; and back. It follows from the spec alone, so that the DAG is the same in every process. Readers take
objects of other releases as far as they understand them. Text, because Airflow cannot read back a dict in an
attribute that it does not know, and because the scheduler then reads it in no time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec.flow_plan import FlowPlan, flow_plan
from aqueduct_provider.spec.metric_names import metric_name
from aqueduct_provider.spec.models import ConnectionStore, CronSchedule, Operator, WorkflowSpec
from aqueduct_provider.spec.url_credentials import without_user

# Of a name, in characters: many operators may read an artifact, and each repeats its name.
_LONGEST = 200


@dataclass(frozen=True)
class OutputFacts:
    """An artifact that an operator writes.

    :param type: the one that the spec declares.
    """

    id: str
    name: str
    type: str


@dataclass(frozen=True)
class OperatorFacts:
    """One operator of an Airflow task.

    :param kind: the operator's type in the spec, such as ``function`` or ``system_metric``.
    :param severity: of a check; else empty.
    :param inputs: names of the artifacts that it reads.
    """

    name: str
    task_id: str
    kind: str
    severity: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[OutputFacts, ...] = ()

    @property
    def metric_name(self) -> str:
        """What users call the metric that it writes."""
        return metric_name(self.name, self.outputs[0].name) if self.outputs else self.name


@dataclass(frozen=True)
class FlowFacts:
    """A flow, and the version of it that the DAG shows.

    :param version: UUID.
    :param number: of the version, counted from 1; None: unknown.
    :param created_at: ISO 8601; empty: unknown.
    :param owner: who published it; empty: unknown.
    :param sha256: digest of the spec's bytes.
    :param timezone: in which its cron expression is meant; empty: it has none.
    :param store: ``connection_id``, or the fields of the spec's S3 store; None: its keys are in the spec.
    """

    id: str
    name: str
    dialect: Literal["native", "compiled"]
    version: str
    number: int | None = None
    created_at: str = ""
    owner: str = ""
    sha256: str = ""
    timezone: str = ""
    store: Mapping[str, str] | None = None


@dataclass(frozen=True)
class DagFacts:
    """What the tasks of a serialized DAG state.

    :param tasks: Airflow task id -> its operators, in the order in which they run.
    """

    flow: FlowFacts
    tasks: Mapping[str, tuple[OperatorFacts, ...]]

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> DagFacts | None:
        """Return the facts of a DAG; None: it is not one of a flow.

        :param attributes: task id -> the attribute ``aqueduct`` of the task; None where it has none.
        """
        read = {task_id: _object(text) for task_id, text in attributes.items()}
        objects = {task_id: found for task_id, found in read.items() if found is not None}
        flows = (_flow_from(found["flow"]) for found in objects.values() if "flow" in found)
        flow = next(filter(None, flows), None)
        if flow is None:
            return None
        return cls(flow, {task_id: _operators_from(found) for task_id, found in objects.items()})


def facts_of(spec: WorkflowSpec, plan: FlowPlan | None = None) -> dict[str, str]:
    """Return the attribute ``aqueduct`` of each Airflow task by its id; the first one also has the flow.

    :param plan: that of the spec, if it was made already.
    """
    artifacts = {
        artifact.id: {"id": artifact.id, "name": _short(artifact.name), "type": artifact.type.value}
        for artifact in spec.artifacts
    }
    facts: dict[str, dict[str, Any]] = {
        task_id: {"operators": [_operator(operator, artifacts) for operator in task.operators]}
        for task_id, task in (plan or flow_plan(spec)).tasks.items()
    }
    next(iter(facts.values()))["flow"] = _flow(spec)
    return {
        task_id: json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        for task_id, found in facts.items()
    }


def _operator(operator: Operator, artifacts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": _short(operator.name),
        "task_id": operator.task_id,
        "kind": operator.type,
        "severity": getattr(operator, "severity", ""),
        "inputs": [artifacts[one]["name"] for one in operator.inputs],
        "outputs": [dict(artifacts[one]) for one in operator.outputs],
    }


def _flow(spec: WorkflowSpec) -> dict[str, Any]:
    created = spec.version.created_at
    return {
        "id": str(spec.flow.id),
        "name": _short(spec.flow.name),
        "dialect": "native" if spec.compiled is None else "compiled",
        "version": str(spec.version.id),
        "number": spec.version.number,
        "created_at": created.isoformat() if created else "",
        "owner": spec.flow.owner,
        "sha256": spec.sha256,
        "timezone": spec.schedule.timezone if isinstance(spec.schedule, CronSchedule) else "",
        "store": _store(spec),
    }


def _store(spec: WorkflowSpec) -> dict[str, str] | None:
    where = spec.artifact_store
    if isinstance(where, ConnectionStore):
        return {"connection_id": where.connection_id}
    endpoint = where.endpoint_url or ""
    if (spec.compiled is not None and spec.compiled.access_keys) or without_user(endpoint) != endpoint:
        return None
    return where.model_dump(exclude={"type"}) | {"endpoint_url": endpoint}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


# --- back


def _object(text: Any) -> Mapping[str, Any] | None:
    try:
        found = json_value(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, Mapping) else None


def _flow_from(found: Any) -> FlowFacts | None:
    if not isinstance(found, Mapping) or not _text(found, "id") or not _text(found, "version"):
        return None
    number, store = found.get("number"), found.get("store")
    return FlowFacts(
        id=_text(found, "id"),
        name=_text(found, "name"),
        dialect="compiled" if found.get("dialect") == "compiled" else "native",
        version=_text(found, "version"),
        number=number if type(number) is int else None,
        created_at=_text(found, "created_at"),
        owner=_text(found, "owner"),
        sha256=_text(found, "sha256"),
        timezone=_text(found, "timezone"),
        store={name: _text(store, name) for name in store} if isinstance(store, Mapping) else None,
    )


def _operators_from(found: Mapping[str, Any]) -> tuple[OperatorFacts, ...]:
    return tuple(
        OperatorFacts(
            name=_text(one, "name"),
            task_id=_text(one, "task_id"),
            kind=_text(one, "kind"),
            severity=_text(one, "severity"),
            inputs=tuple(name for name in _list(one, "inputs") if isinstance(name, str)),
            outputs=tuple(
                OutputFacts(_text(output, "id"), _text(output, "name"), _text(output, "type"))
                for output in _objects(one, "outputs")
            ),
        )
        for one in _objects(found, "operators")
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _objects(found: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    return (one for one in _list(found, name) if isinstance(one, Mapping))
