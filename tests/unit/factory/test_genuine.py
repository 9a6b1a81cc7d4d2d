"""Specs that the original's server emitted, as DAGs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider import DagFactory
from aqueduct_provider.errors import SpecError
from tests.genuine import COLLIDING, FOLDER, RUNNABLE, path_of

Serialize = Callable[[Any], dict[str, Any]]


@pytest.mark.parametrize("name", RUNNABLE)
def test_nothing_that_users_see_is_a_machine_name(name: str, serialized: Serialize) -> None:
    dag = DagFactory.dag_from(path_of(name))
    texts = [dag.dag_display_name, *(task.task_display_name for task in dag.tasks), *dag.params]
    assert "-operator-" not in " ".join(texts)
    assert "-operator-" not in str(serialized(dag))


def test_names_of_flow_tasks_and_parameters() -> None:
    dag = DagFactory.dag_from(path_of("params"))
    assert (dag.dag_id, dag.dag_display_name) == ("Parameters", "Parameters")
    assert {task.task_display_name for task in dag.tasks} >= {"use", "implicit", "number", "list_of_values"}
    assert list(dag.params) == [
        "flag",
        "implicit_x",
        "implicit_y",
        "json_text",
        "list_of_values",
        "number",
        "pair",
        "raw",
        "settings",
        "table_param",
        "word",
    ]
    assert dag.task_dict["use"].upstream_task_ids == {*dag.params} - {"implicit_x", "implicit_y"}


def test_names_of_bytes_beyond_ascii() -> None:
    dag = DagFactory.dag_from(path_of("odd_names"))
    assert dag.dag_id == "__n__code_flow_______100_"
    assert dag.task_dict["100_"].upstream_task_ids == {"m__trique_n___1_____"}


def test_an_edge_for_each_artifact_is_one_dependency() -> None:
    dag = DagFactory.dag_from(path_of("multi_output"))
    assert dag.task_dict["join"].upstream_task_ids == {"two", "divide"}


def test_a_lost_save_stands_in_the_docs() -> None:
    dag = DagFactory.dag_from(path_of("sql"))
    assert "the result of task 'summary' is not saved" in (dag.doc_md or "")


def test_the_colliding_one_is_refused_and_shown() -> None:
    with pytest.raises(SpecError, match="became the task id 'Load_data_'"):
        DagFactory.dag_from(path_of(COLLIDING))
    dags = DagFactory.dags_in(FOLDER)
    assert {"Parameters", "Multi_output", "SQL_on_SQLite", "__n__code_flow_______100_"} <= dags.keys()
    (broken,) = [dag for dag in dags.values() if "broken spec" in dag.tags]
    assert "became the task id 'Load_data_'" in " ".join((broken.doc_md or "").split())
