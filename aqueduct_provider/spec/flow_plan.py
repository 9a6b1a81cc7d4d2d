"""Plan a flow's Airflow tasks: what each runs, what it waits for and what it updates (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aqueduct_provider.spec.assets import saved_asset
from aqueduct_provider.spec.graph import order, upstream
from aqueduct_provider.spec.models import LoadOperator, Operator, WorkflowSpec


@dataclass(frozen=True)
class TaskPlan:
    """One Airflow task.

    :param operators: the operators that it runs, in the order in which it runs them.
    :param upstream: ids of the Airflow tasks that must succeed before it.
    :param outlets: URIs of the tables, collections and files that it writes, once, in the operators' order;
        those whose name is only known in a run are missing (``assets.py``).
    """

    operators: tuple[Operator, ...]
    upstream: tuple[str, ...]
    outlets: tuple[str, ...]


@dataclass(frozen=True)
class FlowPlan:
    """The Airflow tasks of a flow by their ids, in the order of the spec."""

    tasks: Mapping[str, TaskPlan]

    @property
    def first(self) -> list[str]:
        """The tasks that wait for no other."""
        return [task_id for task_id, task in self.tasks.items() if not task.upstream]

    @property
    def last(self) -> list[str]:
        """The tasks that no other waits for."""
        awaited = {other for task in self.tasks.values() for other in task.upstream}
        return [task_id for task_id in self.tasks if task_id not in awaited]


def flow_plan(spec: WorkflowSpec) -> FlowPlan:
    """Return the plan of a spec that was loaded."""
    groups, before = groups_in_order_of_the_spec(spec), task_upstream(spec)
    if len(groups) < len(spec.operators):
        position = {task_id: number for number, task_id in enumerate(order(spec))}
        groups = {
            task_id: tuple(sorted(members, key=lambda operator: position[operator.task_id]))
            for task_id, members in groups.items()
        }
    return FlowPlan(
        {
            task_id: TaskPlan(members, before[task_id], _outlets(spec, members))
            for task_id, members in groups.items()
        }
    )


def groups_in_order_of_the_spec(spec: WorkflowSpec) -> dict[str, tuple[Operator, ...]]:
    """Return the operators of each Airflow task as they are in the spec."""
    groups: dict[str, list[Operator]] = {}
    for operator in spec.operators:
        groups.setdefault(operator.airflow_task_id, []).append(operator)
    return {task_id: tuple(members) for task_id, members in groups.items()}


def task_upstream(spec: WorkflowSpec) -> dict[str, tuple[str, ...]]:
    """Return the Airflow tasks that must succeed before each Airflow task; the spec may have problems."""
    edges = upstream(spec)
    if not any(operator.fuse for operator in spec.operators):
        return edges
    task_of = {operator.task_id: operator.airflow_task_id for operator in spec.operators}
    contracted: dict[str, dict[str, None]] = {task: {} for task in task_of.values()}
    for operator_id, before in edges.items():
        task = task_of[operator_id]
        contracted[task].update(dict.fromkeys(task_of[other] for other in before if other in task_of))
        contracted[task].pop(task, None)
    return {task: tuple(before) for task, before in contracted.items()}


def _outlets(spec: WorkflowSpec, operators: Iterable[Operator]) -> tuple[str, ...]:
    loads = (operator for operator in operators if isinstance(operator, LoadOperator))
    return tuple(uri for uri in dict.fromkeys(saved_asset(spec, load) for load in loads) if uri)
