"""Fixtures of what is published: an Airflow and a bucket of one's own, and one for all who only read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
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
