"""Full disks in the child: how they are told from the code's own failures."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from aqueduct_provider.runner.disk import existing, free_space, full_disk
from tests.runner.jobs import Job


def test_a_full_disk_is_found_behind_other_errors() -> None:
    full = OSError(errno.EDQUOT, "Disk quota exceeded")
    error = ValueError("cannot be written")
    error.__cause__ = RuntimeError("codec")
    error.__cause__.__context__ = full
    full.__context__ = error
    assert full_disk(error) is full
    assert full_disk(OSError(errno.EACCES, "Permission denied")) is None
    assert full_disk(None) is None


def test_free_space_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    assert existing(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert existing("relative") == "/"
    assert free_space(str(tmp_path / "a")).endswith("are free there")
    assert free_space(os.devnull)


def test_a_result_that_fills_the_disk_is_not_the_codes_fault(small_disk: Path, tmp_path: Path) -> None:
    folder = small_disk / "job"
    folder.mkdir()
    job = Job(folder, runner=tmp_path / "runner")
    outcome = job.call("def predict():\n    return 'x' * 2_000_000").outcome
    assert outcome is not None
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.deterministic) == ("system", False)
    assert outcome.failure.tip.startswith(str(folder))
    assert "No space left on device (" in outcome.failure.tip
    assert "are free there). Free some space" in outcome.failure.tip
