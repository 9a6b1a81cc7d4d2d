"""Exchange keys, digests and versions between the tasks of a run by XCom, not artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from aqueduct_provider.artifacts.manifest import LEFT_KEY as LEFT_KEY
from aqueduct_provider.artifacts.manifest import ArtifactRef, GroupManifest, Manifest, manifest_from_xcom
from aqueduct_provider.compat import succeeded_tasks
from aqueduct_provider.runs.pinned_version import RunTask, SpecRef
from aqueduct_provider.spec.models import Operator, WorkflowSpec

# Under this key, the first tasks of a run publish the version that they run.
VERSION_KEY = "aqueduct_version"


def run_task(task_id: str, context: Mapping[str, Any]) -> RunTask:
    """Return the task to run; XComs of other tasks are pulled once."""
    ti = context["ti"]

    @cache
    def left(other: str) -> Any:
        return ti.xcom_pull(task_ids=other)

    return RunTask(
        task_id=task_id,
        run_id=context["run_id"],
        attempt=getattr(context["dag_run"], "clear_number", 0) or 0,
        left=left,
        succeeded=lambda others: succeeded_tasks(ti, context["run_id"], others),
        reported=lambda other: ti.xcom_pull(task_ids=other, key=VERSION_KEY),
        report=lambda value: ti.xcom_push(key=VERSION_KEY, value=value),
    )


def with_spec(manifest: Manifest | GroupManifest, spec: WorkflowSpec) -> dict[str, Any]:
    """Return the manifest of a task as its XCom value, with the spec that the task went by."""
    return {**manifest.to_xcom(), "spec": SpecRef.of(spec).to_json()}


def inputs_of(spec: WorkflowSpec, operators: Sequence[Operator], task: RunTask) -> dict[str, ArtifactRef]:
    """Return the artifacts of other tasks that the operators read.

    :raises IntegrityError: one of them left nothing.
    """
    own = {artifact for operator in operators for artifact in operator.outputs}
    read = {artifact for operator in operators for artifact in operator.inputs}
    makers = {artifact: spec.producer(artifact) for artifact in sorted(read - own)}
    manifests = {
        maker.task_id: manifest_from_xcom(
            task.left(maker.airflow_task_id), maker.airflow_task_id, maker.task_id
        )
        for maker in makers.values()
    }
    return {artifact: manifests[maker.task_id].artifacts[artifact] for artifact, maker in makers.items()}
