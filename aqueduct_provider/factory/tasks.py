"""The plan of a flow -> the tasks of its DAG, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.compat import DAG, BaseOperator
from aqueduct_provider.factory.dag_schedule import asset_of, outlets_of
from aqueduct_provider.factory.executor_options import placement
from aqueduct_provider.factory.task_docs import label_options, owner_options, page_link
from aqueduct_provider.factory.task_retries import own_retry_options, retry_options
from aqueduct_provider.operators.aqueduct import EXTRA_LINKS, AqueductOperator
from aqueduct_provider.operators.page_links import has_pages, page_prefix
from aqueduct_provider.operators.prune_callback import deletes, prune_after_success
from aqueduct_provider.spec.dag_facts import facts_of
from aqueduct_provider.spec.flow_plan import FlowPlan, TaskPlan, flow_plan
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.page_paths import page_path

# The operator ends its child at its own timeout and reports that well. Airflow's limit stands behind it,
# far enough that fetching inputs and a cold build of the environment never run into it. Waiting for S3 comes
# on top, for as long as the configuration allows.
TIMEOUT_MARGIN = timedelta(minutes=15)


def add_tasks(spec: WorkflowSpec, dag: DAG) -> None:
    """Put the tasks of a flow into its DAG, and what announces its success."""
    plan = flow_plan(spec)
    facts = facts_of(spec, plan)
    artifacts = {artifact.id: artifact for artifact in spec.artifacts}
    prefix = page_prefix() if has_pages() else None

    def labels(task_id: str, task: TaskPlan) -> dict[str, Any]:
        page = "" if prefix is None else f"{prefix}{page_path(spec.dag_id, task_id=task_id)}"
        link = page_link(spec, task.operators, page) if page else ""
        return label_options(task.operators, artifacts, link) | owner_options(spec)

    tasks = {
        task_id: _task(spec, task_id, task, facts[task_id], labels(task_id, task), dag)
        for task_id, task in plan.tasks.items()
    }
    for task_id, task in plan.tasks.items():
        if task.upstream:
            tasks[task_id].set_upstream([tasks[other] for other in task.upstream])
    _announce_success(spec, dag, plan, tasks)


def _task(
    spec: WorkflowSpec, task_id: str, plan: TaskPlan, facts: str, options: dict[str, Any], dag: DAG
) -> AqueductOperator:
    operators = plan.operators
    first = operators[0]
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


class FlowSucceeded(BaseOperator):
    """Run after everything else has succeeded; its outlet is the flow's asset.

    :param workflow: the flow's spec, for what is called after its success.
    """

    shallow_copy_attrs: Sequence[str] = ("workflow",)
    operator_extra_links = EXTRA_LINKS
    custom_operator_name = "flow succeeded"
    ui_color = "#e6f4ea"

    def __init__(self, *, workflow: WorkflowSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow = workflow

    def execute(self, context: Any) -> None:
        """Say in the event of the flow's asset what the run has found, and notify of a recovery."""
        from aqueduct_provider.operators.asset_events import describe_flow

        describe_flow(context, self.outlets, self.workflow)
        if self.workflow.notifications:
            from aqueduct_provider.operators.notify import notify_of_success

            notify_of_success(self.workflow, self.log, context)


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
        last = FlowSucceeded(
            task_id=task_id, dag=dag, workflow=spec, **own_retry_options(), **owner_options(spec)
        )
        last.set_upstream(leaves)
    last.outlets = [*last.outlets, asset]
    if deletes(spec):
        last.on_success_callback = [prune_after_success]
