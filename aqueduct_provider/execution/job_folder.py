"""Make the folder of a job, and end what the job of a killed task left running."""

from __future__ import annotations

from pathlib import Path

from aqueduct_provider.process import end_marked
from aqueduct_provider.storage.held_folder import HeldFolder


def job_folder(parent: Path | None = None) -> HeldFolder:
    """Make a folder for one job; remove those of tasks that were killed, and what still runs for them.

    :param parent: where it lies; None: with all others.
    :raises DiskError: it cannot be made.
    """
    return HeldFolder("job", parent, before_removal=_end_job)


def _end_job(folder: Path) -> None:
    end_marked(str(folder))
