"""One Airflow with two Celery workers, for the tests of this folder."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.demo.stack import S3Place
from tests.data_servers.postgres import PostgresServer
from tests.data_servers.redis import redis_server
from tests.integration.celery.cluster import Cluster, stack_of
from tools.environments import index_settings

WORKERS = ("first", "second")


@pytest.fixture(scope="module")
def cluster(
    s3_server: str,
    s3_client: Any,
    credentials_file: Path,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """It ends before the Airflow of the other integration tests starts."""
    bucket = f"celery-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    store = S3Place(s3_server, bucket, credentials_file, "research", root_dir="flows")
    folder = tmp_path_factory.mktemp("cluster")
    with redis_server() as redis:
        stack = stack_of(folder, WORKERS, store, redis, postgres, index_settings())
        with stack:
            yield Cluster(stack, store, s3_client)
