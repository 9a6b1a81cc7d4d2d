from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import NotFound
from aqueduct_provider.ui.task_page import newest_task_page, task_page
from tests.support.airflow_rows import AirflowRows
from tests.support.flow_rows import attributes, manifest, operator_json
from tests.support.played_runs import DAG, Played


def text_of(visit: Any, run_id: str, task_id: str, **query: str) -> str:
    path = f"/dags/{DAG}/runs/{run_id}/tasks/{task_id}"
    page = task_page(visit(path, names={"run_id": run_id, "task_id": task_id}, query=query))
    text: str = page.body.decode()
    return text


def test_a_task_that_succeeded(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    # As Airflow leaves it where a task is not mapped.
    text = text_of(visit, played.run_id, "wines", map_index="{MAP_INDEX}")
    # What it printed, what it wrote and read, its code.
    assert "making rows" in text
    assert "3 of 3 rows" in text
    assert 'aria-label="rows"' in text
    assert "def predict(rows):" in text
    assert "sha256" in text
    assert "max memory" in text
    assert "&lt;b&gt;red&lt;/b&gt;" in text
    assert "<b>red" not in text
    assert "requirements" in text.lower()
    assert "<dt>Environment</dt><dd>the worker&#39;s own Python</dd>" in text


def test_a_task_that_failed(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    text = text_of(visit, played.run_id, "broken")
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in text
    assert "before \ufffd" in text
    assert "Not written." in text


def test_bytes_are_shown_as_numbers(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    assert "00000000  00 01 02 03" in text_of(visit, played.run_id, "raw")


def test_a_secret_is_not_shown(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    text = text_of(visit, played.run_id, "api_password")
    assert "Hidden: its name is that of a secret." in text
    # Its code is.
    assert text.count("hunter2") == text.count("return &#39;hunter2&#39;") == 1


def test_the_operators_of_one_task(rows: AirflowRows, visit: Any) -> None:
    one, two, three = (operator_json(name, "function") for name in ("one", "two", "three"))
    facts = attributes([one])
    facts["one"]["operators"] = [one, two, three]
    rows.dag(DAG, {"group": facts["one"]})
    run_id = rows.run(DAG, state="failed")
    left = {"version": 1, "operators": {"one": manifest(seconds=2.5)}}
    rows.task(DAG, run_id, "group", left, state="failed", key="aqueduct_left")
    text = text_of(visit, run_id, "group")
    assert "Task group: 3 operators" in text
    for name, outcome in (("one", "succeeded"), ("two", "failed"), ("three", "canceled")):
        assert f'<h2>{name} <span class="badge {outcome}">{outcome}</span></h2>' in text
        assert f'id="{name}"' in text
    assert "2.5 s" in text


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"environment": "1a2b3c4d5e6f", "build_seconds": 4.2}, "1a2b3c4d5e6f, built in 4.2 s"),
        ({"environment": "1a2b3c4d5e6f"}, "1a2b3c4d5e6f, was built before"),
        ({"environment": "worker"}, "the worker&#39;s own Python"),
        ({"environment": "<b>"}, "&lt;b&gt;, was built before"),
    ],
)
def test_the_environment_that_it_ran_in(
    rows: AirflowRows, visit: Any, facts: dict[str, Any], shown: str
) -> None:
    rows.dag(DAG, attributes([operator_json("one", "function")]))
    run_id = rows.run(DAG)
    rows.task(DAG, run_id, "one", manifest(**facts))
    assert f"<dt>Environment</dt><dd>{shown}</dd>" in text_of(visit, run_id, "one")


def test_a_long_group_is_paged(rows: AirflowRows, visit: Any) -> None:
    many = [operator_json(f"step {number}", "function") for number in range(25)]
    facts = attributes(many[:1])
    facts["step_0"]["operators"] = many
    rows.dag(DAG, {"group": facts["step_0"]})
    run_id = rows.run(DAG)
    rows.task(DAG, run_id, "group")
    first, last = text_of(visit, run_id, "group"), text_of(visit, run_id, "group", page="3")
    assert (first.count('<section class="operator"'), last.count('<section class="operator"')) == (10, 5)


def test_without_a_run_it_is_the_newest(rows: AirflowRows, visit: Any) -> None:
    def newest() -> str:
        page = newest_task_page(visit(f"/dags/{DAG}/tasks/one", names={"task_id": "one"}))
        text: str = page.body.decode()
        return text

    rows.dag(DAG, attributes([operator_json("one", "function")]))
    with pytest.raises(NotFound, match="has not run yet"):
        newest()
    for run_id in ("first", "second"):
        rows.run(DAG, run_id)
        rows.task(DAG, run_id, "one", manifest())
    assert f'/aqueduct/dags/{DAG}/runs/second"' in newest()


def test_a_task_without_operators_shows_its_run(rows: AirflowRows, visit: Any) -> None:
    """Airflow's page of an asset event leads to the task that made it: the last one of the flow."""
    rows.dag(DAG, {**attributes([operator_json("one", "function")]), "flow_succeeded": None})
    run_id = rows.run(DAG)
    for task_id in ("one", "flow_succeeded"):
        rows.task(DAG, run_id, task_id, manifest() if task_id == "one" else None)
    text = text_of(visit, run_id, "flow_succeeded")
    assert f'<span aria-current="page">{run_id}</span>' in text
    assert 'href="/aqueduct/dags/' + DAG + "/runs/" + run_id + '/tasks/one#one"' in text
    page = newest_task_page(visit(f"/dags/{DAG}/tasks/x", names={"task_id": "flow_succeeded"}))
    assert page.body.decode() == text


def test_what_is_not_there(rows: AirflowRows, visit: Any) -> None:
    rows.dag(DAG, attributes([operator_json("one", "function")]))
    run_id = rows.run(DAG)
    with pytest.raises(NotFound, match="has no task 'two'"):
        text_of(visit, run_id, "two")
    rows.dag("other", {"bash": None}, tags=[])
    page = task_page(visit("/dags/other/runs/x/tasks/y", names={"run_id": "x", "task_id": "y"}))
    assert "not a flow of Aqueduct" in page.body.decode()
