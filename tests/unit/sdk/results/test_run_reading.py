from __future__ import annotations

import pytest

from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.results.run_reading import newest_by_route, read_one_by_one, read_run
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.deployment import Deployment


def test_the_route_and_requests_of_runs_say_the_same(made: Deployment) -> None:
    flow = made.publish()
    made.run(rows=4)
    made.run(rows=-1)
    airflow = made.session.airflow("cluster")
    by_route = newest_by_route(airflow, "churn", 100)
    assert by_route is not None
    assert [run.status for run in by_route] == ["failed", "succeeded"]
    by_requests = read_one_by_one(flow.runs())
    for one, other in zip(by_route, by_requests, strict=True):
        assert one.artifacts == other.artifacts
        assert [found.status for found in one.operators] == [found.status for found in other.operators]
        assert [found.seconds for found in one.operators] == [found.seconds for found in other.operators]
    made.fake.has_pages = False
    assert newest_by_route(airflow, "churn", 100) is None
    assert [read_run(run).artifacts for run in flow.runs()] == [run.artifacts for run in by_route]


def test_a_run_whose_spec_is_gone_does_not_hide_the_others(
    made: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    first = made.publish()
    old = made.run(rows=4)
    made.publish()
    new = made.run(rows=5)
    made.store.delete([FlowLayout(first.record.flow_id).version(first.record.version_id)])
    # The registry of the client that published has the spec in memory.
    flow = Flow(Session(made.session.profile), made.session.registry.at("churn") or first.record)
    caplog.clear()
    found = read_one_by_one(flow.runs())
    assert [run.info.run_id for run in found] == [new.run_id, old.run_id]
    assert (bool(found[0].operators), found[1].operators) == (True, ())
    assert caplog.records[0].getMessage().startswith(f"1 of 2 runs cannot be read:\n  {old.run_id}: ")
