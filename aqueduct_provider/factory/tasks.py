"""The plan of a flow -> the tasks of its DAG, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.compat import DAG, BaseOperator
from aqueduct_provider.factory.dag_schedule import asset_of, outlets_of
from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.factory.executor_options import placement
from aqueduct_provider.factory.task_retries import own_retry_options, retry_options
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.operators.prune_callback import deletes, prune_after_success
from aqueduct_provider.spec.dag_facts import facts_of
from aqueduct_provider.spec.flow_plan import FlowPlan, TaskPlan, flow_plan
from aqueduct_provider.spec.models import Operator, WorkflowSpec

# The operator ends its child at its own timeout and reports that well. Airflow's limit stands behind it,
# far enough that fetching inputs and a cold build of the environment never run into it. Waiting for S3 comes
# on top, for as long as the configuration allows.
TIMEOUT_MARGIN = timedelta(minutes=15)


def add_tasks(spec: WorkflowSpec, dag: DAG) -> None:
    """Put the tasks of a flow into its DAG, and what announces its success."""
    plan = flow_plan(spec)
    facts = facts_of(spec, plan)
    tasks = {task_id: _task(spec, task_id, task, facts[task_id], dag) for task_id, task in plan.tasks.items()}
    for task_id, task in plan.tasks.items():
        if task.upstream:
            tasks[task_id].set_upstream([tasks[other] for other in task.upstream])
    _announce_success(spec, dag, plan, tasks)


def _task(spec: WorkflowSpec, task_id: str, plan: TaskPlan, facts: str, dag: DAG) -> AqueductOperator:
    operators = plan.operators
    first = operators[0]
    options = _labels_of_group(operators) if first.fuse else _labels(first)
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
        aqueduct=facts,
        outlets=outlets_of(plan.outlets),
        **retry_options(operators),
        **placement(operators),
        **options,
    )


def _labels(operator: Operator) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if operator.name != operator.task_id:
        options["task_display_name"] = one_line(operator.name)
    if operator.description:
        options["doc_md"] = markdown(operator.description)
    return options


def _labels_of_group(operators: tuple[Operator, ...]) -> dict[str, Any]:
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
    """Do nothing, after everything else has succeeded; its outlet is the flow's asset.

    :param workflow: the flow's spec, for what is called after its success.
    """

    shallow_copy_attrs: Sequence[str] = ("workflow",)

    def __init__(self, *, workflow: WorkflowSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow = workflow

    def execute(self, context: Any) -> None:
        """Do nothing."""


def _announce_success(
    spec: WorkflowSpec, dag: DAG, plan: FlowPlan, tasks: dict[str, AqueductOperator]
) -> None:
    asset = asset_of(spec.flow.name)
    leaves = [tasks[task_id] for task_id in plan.last]
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
