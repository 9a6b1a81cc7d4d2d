from __future__ import annotations

from collections.abc import Iterator

import pytest

from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin
from tests.support.fake_airflow import FakeAirflow


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with FakeAirflow(request.param) as fake:
        yield fake


@pytest.fixture
def airflow(fake: FakeAirflow) -> Iterator[Airflow]:
    login = AirflowLogin(fake.url, fake.user, fake.password)
    with Airflow(login, sleep=lambda _: None) as airflow:
        yield airflow
