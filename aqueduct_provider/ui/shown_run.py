"""A run as pages show it: its operators with what they wrote, and how they ended.

In: Airflow's database, and the store where it can be reached. Out: frozen values. The database alone says
what ran, how it ended and what it left; the store adds the spec of an older version, why an operator failed,
and what the user's code printed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError
from aqueduct_provider.runs.pinned_version import SpecRef
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.fused_runs import may_have_state, operator_runs
from aqueduct_provider.sdk.results.outcomes import ENDED, OperatorRun, run_status
from aqueduct_provider.sdk.results.recorded_runs import (
    RecordedRun,
    ShownArtifact,
    checked_ref,
    manifest_in,
    members_of,
    recorded_operators,
    written_artifact,
)
from aqueduct_provider.spec.dag_facts import DagFacts, facts_of
from aqueduct_provider.spec.version_label import version_name
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.reading import run_for
from aqueduct_provider.ui.request_reads import RequestReads

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore
    from aqueduct_provider.ui.airflow_database import AirflowDatabase

_REQUESTS = 16


@dataclass(frozen=True, kw_only=True)
class ShownRun(RecordedRun):
    """A run of a page.

    :param facts: the flow in the version that the run used, as far as that is known.
    :param problem: why the store cannot be read, a sentence; empty: it can.
    :param run: the SDK's; None: the store cannot be read.
    """

    dag_id: str
    facts: DagFacts
    problem: str = ""
    run: Run | None = None

    @cached_property
    def store(self) -> ObjectStore | None:
        """The artifact store; None: it cannot be read."""
        return self.run.session.store if self.run else None

    @property
    def is_other_version(self) -> bool:
        """Check whether the run used another version than the facts are of."""
        return bool(self.version) and self.version != self.facts.flow.version

    @property
    def version_name(self) -> str:
        """What users call the version; empty where it is unknown."""
        number = None if self.is_other_version else self.facts.flow.number
        return version_name(self.version, number)


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
        operators = recorded_operators(facts.tasks, tasks, xcoms, {})
        return ShownRun(*(info, operators, version), dag_id=dag_id, facts=facts, problem=reads.problem(error))
    operators = recorded_operators(facts.tasks, tasks, xcoms, outcomes)
    version = version or facts.flow.version
    return ShownRun(info, operators, version, spec, dag_id=dag_id, facts=facts, run=run)


def written(
    database: AirflowDatabase, dag_id: str, run_id: str, facts: DagFacts, artifact_id: str
) -> ShownArtifact | None:
    """Return what a run has written of an artifact, from Airflow's database alone; None: nothing."""
    for value in _xcoms(database, dag_id, run_id).values():
        for task_id in members_of(value):
            manifest = manifest_in(value, task_id)
            ref = manifest and checked_ref(manifest.artifacts.get(artifact_id))
            if ref and is_own(ref, facts, run_id, artifact_id):
                name = ref.name or _name_of(facts, artifact_id) or artifact_id
                return written_artifact(artifact_id, name, ref)
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
