"""A run as Airflow's database has it: its operators with what they wrote, and how they ended (pure).

In: what the flow's DAG states, the states of tasks, what tasks left in XCom. Out: frozen values, without
secrets. Pages and the SDK show and compare runs by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.glance import clean, described, glance_value, shown_value
from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest, check_outcome, manifest_from_xcom
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.check_results import corrected
from aqueduct_provider.sdk.results.outcomes import OperatorRun, run_status, task_status
from aqueduct_provider.spec.dag_facts import DagFacts, OperatorFacts, OutputFacts
from aqueduct_provider.spec.secret_text import is_secret_name
from aqueduct_provider.spec.version_label import version_name

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo, TaskInfo
    from aqueduct_provider.spec.models import WorkflowSpec

PARAMETERS, METRICS, CHECKS = ("param",), ("metric", "system_metric"), ("check",)
# Kinds of operators whose outputs are shown as values, without a preview.
SHORT = frozenset({*PARAMETERS, *METRICS, *CHECKS})
# What is shown where there is nothing.
NOTHING = "\N{EN DASH}"
# Seconds.
_AT_ONCE = 0.1


@dataclass(frozen=True)
class ShownArtifact:
    """An artifact of a run.

    :param type: the one that was written; the declared one where nothing is.
    :param ref: what was written; None: nothing is (yet).
    """

    id: str
    name: str
    type: str
    ref: ArtifactRef | None = None

    @property
    def glance(self) -> Mapping[str, Any]:
        """What is shown of it without reading it; checked."""
        return self.ref.glance if self.ref else {}

    @property
    def summary(self) -> str:
        """What it is, in a line: ``table, 133 rows x 14 columns, 21 kB``."""
        return described(self.ref) if self.ref else self.type

    @property
    def value(self) -> str:
        """The value of a parameter, a metric or a check, as far as it is short and may be shown."""
        if self.is_secret:
            return "(hidden: its name is that of a secret)"
        if self.ref is None:
            return NOTHING
        if "value" not in self.glance:
            return self.summary
        value = glance_value(self.ref)
        return str(value) if self.type == "json" else shown_value(value)

    @property
    def is_secret(self) -> bool:
        """Check whether its name is that of a secret, so that nothing of it is shown."""
        return is_secret_name(self.name)

    @property
    def format(self) -> str:
        """``html`` or ``markdown`` for reports; else empty."""
        return str(self.glance.get("format", "")) if self.type == "string" else ""


@dataclass(frozen=True)
class ShownOperator:
    """An operator of a run.

    :param airflow_task_id: the Airflow task that runs it.
    :param run: how it ended.
    :param seconds: what it took.
    :param inputs: names of the artifacts that it read.
    :param manifest: what it left in XCom; None: nothing.
    """

    facts: OperatorFacts
    airflow_task_id: str
    run: OperatorRun
    seconds: float | None
    outputs: tuple[ShownArtifact, ...]
    manifest: Manifest | None = None

    @property
    def name(self) -> str:
        """What users call it."""
        return self.facts.name

    @property
    def task_id(self) -> str:
        """Its id in the flow."""
        return self.facts.task_id

    @property
    def kind(self) -> str:
        """The operator's type."""
        return self.facts.kind

    @property
    def status(self) -> str:
        """How it ended, a word."""
        return self.run.word

    @property
    def outcome(self) -> str:
        """How it ended, a word; that a check passed is said so."""
        return check_outcome(self.status) if self.kind == "check" else self.status


@dataclass(frozen=True)
class RecordedRun:
    """A run.

    :param operators: in the order of the flow.
    :param version: id of the one that the run used; empty: unknown.
    :param spec: of that version; None: it was not read.
    """

    info: RunInfo
    operators: tuple[ShownOperator, ...] = ()
    version: str = ""
    spec: WorkflowSpec | None = None

    @cached_property
    def artifacts(self) -> dict[str, ShownArtifact]:
        """All artifacts by their names."""
        return {one.name: one for operator in self.operators for one in operator.outputs}

    @cached_property
    def makers(self) -> dict[str, ShownOperator]:
        """The operators by the names of the artifacts that they write."""
        return {one.name: operator for operator in self.operators for one in operator.outputs}

    @property
    def status(self) -> str:
        """How the run is now, a word."""
        return run_status(self.info.state).value

    @property
    def version_name(self) -> str:
        """What users call the version; empty where it is unknown."""
        return version_name(self.version, None)

    @property
    def seconds(self) -> float | None:
        """How long the run took; None: it has not ended."""
        if self.info.started_at is None or self.info.ended_at is None:
            return None
        return (self.info.ended_at - self.info.started_at).total_seconds()

    def of_kind(self, *kinds: str) -> list[ShownOperator]:
        """Return the operators of these kinds."""
        return [one for one in self.operators if one.kind in kinds]


def recorded_run(
    facts: DagFacts, info: RunInfo, tasks: Mapping[str, TaskInfo], left: Mapping[str, Any]
) -> RecordedRun:
    """Return a run from Airflow's database alone.

    :param facts: of any version of the flow: those of another one are taken from what the tasks left.
    :param tasks: of the run, by their ids.
    :param left: Airflow task id -> what it left in XCom.
    """
    from aqueduct_provider.runs.pinned_version import SpecRef

    pinned = next(filter(None, map(SpecRef.from_xcom, left.values())), None)
    version = pinned.version if pinned else ""
    flow: Mapping[str, Sequence[OperatorFacts]] = facts.tasks
    if version and version != facts.flow.version:
        flow = {task_id: _operators_left(task_id, left.get(task_id), facts) for task_id in tasks}
    return RecordedRun(info, recorded_operators(flow, tasks, left, {}), version)


def _operators_left(task_id: str, value: Any, facts: DagFacts) -> list[OperatorFacts]:
    """Return the operators of a task by what it left; by the known version where it left nothing."""
    known = {one.task_id: one for one in facts.tasks.get(task_id, ())}
    found = []
    for member in members_of(value) if isinstance(value, Mapping) else ():
        name = member or task_id
        manifest = manifest_in(value, name)
        if manifest is None:
            continue
        outputs = tuple(
            OutputFacts(artifact_id, ref.name or artifact_id, ref.artifact_type)
            for artifact_id, ref in manifest.artifacts.items()
            if checked_ref(ref)
        )
        own = known.get(name) or OperatorFacts(name, name, manifest.kind, manifest.severity)
        found.append(replace(own, kind=manifest.kind or own.kind, outputs=outputs))
    return found or list(known.values()) or [OperatorFacts(task_id, task_id, "")]


def members_of(value: Mapping[str, Any]) -> list[str]:
    """Return the operators of what a task left; one without a name where it is not a group."""
    operators = value.get("operators")
    return [str(one) for one in operators] if isinstance(operators, Mapping) else [""]


def manifest_in(value: Any, task_id: str) -> Manifest | None:
    """Return what an operator left, in what its task left; None: nothing, or nothing that can be read."""
    try:
        return manifest_from_xcom(value, task_id, task_id)
    except (IntegrityError, AttributeError, TypeError):
        return None


def checked_ref(ref: ArtifactRef | None) -> ArtifactRef | None:
    """Return a reference, the fields of which are what they must be; None: they are not."""
    if ref is None:
        return None
    strings = (
        *(ref.key, ref.sha256, ref.metadata_key, ref.metadata_sha256),
        *(ref.artifact_type, ref.serialization_type, ref.name),
    )
    is_one = all(isinstance(text, str) for text in strings) and type(ref.size) is int and ref.size >= 0
    return ref if is_one else None


def recorded_operators(
    flow: Mapping[str, Sequence[OperatorFacts]],
    tasks: Mapping[str, TaskInfo],
    left: Mapping[str, Any],
    outcomes: Mapping[str, OperatorRun],
) -> tuple[ShownOperator, ...]:
    """Return the operators of a run.

    :param flow: Airflow task id -> the operators that it runs.
    :param left: Airflow task id -> what it left in XCom.
    :param outcomes: how they ended, by their task ids, as far as the store says so.
    """
    operators: list[ShownOperator] = []
    for task_id, some in flow.items():
        task = tasks.get(task_id)
        manifests = [manifest_in(left.get(task_id), one.task_id) for one in some]
        reported = _reported_by_airflow(some, task, manifests)
        for facts, manifest, known in zip(some, manifests, reported, strict=True):
            outcome = outcomes.get(facts.task_id, known)
            if task is not None and task.state == "success":
                # Exec states lie in the bucket; Airflow's database decides whether a check has passed.
                outcome = corrected(outcome, manifest.status if manifest else "")
            operators.append(
                ShownOperator(
                    facts=facts,
                    airflow_task_id=task_id,
                    run=outcome,
                    seconds=_seconds(manifest, outcome, alone=len(some) == 1),
                    outputs=tuple(_artifact(one.id, one.name, one.type, manifest) for one in facts.outputs),
                    manifest=manifest,
                )
            )
    return tuple(operators)


def _reported_by_airflow(
    operators: Sequence[OperatorFacts], task: TaskInfo | None, manifests: Sequence[Manifest | None]
) -> list[OperatorRun]:
    """Return how operators of a task ended, as Airflow's database says it, without a reason."""
    found, was_stopped = [], False
    for facts, manifest in zip(operators, manifests, strict=True):
        status = ExecutionStatus.PENDING if task is None else task_status(task.state)
        if manifest is not None:
            status = ExecutionStatus.FAILED if manifest.status == "failed" else ExecutionStatus.SUCCEEDED
        elif status is ExecutionStatus.FAILED:
            # They run one after the other.
            status = ExecutionStatus.CANCELED if was_stopped else status
            was_stopped = True
        one = OperatorRun(facts.name, facts.task_id, facts.kind, status)
        if task is not None:
            one = replace(one, try_number=task.try_number)
        if task is not None and len(operators) == 1:
            one = replace(one, started_at=task.started_at, ended_at=task.ended_at, duration=task.duration)
        found.append(one)
    return found


def _seconds(manifest: Manifest | None, outcome: OperatorRun, *, alone: bool) -> float | None:
    """Return what an operator took; of one of several in a task, the task itself says so."""
    own = manifest.seconds if manifest else None
    if alone or not isinstance(own, int | float) or isinstance(own, bool):
        has_ended = outcome.status in (ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED)
        # Airflow says of tasks that never ran that they began and ended at once.
        return outcome.duration if has_ended or (outcome.duration or 0) > _AT_ONCE else None
    return float(own)


def _artifact(artifact_id: str, name: str, declared: str, manifest: Manifest | None) -> ShownArtifact:
    ref = checked_ref(manifest.artifacts.get(artifact_id)) if manifest else None
    if ref is None:
        return ShownArtifact(artifact_id, name, declared)
    return written_artifact(artifact_id, name, ref)


def written_artifact(artifact_id: str, name: str, ref: ArtifactRef) -> ShownArtifact:
    """Return an artifact that was written, with what may be shown of it."""
    glance = clean(name, ref.glance, None, str)[0] if isinstance(ref.glance, Mapping) else {}
    return ShownArtifact(artifact_id, name, ref.artifact_type, replace(ref, name=name, glance=glance))
