"""Airflow 2.11 warns about its own default of an option when its models are imported: an error in tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def quiet_airflow() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY", "True")
        yield
