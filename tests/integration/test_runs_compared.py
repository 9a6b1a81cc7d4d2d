"""Runs as a table and next to each other, on a real Airflow."""

from __future__ import annotations

import logging
from urllib.parse import quote

import httpx
import pandas
import pytest

import aqueduct_provider.sdk as aq
from tests.integration.flow_place import SEEN_SECONDS
from tests.integration.stack import MAJOR, AirflowStack

WAIT = 120
# As the REST APIs of both lines answer.
REFUSED = 401 if MAJOR == 3 else 403


@aq.op(requirements=["pandas"], outputs=["seats"])
def seats(count: int) -> pandas.DataFrame:
    if count > 20:
        raise ValueError("there are 20 seats")
    return pandas.DataFrame({"seat": range(count)})


@aq.metric(requirements=["pandas"], output="taken")
def taken(seats: pandas.DataFrame) -> int:
    return len(seats)


@aq.check(requirements=[], output="enough", severity="warning")
def enough(taken: int) -> bool:
    return taken > 4


@pytest.fixture
def runs(client: aq.Client) -> list[aq.Run]:
    """Three runs of a flow: a good one, one whose check warns, and one that fails."""
    table = seats(client.create_param("count", default=8))
    flow = client.publish_flow("runs compared", artifacts=[enough(taken(table))], wait=SEEN_SECONDS)
    found = []
    for count in (8, 2, 30):
        found.append(client.trigger(flow.id(), {"count": count}, progress=False))
        found[-1].wait(WAIT, progress=False)
    return found


def test_runs_by_the_route(
    runs: list[aq.Run], client: aq.Client, airflow: AirflowStack, caplog: pytest.LogCaptureFixture
) -> None:
    good, warned, failed = runs
    flow = client.flow("runs compared")
    caplog.set_level(logging.WARNING, "aqueduct")
    table = flow.runs_table()
    assert table["run_id"].tolist() == [run.run_id for run in (failed, warned, good)]
    assert table["version"].tolist() == ["v1"] * 3
    assert table["status"].tolist() == ["failed", "succeeded", "succeeded"]
    assert table["param.count"].tolist() == [30, 2, 8]
    assert table["metric.taken"].tolist()[1:] == [2, 8]
    assert table["check.enough"].tolist()[1:] == [False, True]
    assert table["metric.taken"].isna().tolist() == table["check.enough"].isna().tolist()
    assert table["metric.taken"].isna().tolist() == [True, False, False]
    assert (table["duration"] > 0).all()
    assert (table["seconds.seats"] > 0).all()
    found = failed.diff_from_last_success()
    assert (found.before.run_id, found.now.status) == (warned.run_id, "failed")
    found = warned.compare(good)
    assert [(row.name, row.values, row.note) for row in found.metrics] == [("taken", (8, 2), "-6 (-75.00%)")]
    assert [(row.before, row.now) for row in found.checks] == [("passed", "warning")]
    assert [row.note for row in found.artifacts] == ["-6 rows"]
    assert [row.values[0]["max"] for row in found.statistics] == [7]
    # Nothing was read run by run.
    assert not caplog.records
    path = f"/aqueduct/dags/{quote(flow.record.dag_id)}/runs.json"
    with httpx.Client(base_url=airflow.login.url, timeout=60) as nobody:
        answer = nobody.get(path)
        assert answer.status_code == REFUSED
        assert good.run_id not in answer.text
        assert nobody.get(path, headers={"Authorization": "Bearer x"}).status_code in (401, 403)
        assert nobody.get(path, auth=("admin", "wrong")).status_code == REFUSED
