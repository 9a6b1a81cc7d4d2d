"""Format the dates of a run as queries name them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from aqueduct_provider.connectors.sql.query_dates import query_dates


def run_dates(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of ``{{ today }}``, ``{{ ds }}`` and both ends of the data interval.

    ``today`` is the day on which the task runs, as in the original. The others are those of the run, the
    same at every try; a run without a data interval, as those started by hand on Airflow 3, has the time
    from which it could run in their place.
    """
    run = context["dag_run"]
    start = context.get("data_interval_start") or getattr(run, "run_after", None) or run.start_date
    day = context.get("logical_date") or start
    end = context.get("data_interval_end") or start
    return query_dates(today=datetime.now(timezone.utc), day=day, start=start, end=end)
