"""Fixtures of what is published: an Airflow and a bucket of one's own, and one for all who only read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.deployment import Deployment, deployment


@pytest.fixture
def made(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A client, a bucket and an Airflow; nothing is published yet."""
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Finished:
    """A published flow with two runs. Tests must not change it.

    :param good: with four rows, and so a warning-free check. :param bad: with -1 rows, which fails.
    """

    made: Deployment
    flow: aq.Flow
    good: aq.Run
    bad: aq.Run


@pytest.fixture(scope="session")
def finished(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Finished]:
    """A flow that has run, for all tests that only read."""
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    with deployment(bucket, s3_server, credentials_file, tmp_path_factory.mktemp("finished")) as made:
        flow = made.publish(description="Counts rows.", schedule=aq.daily(hour=6))
        yield Finished(made, flow, made.run(rows=4), made.run(rows=-1))


def forgotten_with_requirement(made: Deployment, requirement: str) -> aq.Run:
    """A run that Airflow has no records of, with a spec in which 'many' was given a requirement since."""
    flow = made.publish()
    run = made.run()
    key = FlowLayout(flow.record.flow_id).version(flow.record.version_id)
    document = json.loads(made.store.get(key))
    (many,) = (one for one in document["operators"] if one["name"] == "many")
    many["code"]["requirements"] = [requirement]
    made.store.put(key, json.dumps(document).encode())
    made.session.registry._read_spec.cache_clear()
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    return flow.fetch(run.run_id)
