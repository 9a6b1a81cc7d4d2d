"""A version goes from staging to production, an Airflow with its own bucket, and back to the one before."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from tests.integration.stack import SHOWN_ELSEWHERE
from tests.support.deployment import deployment

pytestmark = SHOWN_ELSEWHERE
WAIT = 120


@aq.op(requirements=[], outputs=["orders"])
def orders(days: int) -> list[int]:
    return [10 * day for day in range(1, days + 1)]


@aq.metric("average", requirements=[], output="average")
def average(orders: list[int]) -> float:
    return sum(orders) / len(orders)


@aq.metric("average", requirements=[], output="average")
def broken_average(orders: list[int]) -> float:
    return sum(orders) / (len(orders) - 3)


def run(flow: aq.Flow, client: aq.Client) -> aq.Run:
    made = client.trigger(flow.name(), unpause=True, progress=False)
    made.wait(WAIT, progress=False)
    return made


def test_from_staging_to_production_and_back(
    client: aq.Client, s3_server: str, s3_client: Any, credentials_file: Path, tmp_path: Path
) -> None:
    bucket = f"staging-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    (tmp_path / "staging").mkdir()
    with deployment(bucket, s3_server, credentials_file, tmp_path / "staging") as staging:
        days = staging.client.create_param("days", 2)
        first = staging.publish("promoted orders", [average.lazy(orders.lazy(days))], message="Works")
        there = first.promote(client, parameters={"days": 3})
        good = run(there, client)
        assert good.artifact("average").get() == 20
        second = staging.publish("promoted orders", [broken_average.lazy(orders.lazy(days))])
        folder = tmp_path / "review"
        second.export(folder)
    # Staging is gone, and nothing of it is needed.
    there = client.import_flow(folder, parameters={"days": 3})
    bad = run(there, client)
    assert bad.status() == aq.ExecutionStatus.FAILED

    # What changed since the good run, why it fails, and back: a line for each.
    assert "-    return sum(orders) / len(orders)" in str(there.diff(good, bad))
    with pytest.raises(ZeroDivisionError):
        bad.replay("average")
    there = client.rollback("promoted orders", good)
    assert run(there, client).artifact("average").get() == 20
    assert [one.label for one in there.versions()] == ["v3", "v2", "v1"]
    client.delete_flow("promoted orders", force=True)
