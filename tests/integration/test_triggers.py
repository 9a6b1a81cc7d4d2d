"""What starts what: flows after flows, and flows and plain DAGs after the file that a flow saves."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from aqueduct_provider.demo.stack import CONNECTION
from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.native_draft import Draft, Json
from tests.integration.waiting import wait_for

KEY = "triggers/number.pickle"
SAVED = f"aqueduct-data://{CONNECTION}/{KEY}"
RUN_SECONDS = 60

# What somebody else of the company has in the DAG folder.
PLAIN = f"""\
from datetime import datetime

from aqueduct_provider.compat import DAG, Asset, BaseOperator  # airflow


class Report(BaseOperator):
    def execute(self, context):
        print("there are new numbers")


with DAG(
    "plain_report",
    schedule=[Asset("{SAVED}")],
    start_date=datetime(2022, 1, 1),
    catchup=False,
    is_paused_upon_creation=False,
):
    Report(task_id="report")
"""


def drafts(place: Place) -> list[Draft]:
    """A saves a file. B follows A, C follows B; D waits for the file."""

    def draft(dag_id: str, schedule: Json | None) -> Draft:
        made = place.draft(dag_id, fields={"schedule": schedule})
        made.parameter("number", "numeric", 21)
        return made

    first = draft("trigger_a", None)
    first.load("save", "number", connector="S3", connection_id=CONNECTION, filepath=KEY)
    return [
        first,
        draft("trigger_b", {"type": "after_flows", "flows": ["trigger_a"]}),
        draft("trigger_c", {"type": "after_flows", "flows": ["trigger_b"]}),
        draft("trigger_d", {"type": "assets", "assets": [SAVED]}),
    ]


@pytest.fixture
def flows(place: Place) -> Iterator[None]:
    with ExitStack() as stack:
        plain = place.airflow.dags / "plain_report.py"
        plain.write_text(PLAIN)
        stack.callback(plain.unlink)
        made = drafts(place)
        for draft in made:
            path: Path = draft.publish(place.s3, place.bucket, place.airflow.dags, prefix="native/")
            stack.callback(path.unlink)
        for draft in made:
            place.seen(draft.dag_id, draft.version)
        wait_for(lambda: "plain_report" in place.client.dags(), what="the plain DAG", seconds=SEEN_SECONDS)
        yield


@pytest.mark.usefixtures("flows")
def test_flows_and_dags_start_each_other(place: Place) -> None:
    run_id, state = place.run("trigger_a")
    assert state == "success", place.client.states("trigger_a", run_id)
    assert pickle.loads(place.get(f"sdk/{KEY}")) == 21
    for dag_id in ("trigger_b", "trigger_c", "trigger_d", "plain_report"):
        started = wait_for(
            lambda dag_id=dag_id: place.client.runs(dag_id), what=f"a run of {dag_id}", seconds=RUN_SECONDS
        )
        (run_id,) = started
        assert place.client.wait(dag_id, run_id) == "success"
        assert started[run_id]["run_type"] in ("asset_triggered", "dataset_triggered")
    assert all(len(place.client.runs(dag_id)) == 1 for dag_id in ("trigger_a", "trigger_b", "trigger_c"))
