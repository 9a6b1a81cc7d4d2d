"""For tests of your own code that publishes and triggers flows: a stand-in of Airflow's REST API.

It needs no Airflow, only what this package needs; ``docs/testing.md`` shows how it is used.
"""

from __future__ import annotations

from aqueduct_provider.testing.fake_airflow import FakeAirflow
from aqueduct_provider.testing.fake_state import FakeDag, FakeRun, FakeTask

__all__ = ["FakeAirflow", "FakeDag", "FakeRun", "FakeTask"]
