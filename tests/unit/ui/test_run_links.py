from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact
from aqueduct_provider.spec.dag_facts import DagFacts
from aqueduct_provider.ui.request_reads import RequestReads
from aqueduct_provider.ui.run_links import RunLinks, picture
from aqueduct_provider.ui.shown_run import read_run
from tests.support.airflow_rows import AirflowRows
from tests.support.flow_rows import attributes, operator_json
from tests.support.played_runs import DAG


def test_addresses_of_ids_of_any_kind(visit: Any) -> None:
    links = RunLinks(visit(f"/dags/{DAG}", root="/air/aqueduct", query={"frame": "1"}), "a/b+c?#")
    run = "/air/aqueduct/dags/churn/runs/a%2Fb%2Bc%3F%23"
    assert links.run() == f"{run}?frame=1"
    assert links.run(page=2) == f"{run}?page=2&frame=1"
    assert links.flow() == "/air/aqueduct/dags/churn?frame=1"
    artifact = ShownArtifact("p/q", "n", "table")
    assert links.body(artifact, download=1) == f"{run}/artifacts/p%2Fq?download=1&frame=1"


def drawn(rows: AirflowRows, visit: Any, *operators: dict[str, Any]) -> tuple[str, list[str]]:
    rows.dag(DAG, attributes(operators))
    run_id = rows.run(DAG)
    facts = rows.database.facts([DAG])[DAG]
    assert isinstance(facts, DagFacts)
    run = read_run(rows.database, DAG, run_id, facts, RequestReads())
    text = str(picture(run, RunLinks(visit(f"/dags/{DAG}"), run_id)))
    root = ElementTree.fromstring(text) if text else ElementTree.Element("none")
    return text, [one.get("href", "") for one in root.iter("{http://www.w3.org/2000/svg}a")]


def test_the_graph_leads_to_tasks(rows: AirflowRows, visit: Any) -> None:
    first = operator_json("first", "function")
    second = operator_json("second <b>", "sort of", inputs=["first artifact", "unknown"])
    text, links = drawn(rows, visit, first, second)
    assert links == [
        "/aqueduct/dags/churn/runs/run-1/tasks/first#first",
        "/aqueduct/dags/churn/runs/run-1/tasks/second_%3Cb%3E#second_%3Cb%3E",
    ]
    assert "<title>first artifact</title>" in text
    assert "style=" not in text
    assert 'class="graph fits"' in text
    assert "<b>" not in text


def test_a_wide_graph_scrolls(rows: AirflowRows, visit: Any) -> None:
    chain = [
        operator_json(f"o{number}", "function", inputs=[f"o{number - 1} artifact"] if number else [])
        for number in range(20)
    ]
    assert 'class="graph"' in drawn(rows, visit, *chain)[0]


def test_a_graph_that_cannot_be_drawn(rows: AirflowRows, visit: Any) -> None:
    loop = operator_json("loop", "function", inputs=["loop artifact"])
    assert drawn(rows, visit, loop)[0] == ""
