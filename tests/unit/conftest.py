"""Keeps what one test imports from what another one prints."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _logs_stay_out_of_stdout() -> Iterator[None]:
    """Airflow 2.11, once a test has imported it, prints every log line to stdout, results or not."""
    root = logging.getLogger()
    airflows = [handler for handler in root.handlers if type(handler).__module__.startswith("airflow")]
    for handler in airflows:
        root.removeHandler(handler)
    yield
    for handler in airflows:
        root.addHandler(handler)
