"""Stage 2, the operators of a spec -> the tasks of its DAG, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.compat import DAG, BaseOperator
from aqueduct_provider.factory.dag_schedule import asset_of
from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.factory.executor_options import placement
from aqueduct_provider.factory.outlets import outlets_of
from aqueduct_provider.factory.task_retries import own_retry_options, retry_options
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.operators.prune_callback import deletes, prune_after_success
from aqueduct_provider.spec.models import Operator, WorkflowSpec
from aqueduct_provider.spec.task_groups import task_groups, task_upstream

# The operator ends its child at its own timeout and reports that well. Airflow's limit stands behind it,
# far enough that fetching inputs and a cold build of the environment never run into it. Waiting for S3 comes
# on top, for as long as the configuration allows.
TIMEOUT_MARGIN = timedelta(minutes=15)


def add_tasks(spec: WorkflowSpec, dag: DAG) -> None:
    """Put the tasks of all operators into the DAG, in the order of the spec, and what announces success."""
    tasks = {task_id: _task(spec, task_id, group, dag) for task_id, group in task_groups(spec).items()}
    for task_id, before in task_upstream(spec).items():
        if before:
            tasks[task_id].set_upstream([tasks[other] for other in before])
    _announce_success(spec, dag, tasks)


def _task(spec: WorkflowSpec, task_id: str, operators: tuple[Operator, ...], dag: DAG) -> AqueductOperator:
    first = operators[0]
    options = _texts_of_group(operators) if first.fuse else _texts(first)
    timeouts = [operator.timeout for operator in operators if operator.timeout is not None]
    if len(timeouts) == len(operators):
        waiting = config.s3_patience()
        options["execution_timeout"] = timedelta(seconds=sum(timeouts) + waiting) + TIMEOUT_MARGIN
    if first.pool is not None:
        options["pool"] = first.pool
    return AqueductOperator(
        task_id=task_id,
        dag=dag,
        workflow=spec,
        operators=operators,
        outlets=outlets_of(spec, operators),
        **retry_options(operators),
        **placement(operators),
        **options,
    )


def _texts(operator: Operator) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if operator.name != operator.task_id:
        options["task_display_name"] = one_line(operator.name)
    if operator.description:
        options["doc_md"] = markdown(operator.description)
    return options


def _texts_of_group(operators: tuple[Operator, ...]) -> dict[str, Any]:
    count = f"{len(operators)} operators" if len(operators) > 1 else "1 operator"
    lines = [f"{number}. {_line(operator)}" for number, operator in enumerate(operators, 1)]
    return {
        "task_display_name": f"{operators[0].fuse} ({count})",
        "doc_md": markdown(f"Runs {count}, one after the other:", "\n".join(lines)),
    }


def _line(operator: Operator) -> str:
    name = f"{one_line(operator.name)} ({code_span(operator.task_id)})"
    return f"{name}: {one_line(operator.description)}" if operator.description else name


class FlowSucceeded(BaseOperator):
    """Does nothing, after everything else has succeeded; its outlet is the flow's asset.

    :param workflow: the flow's spec, for what is called after its success.
    """

    shallow_copy_attrs: Sequence[str] = ("workflow",)

    def __init__(self, *, workflow: WorkflowSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow = workflow

    def execute(self, context: Any) -> None:
        """Nothing is left to do."""


def _announce_success(spec: WorkflowSpec, dag: DAG, tasks: dict[str, AqueductOperator]) -> None:
    asset = asset_of(spec.flow.name)
    leaves = [task for task in tasks.values() if not task.downstream_task_ids]
    last: AqueductOperator | FlowSucceeded = leaves[0]
    if len(leaves) > 1:
        task_id = "flow_succeeded"
        while task_id in tasks:
            task_id += "_"
        last = FlowSucceeded(task_id=task_id, dag=dag, workflow=spec, **own_retry_options())
        last.set_upstream(leaves)
    last.outlets = [*last.outlets, asset]
    if deletes(spec):
        last.on_success_callback = [prune_after_success]
