"""Two published flows with runs, which the commands that read share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from tests.support.deployment import deployment
from tests.unit.cli.places import Place, draw, kinds


@pytest.fixture(scope="module")
def place(
    s3_client: Any, s3_server: str, credentials_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    bucket, folder = f"bucket-{uuid.uuid4().hex[:12]}", tmp_path_factory.mktemp("place")
    s3_client.create_bucket(Bucket=bucket)
    options = {
        "--config": str(folder / "config.toml"),
        "--bucket": bucket,
        "--region": "us-east-1",
        "--endpoint-url": s3_server,
        "--credentials-path": str(credentials_file),
    }
    with deployment(bucket, s3_server, credentials_file, folder) as made:
        made.publish(description="Who leaves.", schedule=aq.cron("0 6 * * *", timezone="Europe/Berlin"))
        width = made.client.create_param("width", 3)
        made.publish("kinds", [draw(width), *kinds(width)])
        runs = {
            "good": made.run(rows=4).run_id,
            "bad": made.run(rows=-1).run_id,
            "kinds": made.run("kinds").run_id,
        }
        yield Place(made, [word for pair in options.items() for word in pair], runs)
