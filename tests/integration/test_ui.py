"""The pages inside a real Airflow: who sees them, and what they show of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import aqueduct_provider.sdk as aq
from tests.integration import shown_flow
from tests.integration.flow_place import SEEN_SECONDS
from tests.integration.stack import MAJOR, AirflowStack

WAIT = 120
# Airflow 2.11 leads whoever is not logged in to its login; 3 does that for the pages of a browser alone.
REFUSED = 401 if MAJOR == 3 else 302


@aq.metric(requirements=[], output="score")
def score(weight: float) -> float:
    return weight * 0.75


@aq.check(requirements=[], severity="warning")
def high(score: float) -> bool:
    return score > 1.75


@pytest.fixture
def run(client: aq.Client) -> aq.Run:
    """A run of a flow whose check warns."""
    value = score(client.create_param("weight", default=2.25))
    flow = client.publish_flow("shown in pages", artifacts=[value, high(value)], wait=SEEN_SECONDS)
    run = client.trigger(flow.id())
    assert run.wait(WAIT, progress=False) == aq.ExecutionStatus.SUCCEEDED
    return run


@pytest.fixture
def nobody(airflow: AirflowStack) -> Iterator[httpx.Client]:
    """A browser without a login."""
    with httpx.Client(base_url=airflow.login.url, timeout=60) as http:
        yield http


def test_pages_show_what_a_run_has_made_to_those_who_may_see_it(
    run: aq.Run, airflow: AirflowStack, nobody: httpx.Client
) -> None:
    dag_id = run.record.dag_id
    flow = f"/aqueduct/dags/{quote(dag_id)}"
    pages = {address: airflow.client.page(address) for address in ("/aqueduct/", flow, f"{flow}?frame=1")}
    for address, text in pages.items():
        assert "1.6875" in text, address
        assert "warning" in text, address
    assert "shown in pages" in pages["/aqueduct/"]
    assert f"<title>1.6875 in {run.id()}, succeeded</title>".replace("+", "&#43;") in pages[flow].replace(
        "+", "&#43;"
    )
    # From the store, which the API server reaches.
    assert "shown in pages" in airflow.client.page(f"{flow}/spec")
    assert str(run.record.version_id)[:8] in pages[flow]
    page = shown_flow.run_page(dag_id, run.run_id)
    (artifact,) = (str(one.id) for one in run.spec.artifacts if one.name == "score")
    of_run = [
        page,
        shown_flow.task_page(dag_id, run.run_id, "score"),
        f"{page}/artifacts/{quote(artifact, safe='')}",
    ]
    for address in of_run:
        assert "1.6875" in airflow.client.page(address), address
    for address in (
        *pages,
        *of_run,
        f"{flow}/spec",
        "/aqueduct/dags/not_there",
        "/aqueduct/dags/not_there/spec",
    ):
        answer = nobody.get(address)
        assert answer.status_code == REFUSED, address
        assert "1.6875" not in answer.text
        if MAJOR == 3:
            assert nobody.get(address, headers={"Authorization": "Bearer x"}).status_code == 403
            shown = nobody.get(address, headers={"Sec-Fetch-Dest": "document"})
            assert (shown.status_code, "login" in shown.headers["location"]) == (303, True)


def test_a_dag_that_is_not_there(airflow: AirflowStack) -> None:
    assert "not a flow of Aqueduct" in airflow.client.page("/aqueduct/dags/not_there")


def test_our_own_files_need_no_login(nobody: httpx.Client) -> None:
    assert nobody.get("/aqueduct/static/page.css").status_code == 200
    assert nobody.get("/aqueduct/static/plugin.py").status_code == 404
    assert nobody.get("/aqueduct/openapi.json").status_code in (404, REFUSED)


@pytest.mark.skipif(MAJOR == 2, reason="Airflow 2.11 has no tabs of plugins")
def test_the_tabs_of_the_ui(airflow: AirflowStack) -> None:
    views: list[dict[str, Any]] = [
        view for plugin in airflow.client.plugins() for view in plugin["external_views"]
    ]
    ours = {view["destination"]: view["href"] for view in views if view["name"] == "Aqueduct"}
    assert ours["nav"] == "aqueduct/"
    assert ours["dag"] == "aqueduct/dags/{DAG_ID}?frame=1"


@pytest.mark.skipif(MAJOR == 3, reason="Airflow 3 has tabs instead")
def test_the_menu_of_the_ui(airflow: AirflowStack) -> None:
    assert 'href="/aqueduct/"' in airflow.client.page("/home")


@pytest.mark.skipif(MAJOR == 3, reason="browser/test_roles.py has the roles of Airflow 3")
def test_a_user_of_another_dag_sees_nothing_of_it(
    run: aq.Run, airflow: AirflowStack, client: aq.Client
) -> None:
    other = score(client.create_param("weight", default=2.25))
    flow = client.publish_flow("open to all", artifacts=[other], wait=SEEN_SECONDS)
    open_id, closed_id = flow.record.dag_id, run.record.dag_id
    reader = airflow.client.user_who_may_read(open_id)
    listed = reader.page("/aqueduct/")
    assert "open to all" in listed
    assert "shown in pages" not in listed
    assert "open to all" in reader.page(f"/aqueduct/dags/{open_id}")
    run_page = f"/aqueduct/dags/{closed_id}/runs/{quote(run.run_id, safe='')}"
    artifact = quote(str(run.spec.artifacts[-1].id), safe="")
    for path in (f"/aqueduct/dags/{closed_id}", run_page, f"{run_page}/artifacts/{artifact}"):
        # Airflow leads elsewhere.
        assert "1.6875" not in reader.page(path), path
    reader.close()
