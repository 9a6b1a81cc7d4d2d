"""Fixtures of the comparisons with the original."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.harness import Oracle, Store, TaskSpecs


@pytest.fixture(scope="session")
def oracle(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """The original executor."""
    oracle = Oracle(s3_server, tmp_path_factory.mktemp("oracle"))
    yield oracle
    oracle.close()


@pytest.fixture
def store(s3_client: Any, bucket: str, credentials_file: Path) -> Store:
    """A new bucket, as both sides see it."""
    return Store(s3_client, bucket, credentials_file)


@pytest.fixture
def specs(store: Store, tmp_path: Path) -> TaskSpecs:
    """Task specs in that bucket."""
    return TaskSpecs(store, tmp_path)
