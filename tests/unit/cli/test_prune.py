"""Pruning from the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from tests.support.deployment import deployment
from tests.support.written_runs import leave

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def options(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path) -> Iterator[list[str]]:
    """A flow with two runs, and how the command line gets there."""
    given = {
        "--config": str(tmp_path / "config.toml"),
        "--bucket": bucket,
        "--endpoint-url": s3_server,
        "--credentials-path": str(credentials_file),
    }
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        flow = made.publish()
        for run_id in ("old", "new"):
            leave(made, flow, run_id, 5)
        yield [word for pair in given.items() for word in pair]


def test_prune(options: list[str], capsys: Captured) -> None:
    keep = ["prune", "churn", "--keep", "1", *options]
    capsys.readouterr()
    assert main(["prune", "churn", *options]) == 1
    assert "'churn' has no k_latest_runs" in capsys.readouterr().err
    assert main([*keep, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "old" in out
    assert out.endswith("'churn': would delete 4 objects (17 bytes) of 1 older run.\n")
    assert main([*keep, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"run_id": "old", "objects": 4, "size": 17}]
    assert main(keep) == 0
    assert capsys.readouterr().out == "'churn': no older run has artifacts to delete.\n"
    assert main(["artifact", "churn", "old", "table", *options]) == 1
    assert "'table' was deleted on" in capsys.readouterr().err


def test_a_number_that_is_none(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["prune", "churn", "--keep", "0"])
    assert "is not an integer above 0" in capsys.readouterr().err
