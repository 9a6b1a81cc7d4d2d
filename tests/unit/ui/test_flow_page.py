from __future__ import annotations

from typing import Any

from aqueduct_provider.ui.flow_page import flow_page
from tests.support.airflow_rows import AirflowRows


def test_a_dag_of_somebody_else(rows: AirflowRows, visit: Any) -> None:
    rows.dag("other", {"bash": None}, tags=[])
    page = flow_page(visit("/dags/other"))
    assert page.status == 200
    assert "not a flow of Aqueduct" in page.body.decode()
