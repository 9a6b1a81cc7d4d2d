"""Fused operators: which groups are not possible, and which loads run outside of theirs (pure).

A load that must not write twice (``append`` and ``fail``) is never in one task with what makes its data. A
retry runs the whole task again: a function that returns other rows each time would then ask the load to
write other rows than those that an earlier try has committed. No record of the earlier try could be believed:
a task loses its XCom when it is tried again, and who can write to the bucket is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.flow_plan import groups_in_order_of_the_spec, task_upstream
from aqueduct_provider.spec.graph import MAX_CYCLES, Locate, upstream
from aqueduct_provider.spec.models import LoadOperator, Operator, WorkflowSpec


def separate_loads(spec: WorkflowSpec) -> frozenset[str]:
    """Return the task ids of the loads that name a group and must not run in it."""
    maker = {output: one.airflow_task_id for one in spec.operators for output in one.outputs if one.fuse}
    return frozenset(
        operator.task_id
        for operator in spec.operators
        if isinstance(operator, LoadOperator)
        and operator.fuse
        and getattr(operator.target, "update_mode", "replace") != "replace"
        and any(maker.get(artifact) == operator.fuse for artifact in operator.inputs)
    )


def with_separate_loads(spec: WorkflowSpec) -> WorkflowSpec:
    """Return the spec in which those loads have a task of their own."""
    loads = separate_loads(spec)
    if not loads:
        return spec
    operators = tuple(
        operator.model_copy(update={"fuse": None}) if operator.task_id in loads else operator
        for operator in spec.operators
    )
    return spec.model_copy(update={"operators": operators})


def check(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    """Find everything that is wrong with the groups, once the loads are out of them."""
    if not any(operator.fuse for operator in spec.operators):
        return
    loads, spec = separate_loads(spec), with_separate_loads(spec)
    position = {operator.task_id: index for index, operator in enumerate(spec.operators)}
    yield from _name_problems(spec, at)
    for members in groups_in_order_of_the_spec(spec).values():
        yield from _pool_problems(members, position, at)
    yield from _cycles(spec, position, loads, at)


def _name_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    holders = {operator.task_id: (operator.fuse, index) for index, operator in enumerate(spec.operators)}
    said = set[str]()
    for index, operator in enumerate(spec.operators):
        name = operator.fuse
        if name is None or name in said or name not in holders:
            continue
        said.add(name)
        group, other = holders[name]
        if group != name:
            there = at("operators", other, "task_id")
            message = f"'{name}' is the task id of an operator outside of this group, {there}; rename one"
            yield Problem(at("operators", index, "fuse"), message)


def _pool_problems(members: tuple[Operator, ...], position: dict[str, int], at: Locate) -> Iterator[Problem]:
    first = members[0]
    for operator in members[1:]:
        if operator.pool != first.pool:
            there = at("operators", position[first.task_id], "pool")
            message = (
                f"'{first.fuse}' runs as one Airflow task, in one pool, and {there} says another; give all "
                "of its operators the same pool, or none"
            )
            yield Problem(at("operators", position[operator.task_id], "pool"), message)


def _cycles(
    spec: WorkflowSpec, position: dict[str, int], loads: frozenset[str], at: Locate
) -> Iterator[Problem]:
    """Find groups that would have to run both before and after something else."""
    if _cycle({task: list(before) for task, before in upstream(spec).items()}):
        return  # Without fusing, too: that is reported in any case.
    groups = groups_in_order_of_the_spec(spec)
    edges = {task: list(before) for task, before in task_upstream(spec).items()}
    for _ in range(MAX_CYCLES):
        cycle = _cycle(edges)
        if not cycle:
            return
        fused = [task for task in cycle if len(groups[task]) > 1]
        group = min(fused, key=lambda task: position[groups[task][0].task_id])
        between = [operator.task_id for task in cycle if task != group for operator in groups[task]]
        names = ", ".join(f"'{task_id}'" for task_id in sorted(between, key=position.__getitem__))
        fix = f'give these "fuse": "{group}" too, or take operators out of the group'
        if apart := ", ".join(f"'{task_id}'" for task_id in between if task_id in loads):
            fix = f"take operators out of the group: {apart} cannot share a task with what makes its data"
        message = (
            f"'{group}' cannot run as one task: some of its operators run before, and some after, {names}; "
            f"{fix}"
        )
        yield Problem(at("operators", position[groups[group][0].task_id], "fuse"), message)
        edges = {
            task: [other for other in before if other != group]
            for task, before in edges.items()
            if task != group
        }


def _cycle(edges: dict[str, list[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1][:-1])
    return []
