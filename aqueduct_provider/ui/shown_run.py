"""A run as pages show it: its operators with what they wrote, and how they ended.

In: Airflow's database, and the store where it can be reached. Out: frozen values. The database alone says
what ran, how it ended and what it left; the store adds the spec of an older version, why an operator failed,
and what the user's code printed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.glance import clean, described, shown_value
from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest, check_outcome, manifest_from_xcom
from aqueduct_provider.errors import AqueductError, IntegrityError
from aqueduct_provider.runs.pinned_version import SpecRef
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.check_results import corrected
from aqueduct_provider.sdk.results.fused_runs import may_have_state, operator_runs
from aqueduct_provider.sdk.results.outcomes import ENDED, OperatorRun, run_status, task_status
from aqueduct_provider.spec.dag_facts import DagFacts, OperatorFacts, facts_of
from aqueduct_provider.spec.secret_text import is_secret_name
from aqueduct_provider.spec.version_label import version_name
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.reading import run_for
from aqueduct_provider.ui.request_reads import RequestReads
from aqueduct_provider.ui.run_history import METRICS as METRICS

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo, TaskInfo
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore
    from aqueduct_provider.ui.airflow_database import AirflowDatabase

_REQUESTS = 16
# Kinds of operators whose outputs are shown as values, without a preview.
SHORT = frozenset({"param", "check", *METRICS})
# What pages show where there is nothing.
NOTHING = "\N{EN DASH}"


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
        value = self.glance["value"]
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
class ShownRun:
    """A run.

    :param facts: the flow in the version that the run used, as far as that is known.
    :param operators: in the order of the flow.
    :param problem: why the store cannot be read, a sentence; empty: it can.
    :param version: the one that the run used; empty: no task has said so.
    :param run: the SDK's; None: the store cannot be read.
    :param spec: of that version; None: the store cannot be read.
    """

    dag_id: str
    info: RunInfo
    facts: DagFacts
    operators: tuple[ShownOperator, ...]
    problem: str = ""
    version: str = ""
    spec: WorkflowSpec | None = None
    run: Run | None = None

    @cached_property
    def artifacts(self) -> dict[str, ShownArtifact]:
        """All artifacts by their names."""
        return {one.name: one for operator in self.operators for one in operator.outputs}

    @cached_property
    def makers(self) -> dict[str, ShownOperator]:
        """The operators by the names of the artifacts that they write."""
        return {one.name: operator for operator in self.operators for one in operator.outputs}

    @cached_property
    def store(self) -> ObjectStore | None:
        """The artifact store; None: it cannot be read."""
        return self.run.session.store if self.run else None

    @property
    def status(self) -> str:
        """How the run is now, a word."""
        return run_status(self.info.state).value

    @property
    def seconds(self) -> float | None:
        """How long the run took; None: it has not ended."""
        if self.info.started_at is None or self.info.ended_at is None:
            return None
        return (self.info.ended_at - self.info.started_at).total_seconds()

    @property
    def is_other_version(self) -> bool:
        """Check whether the run used another version than the facts are of."""
        return bool(self.version) and self.version != self.facts.flow.version

    @property
    def version_name(self) -> str:
        """What users call the version; empty where it is unknown."""
        number = None if self.is_other_version else self.facts.flow.number
        return version_name(self.version, number)

    def of_kind(self, *kinds: str) -> list[ShownOperator]:
        """Return the operators of these kinds."""
        return [one for one in self.operators if one.kind in kinds]


def read_run(
    database: AirflowDatabase,
    dag_id: str,
    run_id: str,
    facts: DagFacts,
    reads: RequestReads,
    *,
    whole: Collection[str] = (),
) -> ShownRun:
    """Read a run.

    :param facts: of the DAG as it is now.
    :param reads: those of the request.
    :param whole: Airflow tasks of which also what succeeded is read from the store: what it printed.
    :raises NotFound: Airflow does not know the run.
    """
    info = database.run(dag_id, run_id)
    tasks = {task.task_id: task for task in database.tasks(dag_id, run_id)}
    xcoms = _xcoms(database, dag_id, run_id)
    pinned = next(filter(None, map(SpecRef.from_xcom, xcoms.values())), None)
    version = pinned.version if pinned else ""
    try:
        run = run_for(database, dag_id, run_id, facts, reads)
        spec = _spec(run, pinned, facts)
        if spec.sha256 != facts.flow.sha256:
            facts = DagFacts.of(facts_of(spec)) or facts
        outcomes = _outcomes(run, spec, tasks, whole)
    except AqueductError as error:
        problem = reads.problem(error)
        return _assembled(ShownRun(dag_id, info, facts, (), problem, version), tasks, xcoms, {})
    return _assembled(
        ShownRun(dag_id, info, facts, (), "", version or facts.flow.version, spec, run),
        tasks,
        xcoms,
        outcomes,
    )


def written(
    database: AirflowDatabase, dag_id: str, run_id: str, facts: DagFacts, artifact_id: str
) -> ShownArtifact | None:
    """Return what a run has written of an artifact, from Airflow's database alone; None: nothing."""
    for value in _xcoms(database, dag_id, run_id).values():
        for task_id in _members(value):
            manifest = _manifest(value, task_id)
            ref = manifest and _checked(manifest.artifacts.get(artifact_id))
            if ref and is_own(ref, facts, run_id, artifact_id):
                name = ref.name or _name_of(facts, artifact_id) or artifact_id
                return _written(artifact_id, name, ref)
    return None


def is_own(ref: ArtifactRef, facts: DagFacts, run_id: str, artifact_id: str) -> bool:
    """Check that the keys are the artifact's: a forged XCom must not lead to other objects of the store."""
    if facts.flow.dialect == "compiled":
        # The store of such a flow is not read at all.
        return True
    layout = NativeLayout(facts.flow.id, run_id)
    return (ref.key, ref.metadata_key) == (layout.content(artifact_id), layout.metadata(artifact_id))


def _name_of(facts: DagFacts, artifact_id: str) -> str:
    outputs = (one for some in facts.tasks.values() for operator in some for one in operator.outputs)
    return next((one.name for one in outputs if one.id == artifact_id), "")


# --- what tasks left


def _xcoms(database: AirflowDatabase, dag_id: str, run_id: str) -> dict[str, Mapping[str, Any]]:
    """Return what tasks left in Airflow's database; those that failed may have left a part."""
    found = database.manifests(dag_id, [run_id]).get(run_id, {})
    return {task_id: value for task_id, value in found.items() if isinstance(value, Mapping)}


def _members(value: Mapping[str, Any]) -> list[str]:
    """Return the operators of what a task left; one without a name where it is not a group."""
    operators = value.get("operators")
    return [str(one) for one in operators] if isinstance(operators, Mapping) else [""]


def _manifest(value: Any, task_id: str) -> Manifest | None:
    try:
        return manifest_from_xcom(value, task_id, task_id)
    except (IntegrityError, AttributeError, TypeError):
        return None


def _checked(ref: ArtifactRef | None) -> ArtifactRef | None:
    """Return a reference, the fields of which are what they must be; None: they are not."""
    if ref is None:
        return None
    strings = (
        *(ref.key, ref.sha256, ref.metadata_key, ref.metadata_sha256),
        *(ref.artifact_type, ref.serialization_type, ref.name),
    )
    is_one = all(isinstance(text, str) for text in strings) and type(ref.size) is int and ref.size >= 0
    return ref if is_one else None


# --- how operators ended


def _spec(run: Run, pinned: SpecRef | None, facts: DagFacts) -> WorkflowSpec:
    """Return the spec of the run's version, verified by its digest in Airflow's database.

    :raises AqueductError: it is not available.
    """
    from aqueduct_provider.sdk.results.run_artifacts import recorded_spec

    flow = facts.flow
    return recorded_spec(run, pinned or SpecRef(flow.sha256, flow.version))


def _outcomes(
    run: Run, spec: WorkflowSpec, tasks: Mapping[str, TaskInfo], whole: Collection[str]
) -> dict[str, OperatorRun]:
    """Return how operators ended, by their task ids; exec states are read of those that need one."""

    def is_read(operator: Operator) -> bool:
        task = tasks.get(operator.airflow_task_id)
        if task is None or not may_have_state(operator, task):
            return False
        return task.state != "success" or task.task_id in whole

    read = [one for one in spec.operators if is_read(one)]
    states = together([partial(run.exec_state, one) for one in read], _REQUESTS)
    by_id = {one.id: state for one, state in zip(read, states, strict=True)}
    over = run.info is not None and run_status(run.info.state) in ENDED
    untold = ExecutionStatus.UNKNOWN if over else ExecutionStatus.PENDING
    return {one.task_id: one for one in operator_runs(spec, tasks, by_id, untold=untold)}


def _assembled(
    run: ShownRun,
    tasks: Mapping[str, TaskInfo],
    xcoms: Mapping[str, Any],
    outcomes: Mapping[str, OperatorRun],
) -> ShownRun:
    """Return the run with its operators.

    :param outcomes: how they ended, by their task ids, as far as the store says so.
    """
    operators: list[ShownOperator] = []
    for task_id, some in run.facts.tasks.items():
        task = tasks.get(task_id)
        manifests = [_manifest(xcoms.get(task_id), one.task_id) for one in some]
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
    return replace(run, operators=tuple(operators))


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
        return outcome.duration
    return float(own)


def _artifact(artifact_id: str, name: str, declared: str, manifest: Manifest | None) -> ShownArtifact:
    ref = _checked(manifest.artifacts.get(artifact_id)) if manifest else None
    if ref is None:
        return ShownArtifact(artifact_id, name, declared)
    return _written(artifact_id, name, ref)


def _written(artifact_id: str, name: str, ref: ArtifactRef) -> ShownArtifact:
    glance = clean(name, ref.glance, None, str)[0] if isinstance(ref.glance, Mapping) else {}
    return ShownArtifact(artifact_id, name, ref.artifact_type, replace(ref, name=name, glance=glance))
