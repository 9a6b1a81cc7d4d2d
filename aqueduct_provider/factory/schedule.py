"""Stage 2, when a flow's DAG runs, and the assets by which DAGs wait for each other.

In: a spec. Out: what ``DAG(schedule=...)`` takes, and assets (datasets on Airflow 2.11).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import Asset

from aqueduct_provider.compat import CronTriggerTimetable
from aqueduct_provider.spec.models import AfterFlowsSchedule, AssetsSchedule, CronSchedule, WorkflowSpec


def schedule_of(spec: WorkflowSpec) -> Any:
    """The flow's schedule, as Airflow takes it."""
    match spec.schedule:
        case CronSchedule(cron=cron, timezone=timezone):
            # A run at each time of the expression. A bare cron string means data intervals on 2.11.
            return CronTriggerTimetable(cron, timezone=timezone)
        case AfterFlowsSchedule(flows=flows):
            return [asset_of(flow) for flow in dict.fromkeys(flows)]
        case AssetsSchedule(assets=assets):
            return [Asset(uri) for uri in dict.fromkeys(assets)]
    return None


def asset_of(flow_name: str) -> Asset:
    """The asset that a flow updates when it succeeds."""
    return Asset(f"aqueduct://{quote(flow_name, safe='')}")
