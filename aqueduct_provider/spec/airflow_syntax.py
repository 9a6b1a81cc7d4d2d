"""Read the ``<flow>_airflow.py`` that the original wrote for Airflow. It is parsed, never run.

In: Python source in which one ``with DAG(...)`` holds tasks whose ``op_args`` are JSON pasted as Python, and
lines ``t0.set_downstream(t1)`` (Aqueduct formats, section 2). Out: its DAG, its tasks and their edges, with
their lines. Whatever would have to be computed is a problem: nothing that means something is skipped.
Messages name variables, keys and arguments, never values: they may be secrets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.compiled_facts import BASE_PACKAGES
from aqueduct_provider.spec.python_json import NAMES, is_text, json_value
from aqueduct_provider.spec.python_source import Unreadable, parse

_NO_DAG = "no `with DAG(...)` in it; name a <flow>_airflow.py, as the original's publish_flow wrote it"
_EDGES = ("set_downstream", "set_upstream")
# Statements that make no task and no edge.
_HARMLESS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Pass)
_START_DATE = [2022, 1, 1]
# Arguments of a DAG that have a meaning here, and those that every spec of the dialect has with these values.
_DAG_ARGUMENTS = frozenset(["dag_id", "schedule_interval", "schedule", "tags", "start_date"])
_FIXED: Mapping[str, Any] = {
    "default_args": {"retries": 0},
    "catchup": False,
    "is_paused_upon_creation": False,
}
# Arguments of a task that say how the original called its executor: operators have their own environments.
_TASK_ARGUMENTS = frozenset(
    "task_id op_args dag requirements python_callable python_version use_dill serializer "
    "system_site_packages string_args provide_context templates_exts".split()
)


@dataclass(frozen=True)
class DagFileTask:
    """A task of the file.

    :param spec: its TaskSpec.
    """

    task_id: str
    spec: dict[str, Any]
    line: int


@dataclass(frozen=True)
class Edge:
    """One task that waits for another one; both by task id."""

    before: str
    after: str
    line: int


@dataclass
class AirflowDag:
    """The contents of a file.

    :param schedule: cron, or empty.
    :param version_id: the ``workflow_dag_id``.
    :param ignored: argument that a spec cannot hold -> the lines where it is.
    """

    line: int
    dag_id: str = ""
    schedule: str = ""
    version_id: str = ""
    tasks: dict[str, DagFileTask] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    ignored: dict[str, list[int]] = field(default_factory=dict)


def read(data: bytes, source: str) -> AirflowDag:
    """Return what the Python file holds.

    :param source: the name that error messages give it.
    :raises SpecError: it is not a file of this shape; each problem has its line.
    """
    reader = _FileReader()
    try:
        reader.module(parse(data))
        if reader.dag is None:
            raise Unreadable(1, _NO_DAG)
        if not reader.problems and not reader.dag.tasks:
            raise Unreadable(reader.dag.line, "the DAG has no tasks; publish the flow again")
    except Unreadable as error:
        raise SpecError(source, [error.problem]) from None
    if reader.problems:
        raise SpecError(source, loader.bounded(reader.problems))
    return reader.dag


class _FileReader:
    """Reads statement after statement, as Python would run them; ``problems`` has what is wrong."""

    def __init__(self) -> None:
        self.dag: AirflowDag | None = None
        self.problems: list[Problem] = []
        # Variable -> id of the task in it; empty where the task could not be read.
        self._variables: dict[str, str] = {}
        # Variable before the DAG -> the list in it.
        self._lists: dict[str, ast.expr] = {}

    def module(self, tree: ast.Module) -> None:
        for statement in tree.body:
            call = _dag_call(statement)
            if call is not None:
                assert isinstance(statement, ast.With)
                self._block(call, statement)
            elif self.dag is not None and not _is_main(statement):
                self._guarded(self._statement, statement)
            elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self._lists[statement.targets[0].id] = statement.value

    def _block(self, call: ast.Call, block: ast.With) -> None:
        if self.dag is not None:
            first = f"after that of line {self.dag.line}"
            message = f"a second DAG, {first}; the original writes one in each file: split it"
            self.problems.append(Problem(f"line {call.lineno}", message))
            return
        self.dag = AirflowDag(call.lineno)
        self._guarded(self._dag, call)
        if len(block.items) > 1:
            message = "something next to the DAG in its `with`, which the original does not write; remove it"
            self.problems.append(Problem(f"line {call.lineno}", message))
        for statement in block.body:
            self._guarded(self._statement, statement)

    def _guarded(self, read: Any, node: Any) -> None:
        try:
            read(node)
        except Unreadable as error:
            self.problems.append(error.problem)

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=str(attribute))) as call) if (
                attribute in _EDGES
            ):
                self._method_edges(attribute, call)
            case ast.Expr(value=ast.BinOp(op=ast.RShift() | ast.LShift()) as chain):
                self._chain_edges(chain)
            case ast.Expr(value=ast.Call() as call):
                self._task("", call)
            case _ if isinstance(statement, _HARMLESS):
                pass
            case _:
                message = "the original writes no such statement in or after its DAG; remove it"
                raise Unreadable(statement.lineno, message)

    def _assign(self, name: str, value: ast.expr) -> None:
        if name in NAMES:
            if not (isinstance(value, ast.Constant) and value.value is NAMES[name]):
                raise Unreadable(value.lineno, f"'{name}' must be {NAMES[name]}; correct the assignment")
        elif isinstance(value, ast.Call):
            self._variables[name] = ""
            self._task(name, value)
        elif name in self._variables:
            raise Unreadable(value.lineno, f"'{name}' is a task already; rename the variable")

    # --- DAG

    def _dag(self, call: ast.Call) -> None:
        dag = self.dag
        assert dag is not None
        arguments = _arguments(call, positional="dag_id")
        dag.dag_id = _text(arguments, "dag_id", call)
        dag.schedule = _schedule(arguments, call)
        tags = json_value(arguments["tags"]) if "tags" in arguments else None
        if not isinstance(tags, list) or len(tags) < 2 or not isinstance(tags[1], str):
            message = "the DAG needs tags=['aqueduct', '<workflow_dag_id>']; restore them"
            raise Unreadable(call.lineno, message)
        dag.version_id = tags[1]
        if tags[0] != "aqueduct":
            self._ignore("the first tag", arguments["tags"].lineno)
        if len(tags) > 2:
            self._ignore("tags after the second", arguments["tags"].lineno)
        if "start_date" in arguments and not _is_start_date(arguments["start_date"]):
            self._ignore("start_date", arguments["start_date"].lineno)
        for name, node in arguments.items():
            if name not in _DAG_ARGUMENTS and not (name in _FIXED and _is_value(node, _FIXED[name])):
                self._ignore(name, node.lineno)

    def _ignore(self, name: str, line: int) -> None:
        assert self.dag is not None
        self.dag.ignored.setdefault(name, []).append(line)

    # --- tasks

    def _task(self, variable: str, call: ast.Call) -> None:
        assert self.dag is not None
        arguments = _arguments(call)
        if "task_id" not in arguments or "op_args" not in arguments:
            message = "not a task of the original: it needs task_id and op_args=[<its spec>]; remove it"
            raise Unreadable(call.lineno, message)
        task_id = _text(arguments, "task_id", call)
        if variable:
            self._variables[variable] = task_id
        if task_id in self.dag.tasks:
            there = self.dag.tasks[task_id].line
            message = f"line {there} has a task of this id already; rename or remove one"
            raise Unreadable(call.lineno, message, task_id)
        self.dag.tasks[task_id] = DagFileTask(task_id, {}, call.lineno)
        spec = self._spec(task_id, arguments["op_args"])
        self.dag.tasks[task_id] = DagFileTask(task_id, spec, call.lineno)
        for name, node in arguments.items():
            if name not in _TASK_ARGUMENTS or (name == "requirements" and not self._are_usual(node)):
                self._ignore(name, node.lineno)

    def _are_usual(self, requirements: ast.expr) -> bool:
        """Check that a task's requirements are packages of the original, without versions."""
        if isinstance(requirements, ast.Name):
            requirements = self._lists.get(requirements.id, requirements)
        try:
            return set(json_value(requirements)) <= set(BASE_PACKAGES)
        except (Unreadable, TypeError):
            return False

    @staticmethod
    def _spec(task_id: str, node: ast.expr) -> dict[str, Any]:
        if not (isinstance(node, ast.List) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Dict)):
            message = "op_args must be a list of one dict, the task's spec, written out; restore it"
            raise Unreadable(node.lineno, message, task_id)
        try:
            spec: dict[str, Any] = json_value(node.elts[0])
        except Unreadable as error:
            raise Unreadable(error.line, error.message, task_id) from None
        return spec

    # --- edges

    def _method_edges(self, method: str, call: ast.Call) -> None:
        assert isinstance(call.func, ast.Attribute)
        if len(call.args) != 1 or call.keywords:
            raise Unreadable(call.lineno, f"{method} takes one task, or a list of tasks; correct it")
        left, right = call.func.value, call.args[0]
        self._edges(left, right) if method == "set_downstream" else self._edges(right, left)

    def _chain_edges(self, chain: ast.BinOp) -> None:
        """Read ``a >> b >> c``: a chain leans to the left, and its value is its last part."""
        links: list[tuple[ast.expr, ast.expr]] = []
        left: ast.expr = chain
        while isinstance(left, ast.BinOp):
            if not isinstance(left.op, ast.RShift | ast.LShift):
                raise Unreadable(left.lineno, "an edge must join variables of tasks: t0 >> t1; correct it")
            last, rest = left.right, left.left
            first = rest.right if isinstance(rest, ast.BinOp) else rest
            links.append((first, last) if isinstance(left.op, ast.RShift) else (last, first))
            left = rest
        for before, after in reversed(links):
            self._edges(before, after)

    def _edges(self, before: ast.expr, after: ast.expr) -> None:
        assert self.dag is not None
        for one in self._tasks_in(before):
            for other in self._tasks_in(after):
                if one and other:
                    self.dag.edges.append(Edge(one, other, before.lineno))

    def _tasks_in(self, node: ast.expr) -> Iterator[str]:
        for one in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
            if not isinstance(one, ast.Name):
                message = "an edge must join variables of tasks: t0.set_downstream(t1); correct it"
                raise Unreadable(one.lineno, message)
            if one.id not in self._variables:
                raise Unreadable(one.lineno, f"'{one.id}' is not a task of this file; correct the edge")
            yield self._variables[one.id]


def _dag_call(statement: ast.stmt) -> ast.Call | None:
    """Return the call of ``with DAG(...)``, if the statement is one."""
    if not isinstance(statement, ast.With):
        return None
    calls = (item.context_expr for item in statement.items)
    return next((one for one in calls if isinstance(one, ast.Call) and _called(one) == "DAG"), None)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _arguments(call: ast.Call, positional: str = "") -> dict[str, ast.expr]:
    """Return the arguments of a call by name.

    :param positional: the name of the only one that may be given without it.
    """
    if len(call.args) > bool(positional) or any(one.arg is None for one in call.keywords):
        raise Unreadable(call.lineno, "its arguments must be written out by name; correct the call")
    arguments = {one.arg: one.value for one in call.keywords if one.arg}
    return arguments | ({positional: call.args[0]} if call.args else {})


def _text(arguments: Mapping[str, ast.expr], name: str, call: ast.Call) -> str:
    node = arguments.get(name)
    if node is None or not is_text(node):
        raise Unreadable(node.lineno if node else call.lineno, f"{name} must be text, in quotes; restore it")
    return str(json_value(node))


def _schedule(arguments: Mapping[str, ast.expr], call: ast.Call) -> str:
    given = [arguments[name] for name in ("schedule_interval", "schedule") if name in arguments]
    if len(given) != 1:
        message = "the DAG needs one schedule_interval: None, or a cron string; restore it"
        raise Unreadable(call.lineno, message)
    if isinstance(given[0], ast.Constant) and given[0].value is None:
        return ""
    if not is_text(given[0]):
        message = "schedule_interval must be None or a cron string; the dialect has no other schedules"
        raise Unreadable(given[0].lineno, message)
    return str(json_value(given[0]))


def _is_start_date(node: ast.expr) -> bool:
    """Check for ``datetime(2022, 1, 1, ...)``."""
    parts = node.args if isinstance(node, ast.Call) else []
    return [part.value for part in parts[:3] if isinstance(part, ast.Constant)] == _START_DATE


def _is_main(statement: ast.stmt) -> bool:
    """Check for ``if __name__ == "__main__":``, which Airflow does not run."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"


def _is_value(node: ast.expr, value: Any) -> bool:
    try:
        return bool(json_value(node) == value)
    except Unreadable:
        return False
