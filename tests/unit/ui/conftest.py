"""A flow in a database with Airflow's own tables."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.ui.html import Visit
from tests.support.airflow_rows import AirflowRows


@pytest.fixture
def rows() -> AirflowRows:
    """An empty database."""
    return AirflowRows()


@pytest.fixture
def visit(rows: AirflowRows) -> Any:
    """A visit of a user who may read everything in the database."""

    def make(path: str = "/", **options: Any) -> Visit:
        names = {"dag_id": path.split("/")[2]} if path.startswith("/dags/") else {}
        readable = options.pop("readable", {"churn", "other"})
        return Visit(
            database=rows.database,
            path=path,
            names={**names, **options.pop("names", {})},
            readable=lambda: readable,
            may_read_values=options.pop("may_read_values", lambda _: True),
            **options,
        )

    return make
