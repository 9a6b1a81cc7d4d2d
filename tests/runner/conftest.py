"""Fixtures of the runner's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.runner.jobs import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An empty job folder."""
    folder = tmp_path / "job"
    folder.mkdir()
    return Job(folder)


def _other_pythons() -> list[str]:
    """The oldest interpreter that the runner supports, where pyenv has it, else the tests' own."""
    found = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    return [str(path) for path in found[:1]] or [sys.executable]


@pytest.fixture(params=_other_pythons())
def other_python(request: pytest.FixtureRequest) -> str:
    """An interpreter that has no packages installed."""
    return str(request.param)
