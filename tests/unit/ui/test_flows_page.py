from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from aqueduct_provider.ui.flows_page import flows_page
from tests.support.airflow_rows import START, AirflowRows
from tests.support.flow_rows import add_churn, add_run, attributes, manifest, operator_json


def names(page: Any) -> list[str]:
    """The DAG ids of the list, in its order."""
    return re.findall(r'href="/aqueduct/dags/([^"?/]+)"', page.body.decode())


def test_only_what_may_be_read_is_listed(rows: AirflowRows, visit: Any) -> None:
    rows.dag("churn", name="Churn & <b>")
    rows.dag("secret")
    text = flows_page(visit(readable={"churn"})).body.decode()
    assert "Churn &amp; &lt;b&gt;" in text
    assert "secret" not in text


def test_a_flow_at_a_glance(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    add_run(rows, 0.5)
    add_run(rows, 0.75, good="warning")
    rows.run("churn", state="running")
    text = flows_page(visit()).body.decode()
    assert '<span class="badge running">running</span>' in text
    # Of the last run that has any.
    assert '<span class="badge warning">warning</span>' in text
    assert "<strong>0.75</strong>" in text
    assert "auc, 2 values: last 0.75, lowest 0.5, highest 0.75" in text
    assert "ada" in text


def test_the_last_run_is_one_click_away(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    for run_id in ("first", "what? 1"):
        rows.run("churn", run_id)
    rows.dag("other", name="Never ran")
    text = flows_page(visit()).body.decode()
    assert re.findall(r'href="([^"]+/runs/[^"]+)"', text) == ["/aqueduct/dags/churn/runs/what%3F%201"]
    framed = flows_page(visit(query={"frame": "1"})).body.decode()
    assert 'href="/aqueduct/dags/churn/runs/what%3F%201?frame=1"' in framed


@pytest.mark.parametrize(("count", "folded", "has_link"), [(3, 0, False), (5, 2, False), (40, 37, True)])
def test_all_metrics_can_be_reached(
    rows: AirflowRows, visit: Any, count: int, folded: int, has_link: bool
) -> None:
    many = [operator_json(f"m{number:02}", "metric") for number in range(count)]
    # One that has no values yet.
    rows.dag("churn", attributes([*many, operator_json("never", "metric")]))
    run_id = rows.run("churn")
    for number, one in enumerate(many):
        rows.task("churn", run_id, one["task_id"], manifest(number))
    text = flows_page(visit()).body.decode()
    first, _, rest = text.partition("<details>")
    assert first.count('class="metric"') == 3
    assert rest.count('class="metric"') == min(30, folded)
    assert (f"<summary>{folded} more</summary>" in rest) is bool(folded)
    assert ("All on the page of the flow" in rest) is has_link
    assert "never" not in text


def test_values_are_for_those_who_may_read_xcoms(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    add_run(rows, 0.75)
    text = flows_page(visit(may_read_values=lambda _: False)).body.decode()
    assert "0.75" not in text
    assert "passed" not in text
    assert "succeeded" in text


def test_many_flows_are_a_few_queries_and_several_pages(rows: AirflowRows, visit: Any) -> None:
    ids = [f"flow_{n:03}" for n in range(60)]
    for dag_id in ids:
        add_churn(rows, dag_id, name=dag_id)
    add_run(rows, 1, dag_id="flow_000")
    rows.queries.clear()
    page = flows_page(visit(readable=set(ids)))
    assert names(page) == ids[:25]
    assert len(rows.queries) == 4
    assert "Page 1 of 3" in page.body.decode()
    last = flows_page(visit(readable=set(ids), query={"page": "3", "sort": "last"}))
    assert len(names(last)) == 10
    assert len(flows_page(visit(readable=set(ids), query={"page": "99"})).body) > 1000


def test_search(rows: AirflowRows, visit: Any) -> None:
    rows.dag("churn", name="Who leaves", owners="ada")
    rows.dag("other", name="Sales", owners="bob")
    for wanted, found in (("LEAVES", ["churn"]), ("bob", ["other"]), ("churn", ["churn"]), ("x<y", [])):
        assert names(flows_page(visit(query={"q": wanted}))) == found
    assert "x&lt;y" in flows_page(visit(query={"q": "x<y"})).body.decode()
    assert "no flows that you may read" in flows_page(visit(readable=set())).body.decode()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", "abc"),
        ("owner", "cba"),
        ("next", "bac"),
        ("last", "cab"),
        ("state", "acb"),
        ("nonsense", "abc"),
    ],
)
def test_orders(rows: AirflowRows, visit: Any, sort: str, order: str) -> None:
    for dag_id, owner, days in (("a", "z", 2), ("b", "y", 1), ("c", "x", None)):
        when = None if days is None else START + timedelta(days=days)
        rows.dag(dag_id, owners=owner, next_dagrun_create_after=when)
    rows.run("a", state="failed")
    rows.run("c", state="success")
    assert names(flows_page(visit(readable=set("abc"), query={"sort": sort}))) == list(order)
