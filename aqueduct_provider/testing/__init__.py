"""For tests of your own: a stand-in of Airflow's REST API, and flows that run here, under pytest.

It needs no Airflow, only what this package needs; ``docs/testing.md`` shows how it is used. pytest loads
``pytest_plugin`` in every session where this package is installed, so all else is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.testing.fake_airflow import FakeAirflow
    from aqueduct_provider.testing.fake_state import FakeDag, FakeRun, FakeTask
    from aqueduct_provider.testing.flow_assertions import FlowRun, FlowUnderTest

_HOMES = {
    "FakeAirflow": "fake_airflow",
    "FakeDag": "fake_state",
    "FakeRun": "fake_state",
    "FakeTask": "fake_state",
    "FlowRun": "flow_assertions",
    "FlowUnderTest": "flow_assertions",
}

__all__ = ["FakeAirflow", "FakeDag", "FakeRun", "FakeTask", "FlowRun", "FlowUnderTest"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
