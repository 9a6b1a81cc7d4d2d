"""Keeps what one test imports from what another one prints."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _logs_stay_out_of_stdout() -> Iterator[None]:
    """Airflow, once a test has imported it, prints every log line to stdout, results or not."""
    root = logging.getLogger()
    airflows = [handler for handler in root.handlers if _is_airflows(handler)]
    for handler in airflows:
        root.removeHandler(handler)
    yield
    for handler in airflows:
        root.addHandler(handler)


def _is_airflows(handler: logging.Handler) -> bool:
    """Whether Airflow has made it: 2.11 has handlers of its own, 3 formats with structlog."""
    made_of = (type(handler), type(handler.formatter))
    return any(kind.__module__.startswith(("airflow", "structlog")) for kind in made_of)
