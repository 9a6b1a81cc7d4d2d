"""Choose how often Airflow tries a task again, and how long it waits between two tries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.spec.models import Operator
from aqueduct_provider.spec.retries import OWN_DELAY, OWN_RETRIES, is_own


def retry_options(operators: Sequence[Operator]) -> dict[str, Any]:
    """Return the arguments of the Airflow task that runs these operators.

    What they leave out is Airflow's default. A task of several operators is tried as often as the one with
    the most retries, after the longest delay of those that are tried again.
    """
    authored = [operator for operator in operators if not is_own(operator)]
    if not authored:
        return own_retry_options()
    counts = [operator.retries for operator in authored]
    delays = [operator.retry_delay for operator in authored if operator.retry_delay and operator.retries != 0]
    options: dict[str, Any] = {}
    if any(count is not None for count in counts):
        options["retries"] = max(config.airflow_retries() if count is None else count for count in counts)
    if delays:
        options["retry_delay"] = timedelta(seconds=max(delays))
    return options


def own_retry_options() -> dict[str, Any]:
    """Return the arguments of a task that runs no code of a user, and can always be run again."""
    return {
        "retries": max(OWN_RETRIES, config.airflow_retries()),
        "retry_delay": timedelta(seconds=OWN_DELAY),
    }
