from __future__ import annotations

from typing import Any

from aqueduct_provider.ui.flows_page import flows_page
from tests.support.airflow_rows import AirflowRows


def test_only_what_may_be_read_is_listed(rows: AirflowRows, visit: Any) -> None:
    rows.dag("churn", name="Churn & <b>")
    rows.dag("secret")
    text = flows_page(visit(readable={"churn"})).body.decode()
    assert "Churn &amp; &lt;b&gt;" in text
    assert "secret" not in text
