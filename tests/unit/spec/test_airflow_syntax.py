"""What the Python file that the original wrote for Airflow holds, and what is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.airflow_syntax import AirflowDag, DagFileTask, read

VERSION = "5f0c1a8e-3b7d-4c52-9e61-2a4d8f7b6c10"
# Lines 1 to 3; tasks begin at line 4.
HEAD = f"""\
from airflow import DAG
with DAG(dag_id='d', schedule_interval=None, tags=['aqueduct', '{VERSION}']) as dag:
    null = None
"""
TASKS = """\
    t0 = PythonVirtualenvOperator(task_id='a', op_args=[{"x": null}])
    t1 = PythonVirtualenvOperator(task_id='b', op_args=[{}])
    t2 = PythonVirtualenvOperator(task_id='c', op_args=[{}])
"""


def dag_of(source: str) -> AirflowDag:
    return read(source.encode(), "x.py")


def problems_of(source: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        read(source if isinstance(source, bytes) else source.encode(), "x.py")
    assert caught.value.source == "x.py"
    return [(problem.path, problem.message) for problem in caught.value.problems]


def edges_of(lines: str) -> list[tuple[str, str]]:
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    return [(edge.before, edge.after) for edge in dag_of(HEAD + TASKS + body).edges]


def test_a_file_of_the_shape() -> None:
    dag = dag_of(HEAD + TASKS + "    t0.set_downstream(t1)\n")
    assert (dag.line, dag.dag_id, dag.schedule, dag.version_id) == (2, "d", "", VERSION)
    assert list(dag.tasks.values()) == [
        DagFileTask("a", {"x": None}, 4),
        DagFileTask("b", {}, 5),
        DagFileTask("c", {}, 6),
    ]
    assert [(edge.before, edge.after, edge.line) for edge in dag.edges] == [("a", "b", 7)]
    assert dag.ignored == {}


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    effect = f"open({str(mark)!r}, 'w')"
    source = f"""\
{effect}
import aqueduct_provider.no_such_module
class C:
    {effect}
def f(x={effect}):
    {effect}
CALLS = [{effect} for x in [1]]
assert {effect}
{HEAD}{TASKS}
def g(x={effect}):
    {effect}
"""
    assert list(dag_of(source).tasks) == ["a", "b", "c"]
    problems = problems_of(f"{HEAD}{TASKS}    t3 = Operator(task_id='e', op_args=[{{'x': {effect}}}])\n")
    assert [path for path, _ in problems] == ["line 7, task 'e'"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("lines", "edges"),
    [
        ("t0.set_downstream(t1)\nt0.set_downstream(t1)", [("a", "b"), ("a", "b")]),
        ("t0.set_downstream([t1, t2])", [("a", "b"), ("a", "c")]),
        ("t2.set_upstream((t0, t1))", [("a", "c"), ("b", "c")]),
        ("t0 >> t1 >> t2", [("a", "b"), ("b", "c")]),
        ("t0 >> [t1, t2]", [("a", "b"), ("a", "c")]),
        ("t2 << t1 << t0", [("b", "c"), ("a", "b")]),
        ("t0 >> t2 << t1", [("a", "c"), ("b", "c")]),
        ("", []),
    ],
)
def test_edges(lines: str, edges: list[tuple[str, str]]) -> None:
    assert edges_of(lines) == edges


def test_edges_may_stand_behind_the_block_of_the_dag() -> None:
    dag = dag_of(HEAD + TASKS + "t0.set_downstream(t1)\n")
    assert [(edge.before, edge.after) for edge in dag.edges] == [("a", "b")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("t0.set_downstream(t9)", "'t9' is not a task of this file; correct the edge"),
        ("t9 >> t0", "'t9' is not a task of this file; correct the edge"),
        ("t0.set_downstream(f())", "an edge must join variables of tasks"),
        ("t0.set_downstream(t1, t2)", "set_downstream takes one task, or a list of tasks"),
        ("t0.set_downstream(task_or_task_list=t1)", "set_downstream takes one task, or a list of tasks"),
        ("t0 >> t1 + t2", "an edge must join variables of tasks"),
        ("(t0 | t1) >> t2", "an edge must join variables of tasks"),
        ("for t in [t1]: t0.set_downstream(t)", "the original writes no such statement in or after"),
        ("if True: t0.set_downstream(t1)", "the original writes no such statement in or after"),
        ("del t0", "the original writes no such statement in or after"),
        ("t0, t1 = t1, t0", "the original writes no such statement in or after"),
        ("t0 = 1", "'t0' is a task already"),
        ("chain(t0, t1)", "its arguments must be written out by name"),
        ("f()", "not a task of the original: it needs task_id and op_args"),
        ("null = 0", "'null' must be None"),
        ("true = False", "'true' must be True"),
        ("false = f()", "'false' must be False"),
    ],
)
def test_other_statements_are_refused(line: str, message: str) -> None:
    ((path, found),) = problems_of(f"{HEAD}{TASKS}    {line}\n")
    assert path == "line 7"
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "place", "message"),
    [
        ("task_id='a'", "line 4", "not a task of the original"),
        ("op_args=[{}]", "line 4", "not a task of the original"),
        ("'a', op_args=[{}]", "line 4", "its arguments must be written out by name"),
        ("op_args=[{}], **more", "line 4", "its arguments must be written out by name"),
        ("task_id=name, op_args=[{}]", "line 4", "task_id must be text, in quotes"),
        ("task_id=1, op_args=[{}]", "line 4", "task_id must be text, in quotes"),
        ("task_id='a', op_args=[]", "line 4, task 'a'", "op_args must be a list of one dict"),
        ("task_id='a', op_args=[{}, {}]", "line 4, task 'a'", "op_args must be a list of one dict"),
        ("task_id='a', op_args=[spec()]", "line 4, task 'a'", "op_args must be a list of one dict"),
        ("task_id='a', op_args=[*a]", "line 4, task 'a'", "op_args must be a list of one dict"),
        ("task_id='a', op_args=args", "line 4, task 'a'", "op_args must be a list of one dict"),
        ("task_id='a', op_args=[{'x':\n f()}]", "line 5, task 'a'", "a function call instead of a value"),
        ("task_id='a', op_args=[{'x': 1, 'x': 2}]", "line 4, task 'a'", "the key 'x' is here more"),
    ],
)
def test_tasks_that_are_refused(arguments: str, place: str, message: str) -> None:
    ((path, found),) = problems_of(f"{HEAD}    t0 = Operator({arguments})\n    t1 = t0.output\n")
    assert path == place
    assert found.startswith(message)


def test_a_task_id_stands_once() -> None:
    problems = problems_of(HEAD + TASKS + "    t3 = Operator(task_id='b', op_args=[{}])\n")
    assert problems == [("line 7, task 'b'", "line 5 has a task of this id already; rename or remove one")]


def test_a_task_without_a_variable() -> None:
    dag = dag_of(f"{HEAD}    Operator(task_id='a', op_args=[{{}}])\n")
    assert (list(dag.tasks), dag.edges) == (["a"], [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("schedule_interval=None", "dag_id must be text"),
        ("dag_id=name, schedule_interval=None", "dag_id must be text"),
        ("dag_id='d'", "the DAG needs one schedule_interval"),
        ("dag_id='d', schedule_interval=None, schedule=None", "the DAG needs one schedule_interval"),
        (
            "dag_id='d', schedule_interval=timedelta(days=1)",
            "schedule_interval must be None or a cron string",
        ),
        ("dag_id='d', schedule_interval=null", "schedule_interval must be None or a cron string"),
        ("dag_id='d', schedule_interval=None, **more", "its arguments must be written out by name"),
        ("dag_id='d', schedule_interval=None, tags=['aqueduct']", "the DAG needs tags="),
        ("dag_id='d', schedule_interval=None, tags=['aqueduct', 1]", "the DAG needs tags="),
        ("dag_id='d', schedule_interval=None, tags='aqueduct'", "the DAG needs tags="),
        ("dag_id='d', schedule_interval=None, tags=tags()", "a function call instead of a value"),
        ("dag_id='d', schedule_interval=None", "the DAG needs tags="),
    ],
)
def test_dags_that_are_refused(arguments: str, message: str) -> None:
    ((path, found),) = problems_of(f"with models.DAG({arguments}) as dag:\n{TASKS}")
    assert path == "line 1"
    assert found.startswith(message)


@pytest.mark.parametrize("name", ["schedule_interval", "schedule"])
def test_a_cron_schedule(name: str) -> None:
    source = f"with DAG('d', {name}='0 ' '6 * * *', tags=['aqueduct', 'v']):\n{TASKS}"
    assert (dag_of(source).dag_id, dag_of(source).schedule) == ("d", "0 6 * * *")


def test_what_a_spec_has_no_place_for() -> None:
    source = """\
with DAG(dag_id='d', schedule_interval=None, default_args={'retries': 3}, start_date=datetime(2023, 1, 1),
         catchup=True, is_paused_upon_creation=False, max_active_runs=f(), tags=['mine', 'v', 'mine']):
    t0 = Operator(task_id='a', op_args=[{}], retries=2, requirements=VENV, python_callable=f, use_dill=True)
    t1 = Operator(task_id='b', op_args=[{}], retries=2, pool='p')
"""
    assert dag_of(source).ignored == {
        "the first tag": [2],
        "tags after the second": [2],
        "start_date": [1],
        "default_args": [1],
        "catchup": [2],
        "max_active_runs": [2],
        "retries": [3, 4],
        "requirements": [3],
        "pool": [4],
    }


@pytest.mark.parametrize(
    ("requirements", "ignored"),
    [
        ("['aqueduct-ml', 'pandas']", False),
        ("LIST", False),
        ("['aqueduct-ml', 'xgboost==1.7']", True),
        ("['pandas==1.4']", True),
        ("OTHERS", True),
        ("f()", True),
        ("[1]", True),
        ("5", True),
    ],
)
def test_requirements_of_tasks_that_the_original_did_not_write(requirements: str, ignored: bool) -> None:
    source = f"""\
LIST = ["aqueduct-ml", "boto3"]
OTHERS = ["aqueduct-ml", "torch"]
with DAG(dag_id='d', schedule_interval=None, tags=['aqueduct', 'v']):
    t0 = Operator(task_id='a', op_args=[{{}}], requirements={requirements})
"""
    assert dag_of(source).ignored == ({"requirements": [4]} if ignored else {})


@pytest.mark.parametrize(
    "statement",
    [
        "BashOperator(task_id='x', bash_command='true', dag=dag)",
        "extra = BashOperator(task_id='x', dag=dag)",
        "dag.get_task('a') >> dag.get_task('b')",
        "dag.schedule_interval = '@daily'",
        "del dag.task_dict['a']",
        "connect()",
        "with dag:\n    pass",
        "for task in dag.tasks:\n    pass",
    ],
)
def test_statements_after_the_dag_are_not_skipped(statement: str) -> None:
    ((place, _),) = problems_of(f"{HEAD}{TASKS}{statement}\n")
    assert place == "line 7"


def test_what_airflow_does_not_run_may_follow() -> None:
    rest = "'text'\ndef f():\n    t0 >> t2\nif __name__ == '__main__':\n    dag.test()\nt0 >> t1\n"
    assert [(edge.before, edge.after) for edge in dag_of(HEAD + TASKS + rest).edges] == [("a", "b")]


def test_a_with_of_more_than_the_dag() -> None:
    source = f"with DAG('d', schedule=None, tags=['aqueduct', 'v']) as dag, TaskGroup('g'):\n{TASKS}"
    ((place, message),) = problems_of(source.replace("null", "None"))
    assert (place, message.split(",")[0]) == ("line 1", "something next to the DAG in its `with`")


def test_every_problem_is_found() -> None:
    source = """\
with DAG() as dag:
    t0 = f()
    t1 = Operator(task_id='a', op_args=[])
    t0 >> t1
    x.y()
"""
    assert [path for path, _ in problems_of(source)] == ["line 1", "line 2", "line 3, task 'a'", "line 5"]


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"x = 1\n", "line 1", "no `with DAG(...)` in it;"),
        (b"dag = DAG('d')\n", "line 1", "no `with DAG(...)` in it;"),
        (b"with open('x') as file:\n    pass\n", "line 1", "no `with DAG(...)` in it;"),
        (b"x = 1\ny = (\n", "line 2", "not valid Python: '(' was never closed;"),
        (HEAD.encode(), "line 2", "the DAG has no tasks;"),
        ((HEAD + TASKS + HEAD + TASKS).encode(), "line 8", "a second DAG, after that of line 2;"),
    ],
)
def test_files_of_another_shape(data: bytes, place: str, message: str) -> None:
    ((path, found),) = problems_of(data)
    assert path == place
    assert found.startswith(message)


def test_a_byte_order_mark_and_odd_escapes_are_read() -> None:
    source = HEAD + "    t0 = Operator(task_id='a', op_args=[{'x': 'a\\d'}])\n"
    assert read(b"\xef\xbb\xbf" + source.encode(), "x.py").tasks["a"].spec == {"x": "a\\d"}


@pytest.mark.parametrize(
    "spec", ["{'p': 'planted', 'p': 1}", "{'p': f('planted')}", "{'p': 'a' + 'planted'}"]
)
def test_messages_hold_no_values(spec: str) -> None:
    ((path, message),) = problems_of(f"{HEAD}    t0 = Operator(task_id='a', op_args=[{spec}])\n")
    assert path == "line 4, task 'a'"
    assert "planted" not in message


def test_a_file_that_is_wrong_everywhere_is_cut_short() -> None:
    problems = problems_of(HEAD + TASKS + "    del t0\n" * 300)
    assert len(problems) == 201
    assert problems[-1] == ("$", "more problems than these were found; fix these first")
