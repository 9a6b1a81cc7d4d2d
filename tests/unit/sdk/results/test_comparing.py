"""Runs next to each other, read from a fake Airflow and a real S3 server."""

from __future__ import annotations

import json

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.results.difference_rows import DifferenceRow
from tests.support.deployment import Deployment, features
from tests.unit.sdk.conftest import Finished


@aq.metric(requirements=["pandas"], outputs=["total"])
def total(table: pandas.DataFrame) -> int:
    return int(table["n"].max())


def rows(found: object) -> dict[str, DifferenceRow]:
    return {row.name: row for row in found}  # type: ignore[attr-defined]


def test_two_runs_of_one_version(made: Deployment) -> None:
    flow = made.publish()
    first, second = made.run(rows=4), made.run(rows=2)
    made.fake.asked.clear()
    found = second.compare(first)
    # A request for each run.
    assert len(made.fake.asked) == 2
    assert (found.flow, found.before.run_id, found.now.run_id) == ("churn", first.run_id, second.run_id)
    assert (found.before.version, found.now.status) == ("v1", "succeeded")
    assert rows(found.parameters)["rows"].values == (4, 2)
    total = rows(found.metrics)["total"]
    assert (total.before, total.now, total.mark, total.note) == ("6", "1", "changed", "-5 (-83.33%)")
    many = rows(found.checks)["many"]
    assert (many.before, many.now, many.mark) == ("passed", "warning", "changed")
    table = rows(found.artifacts)["table"]
    assert (table.mark, table.note) == ("changed", "-2 rows")
    assert [value["rows"] for value in table.values] == [4, 2]
    assert rows(found.schemas)["table"].values == ({"n": "int64"}, {"n": "int64"})
    assert rows(found.statistics)["table: n"].before == "0 to 3, 0% missing"
    assert rows(found.statistics)["table: n"].values[1] == {"min": 0, "max": 1, "nulls": 0.0}
    assert set(rows(found.durations)) == {one.name for one in flow.spec.operators}
    assert (found.code, found.flow_diff) == ((), None)
    # By the id alone, too.
    assert second.compare(first.run_id) == found


def test_versions_whose_code_differs(made: Deployment) -> None:
    made.publish()
    first = made.run()
    made.publish(artifacts=[total(features(made.client.create_param("rows", 3, "how many")))])
    second = made.run()
    found = second.compare(first)
    assert (found.before.version, found.now.version) == ("v1", "v2")
    assert rows(found.metrics)["total"].values == (3, 2)
    marks = {name: row.mark for name, row in rows(found.code).items()}
    assert marks == {"features": "", "total": "changed", "many": "removed"}
    assert rows(found.checks)["many"].mark == "removed"
    assert found.flow_diff is not None
    assert found.flow_diff.summary()[:2] == ["removed many", "changed total"]
    for shown in (repr(found), found._repr_html_(), json.dumps(found.to_json())):
        assert "max()" in shown


@pytest.mark.parametrize("has_pages", [True, False], ids=["route", "requests"])
def test_from_the_last_success(made: Deployment, has_pages: bool) -> None:
    made.fake.has_pages = has_pages
    made.publish()
    good, bad, worse = made.run(rows=4), made.run(rows=-1), made.run(rows=-2)
    found = worse.diff_from_last_success()
    assert (found.before.run_id, found.now.run_id) == (good.run_id, worse.run_id)
    assert found.now.status == "failed"
    assert rows(found.metrics)["total"].values == (6, None)
    assert rows(found.artifacts)["table"].now == "table"
    assert bad.diff_from_last_success().before.run_id == good.run_id
    with pytest.raises(
        NotFound, match=r"no run of 'churn' before it has succeeded\. run\.compare\(<run id>\)"
    ):
        good.diff_from_last_success()


def test_a_run_that_only_the_store_knows(made: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    made.publish()
    old, new = made.run(rows=4), made.run(rows=5)
    del made.fake.dags["churn"].runs[old.run_id]
    caplog.clear()
    found = new.compare(old)
    assert (found.before.status, found.now.status) == ("succeeded", "succeeded")
    assert rows(found.metrics)["total"].values == (None, 10)
    assert rows(found.checks)["many"].before == "passed"
    (warning,) = caplog.records
    assert warning.getMessage().startswith(f"Of run {old.run_id}, what operators wrote is not compared: ")
    with pytest.raises(NotFound, match="Airflow does not list it among the last 1 runs of 'churn'"):
        old.diff_from_last_success()


def test_a_run_that_is_nowhere(finished: Finished) -> None:
    with pytest.raises(NotFound, match="r1"):
        finished.good.compare("r1")


def test_metadata_that_was_changed_is_not_compared(made: Deployment) -> None:
    made.publish()
    first, second = made.run(rows=4), made.run(rows=2)
    table = next(one for one in second.spec.artifacts if one.name == "table")
    key = second.layout.metadata(table.id)
    document = json.loads(made.store.get(key))
    document["schema"] = [{"forged": "int64"}]
    made.store.put(key, json.dumps(document).encode())
    found = second.compare(first)
    assert "forged" not in repr(found)
    assert found.statistics == ()
    assert rows(found.artifacts)["table"].note == "-2 rows"
