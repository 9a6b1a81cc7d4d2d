"""The fixtures of the DAG factory: specs are read here as the loader reads them; and those of a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.factory.conftest import folder, serialized, task_of, write

__all__ = ["folder", "serialized", "task_of", "write"]

Put = Callable[[str, Any], None]
Connect = Callable[..., None]


@pytest.fixture
def connect(s3_server: str, bucket: str, credentials_file: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define the connection ``aqueduct_default``, with changes."""
    extra = {
        "bucket": bucket,
        "region": "us-east-1",
        "root_dir": "root",
        "credentials_path": str(credentials_file),
        "endpoint_url": s3_server,
    }

    def define(**changes: str) -> None:
        value = {"conn_type": "aqueduct", "extra": {**extra, **changes}}
        monkeypatch.setenv("AIRFLOW_CONN_AQUEDUCT_DEFAULT", json.dumps(value))

    define()
    return define


@pytest.fixture
def put(connect: Connect, s3_client: Any, bucket: str) -> Put:
    """Put a document, or a text, below ``specs/`` of the store; None deletes it."""

    def put_object(name: str, content: Any) -> None:
        key = f"root/specs/{name}"
        if content is None:
            s3_client.delete_object(Bucket=bucket, Key=key)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            s3_client.put_object(Bucket=bucket, Key=key, Body=text.encode())

    return put_object
