from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin
from aqueduct_provider.sdk.airflow_api.api_session import AirflowSession
from aqueduct_provider.testing import FakeAirflow


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with FakeAirflow(request.param) as fake:
        yield fake


@pytest.fixture
def airflow(fake: FakeAirflow) -> Iterator[Airflow]:
    login = AirflowLogin(fake.url, fake.user, fake.password)
    with Airflow(login, sleep=lambda _: None) as airflow:
        yield airflow


@pytest.fixture
def three() -> Iterator[FakeAirflow]:
    with FakeAirflow(3) as fake:
        yield fake


@pytest.fixture
def two() -> Iterator[FakeAirflow]:
    with FakeAirflow(2) as fake:
        yield fake


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., AirflowSession]


@pytest.fixture
def session(clock: Clock) -> Iterator[Open]:
    opened: list[AirflowSession] = []

    def open_(fake: FakeAirflow, **login: str) -> AirflowSession:
        given = login or {"username": fake.user, "password": fake.password}
        opened.append(
            AirflowSession(AirflowLogin(**{"host": fake.url, **given}), sleep=lambda _: None, clock=clock)
        )
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
