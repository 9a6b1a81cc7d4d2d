"""A flow in a database with Airflow's own tables."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.ui.html import Visit
from tests.support.airflow_rows import AirflowRows
from tests.support.played_runs import Played, connection_to, play, spec_of, store_at


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


@pytest.fixture(scope="session")
def played(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """A run of a flow with every kind of artifact. Tests must not change it."""
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    store = store_at(bucket, s3_server, credentials_file)
    os.environ.update(connection_to(bucket, s3_server, credentials_file))
    return play(spec_of(store), store, tmp_path_factory.mktemp("played"))
