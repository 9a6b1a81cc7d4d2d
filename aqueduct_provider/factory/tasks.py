"""Stage 2, the operators of a spec -> the tasks of its DAG, and their order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator

from aqueduct_provider.factory.docs import markdown, one_line
from aqueduct_provider.factory.schedule import asset_of
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.spec.graph import upstream
from aqueduct_provider.spec.models import Operator, WorkflowSpec

# The operator ends its child at its own timeout and reports that well. Airflow's limit stands behind it,
# far enough that fetching inputs and a cold build of the environment never run into it.
TIMEOUT_MARGIN = timedelta(minutes=15)


def add_tasks(spec: WorkflowSpec, dag: DAG) -> None:
    """Put a task for each operator into the DAG, in the order of the spec, and what announces success."""
    tasks = {operator.task_id: _task(spec, operator, dag) for operator in spec.operators}
    for task_id, before in upstream(spec).items():
        if before:
            tasks[task_id].set_upstream([tasks[other] for other in before])
    _announce_success(spec, dag, tasks)


def _task(spec: WorkflowSpec, operator: Operator, dag: DAG) -> AqueductOperator:
    options: dict[str, Any] = {}
    if operator.retries:
        options["retry_delay"] = timedelta(seconds=operator.retry_delay)
    if operator.timeout is not None:
        options["execution_timeout"] = timedelta(seconds=operator.timeout) + TIMEOUT_MARGIN
    if operator.pool is not None:
        options["pool"] = operator.pool
    if operator.name != operator.task_id:
        options["task_display_name"] = one_line(operator.name)
    if operator.description:
        options["doc_md"] = markdown(operator.description)
    return AqueductOperator(
        task_id=operator.task_id,
        dag=dag,
        workflow=spec,
        operator=operator,
        retries=operator.retries,
        **options,
    )


class FlowSucceeded(BaseOperator):
    """Does nothing, after everything else has succeeded; its outlet is the flow's asset."""

    def execute(self, context: Any) -> None:
        """Nothing is left to do."""


def _announce_success(spec: WorkflowSpec, dag: DAG, tasks: dict[str, AqueductOperator]) -> None:
    asset = asset_of(spec.flow.name)
    leaves = [task for task in tasks.values() if not task.downstream_task_ids]
    if len(leaves) == 1:
        leaves[0].outlets = [asset]
        return
    task_id = "flow_succeeded"
    while task_id in tasks:
        task_id += "_"
    FlowSucceeded(task_id=task_id, dag=dag, retries=0, outlets=[asset]).set_upstream(leaves)
