from __future__ import annotations

from types import SimpleNamespace

import pytest

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS, BaseOperator
from aqueduct_provider.operators.page_links import ArtifactsLink, page_path

BASE_URL = f"AIRFLOW__{'API' if AIRFLOW_V_3_0_PLUS else 'WEBSERVER'}__BASE_URL"
TASK = SimpleNamespace(dag_id="churn", run_id="manual__2026-01-01T00:00:00+00:00", task_id="train/1 #ü")


def test_the_pages_of_a_flow_a_run_and_a_task() -> None:
    assert page_path("churn") == "/aqueduct/dags/churn"
    assert page_path("churn", "run 1") == "/aqueduct/dags/churn/runs/run%201"
    assert page_path("a/b", "x", "t") == "/aqueduct/dags/a%2Fb/runs/x/tasks/t"


@pytest.mark.parametrize(
    ("base", "prefix"),
    [("https://air.example.com", ""), ("http://host:8080/team/air/", "/team/air"), ("", "")],
)
def test_the_prefix_of_airflow(base: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE_URL, base)
    assert page_path("churn") == f"{prefix}/aqueduct/dags/churn"


def test_a_task_leads_to_its_page() -> None:
    link = ArtifactsLink()
    assert link.name == "Artifacts"
    assert link.get_link(SimpleNamespace(aqueduct="{}"), ti_key=TASK) == (
        "/aqueduct/dags/churn/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00/tasks/train%2F1%20%23%C3%BC"
    )


def test_a_task_without_operators_leads_to_that_of_the_run() -> None:
    path = ArtifactsLink().get_link(BaseOperator(task_id="flow_succeeded"), ti_key=TASK)
    assert path == "/aqueduct/dags/churn/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00"
