from __future__ import annotations

import pytest

from aqueduct_provider.errors import StorageError
from aqueduct_provider.ui.request_reads import MOST, RequestReads


def test_errors_are_shown_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:hunter22@db/airflow")
    reads = RequestReads()
    reads.redact.add(["AKIAIOSFODNN7EXAMPLE"])
    error = StorageError(
        "https://me:pass@s3.example.org refused AKIAIOSFODNN7EXAMPLE, and hunter22: check the bucket."
    )
    assert reads.problem(error) == "https://***@s3.example.org refused ***, and ***: check the bucket."


def test_each_request_has_bytes_of_its_own() -> None:
    RequestReads().budget.take("s3://b/a", MOST)
    RequestReads().budget.take("s3://b/a", MOST)
