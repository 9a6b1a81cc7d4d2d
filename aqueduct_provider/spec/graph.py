"""The names in a spec -> edges, order, and what is wrong with the graph (pure).

In: a ``WorkflowSpec`` of either dialect. Out: problems at the JSON paths of its own document, which a
``Locate`` knows; for the rooms after this one: edges and order.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.models import ArtifactType, CallOperator, Operator, ParamOperator, WorkflowSpec
from aqueduct_provider.spec.validation import suggestion

# More cycles than these are shown once the first ones are fixed.
MAX_CYCLES = 10

# Each becomes an object in Airflow, when the DAG is made and when it is stored.
_MAX_EDGES = 20_000

# Operator type -> least and most inputs, least and most outputs; None: any number.
_ARITY: dict[str, tuple[int, int | None, int, int | None]] = {
    "function": (0, None, 0, None),
    "metric": (0, None, 1, 1),
    "check": (0, None, 1, 1),
    "param": (0, 0, 1, 1),
    "system_metric": (1, 1, 1, 1),
    "extract": (0, None, 1, 1),
    "load": (1, None, 0, 0),
}


class GraphNode(Protocol):
    """An operator, as far as the graph goes."""

    @property
    def task_id(self) -> str:
        """Its id in the graph."""
        ...

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def type(self) -> str:
        """The operator's type."""
        ...

    @property
    def inputs(self) -> Sequence[str]:
        """Ids of the artifacts that it reads."""
        ...

    @property
    def outputs(self) -> Sequence[str]:
        """Ids of the artifacts that it writes."""
        ...

    @property
    def after(self) -> Sequence[str]:
        """Task ids that must succeed first."""
        ...


class Graph(Protocol):
    """Operators and the artifacts between them: a spec, or what is known of one."""

    @property
    def operators(self) -> Sequence[GraphNode]:
        """The operators."""
        ...


class Locate(Protocol):
    """Where a field of the model is in the document that it came from."""

    def __call__(self, *parts: str | int) -> str:
        """Return the JSON path of ``parts``, keys and indices in the native dialect."""
        ...


def upstream(spec: Graph) -> dict[str, tuple[str, ...]]:
    """Return the tasks that must succeed before each task: whose artifacts it reads, then its ``after``."""
    producers = {artifact: operator.task_id for operator in spec.operators for artifact in operator.outputs}
    edges: dict[str, tuple[str, ...]] = {}
    for operator in spec.operators:
        data = (producers[artifact] for artifact in operator.inputs if artifact in producers)
        edges[operator.task_id] = tuple(dict.fromkeys((*data, *operator.after)))
    return edges


def order(spec: Graph) -> list[str]:
    """Sort the task ids, each after all that it needs; otherwise in the order of the spec.

    :raises graphlib.CycleError: never for a spec that was loaded.
    """
    position = {operator.task_id: index for index, operator in enumerate(spec.operators)}
    names = list(position)
    sorter = TopologicalSorter(upstream(spec))
    sorter.prepare()
    ready, done = [position[name] for name in sorter.get_ready()], list[str]()
    heapq.heapify(ready)
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        sorter.done(name)
        for free in sorter.get_ready():
            heapq.heappush(ready, position[free])
    return done


def consumers(spec: WorkflowSpec, artifact_id: str) -> list[Operator]:
    """Return the operators that read the artifact, in the order of the spec."""
    return [operator for operator in spec.operators if artifact_id in operator.inputs]


def maker(spec: WorkflowSpec, artifact_id: str) -> str:
    """Return the name of the operator that makes the artifact; empty where none does."""
    return next((operator.name for operator in spec.operators if artifact_id in operator.outputs), "")


def check(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    """Find everything that is wrong with the graph."""
    yield from _taken(at, "operators", "id", [operator.id for operator in spec.operators])
    yield from _taken(at, "operators", "task_id", [operator.task_id for operator in spec.operators])
    yield from _taken(at, "artifacts", "id", [artifact.id for artifact in spec.artifacts])
    yield from _taken(at, "parameters", "name", [parameter.name for parameter in spec.parameters])
    yield from _edge_problems(spec)
    yield from _arity_problems(spec, at)
    yield from _view_problems(spec, at)
    yield from _artifact_problems(spec, at)
    yield from _parameter_problems(spec, at)
    yield from _after_problems(spec, at)
    yield from _cycles(spec, at)


def _taken(at: Locate, collection: str, field: str, names: Sequence[str]) -> Iterator[Problem]:
    """Find names that are there more than once where each must be unique."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        holder = first.setdefault(name, index)
        if holder != index:
            other = at(collection, holder, field)
            yield Problem(at(collection, index, field), f"'{name}' is already taken by {other}; rename one")


def _edge_problems(spec: WorkflowSpec) -> Iterator[Problem]:
    count = sum(len(operator.inputs) + len(operator.after) for operator in spec.operators)
    if count > _MAX_EDGES:
        message = f"its operators have {count} inputs and tasks to wait for; give them at most {_MAX_EDGES}"
        yield Problem("$", message)


def _arity_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    for index, operator in enumerate(spec.operators):
        least_in, most_in, least_out, most_out = _ARITY[operator.type]
        for field, names, least, most in (
            ("inputs", operator.inputs, least_in, most_in),
            ("outputs", operator.outputs, least_out, most_out),
        ):
            if len(names) < least or (most is not None and len(names) > most):
                wanted = f"exactly {most}" if least == most else f"at least {least}"
                noun = field.removesuffix("s") if least == 1 else field
                message = f"an operator of type {operator.type} has {wanted} {noun}, this one {len(names)}"
                yield Problem(at("operators", index, field), f"{message}; add or remove some")


def _view_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    for index, operator in enumerate(spec.operators):
        views = len(operator.code.views) if isinstance(operator, CallOperator) else 0
        if views > len(operator.inputs):
            message = f"there are {views} views for {len(operator.inputs)} inputs; remove some"
            yield Problem(at("operators", index, "code", "views"), message)


def _artifact_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    declared = {artifact.id for artifact in spec.artifacts}
    producers: dict[str, tuple[int, int]] = {}
    for index, operator in enumerate(spec.operators):
        for place, artifact in enumerate(operator.outputs):
            if artifact not in declared:
                here = at("operators", index, "outputs", place)
                yield Problem(here, f"no artifact has the id '{artifact}'; declare it in $.artifacts")
            other = producers.setdefault(artifact, (index, place))
            if other != (index, place):
                here = at("operators", index, "outputs", place)
                there = at("operators", other[0], "outputs", other[1])
                yield Problem(here, f"artifact '{artifact}' is already produced at {there}; rename one")
    for index, operator in enumerate(spec.operators):
        for place, artifact in enumerate(operator.inputs):
            # In the compiled dialect, compiled_names.py says so, and why.
            if artifact not in producers and spec.compiled is None:
                yield Problem(
                    at("operators", index, "inputs", place),
                    f"no task produces the artifact '{artifact}' that task '{operator.task_id}' reads; "
                    "add the task that writes it, or name another artifact",
                )


def _parameter_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    declared = Counter(parameter.name for parameter in spec.parameters)
    readers: dict[str, int] = {}
    for index, operator in enumerate(spec.operators):
        if not isinstance(operator, ParamOperator):
            continue
        name = operator.parameter
        if name not in declared:
            meant = suggestion(name, declared)
            hint = f"did you mean '{meant}'?" if meant else "declare it in $.parameters"
            here = at("operators", index, "parameter")
            yield Problem(here, f"no parameter has the name '{name}'; {hint}")
        elif readers.setdefault(name, index) != index and declared[name] == 1:
            there = at("operators", readers[name], "parameter")
            message = f"parameter '{name}' is already read at {there}; use the artifact of that operator"
            yield Problem(at("operators", index, "parameter"), message)
    for index, parameter in enumerate(spec.parameters):
        if parameter.name not in readers:
            yield Problem(at("parameters", index), "no param operator reads it; add one, or remove it")
    yield from _parameter_type_problems(spec, at)


def _parameter_type_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    types = {parameter.name: parameter.type for parameter in spec.parameters}
    places = {artifact.id: (index, artifact.type) for index, artifact in enumerate(spec.artifacts)}
    for operator in spec.operators:
        if not isinstance(operator, ParamOperator) or operator.parameter not in types:
            continue
        wanted = types[operator.parameter]
        for index, given in (places[artifact] for artifact in operator.outputs if artifact in places):
            if given not in (wanted, ArtifactType.UNTYPED):
                message = f"must be '{wanted.value}', the type of parameter '{operator.parameter}'"
                yield Problem(at("artifacts", index, "type"), message)


def _after_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    known = {operator.task_id for operator in spec.operators}
    for index, operator in enumerate(spec.operators):
        for place, name in enumerate(operator.after):
            if name not in known:
                meant = suggestion(name, known)
                hint = f"did you mean '{meant}'?" if meant else "name a task id of this spec"
                yield Problem(at("operators", index, "after", place), f"no task has the id '{name}'; {hint}")


def _cycles(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    position = {operator.task_id: index for index, operator in enumerate(spec.operators)}
    edges = upstream(spec)
    edges = {task: tuple(other for other in others if other in position) for task, others in edges.items()}
    if all(position[other] < position[task] for task, others in edges.items() for other in others):
        # Every task comes after all that it needs, as in most specs.
        return
    for _ in range(MAX_CYCLES):
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            cycle = _from_first(error.args[1][:-1], position)
            yield Problem(
                at("operators", position[cycle[0]]),
                f"these tasks wait for each other: {' -> '.join(cycle)}; remove one of the edges",
            )
            edges = {task: others for task, others in edges.items() if task not in cycle}
        else:
            return


def _from_first(cycle: list[str], position: dict[str, int]) -> list[str]:
    """Turn the cycle so that it begins and ends with the task that is first in the spec."""
    start = min(range(len(cycle)), key=lambda index: position[cycle[index]])
    return [*cycle[start:], *cycle[: start + 1]]
