"""When a flow's DAG runs, and the assets by which DAGs wait for each other.

In: a spec. Out: what ``DAG(schedule=...)`` takes, and assets (datasets on Airflow 2.11).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aqueduct_provider.compat import Asset, CronTriggerTimetable
from aqueduct_provider.spec.assets import flow_asset
from aqueduct_provider.spec.models import AfterFlowsSchedule, AssetsSchedule, CronSchedule, WorkflowSpec


def schedule_of(spec: WorkflowSpec) -> Any:
    """Return the flow's schedule, as Airflow takes it.

    :raises ValueError: a provider of this Airflow refuses an asset's URI; says which and why.
    """
    match spec.schedule:
        case CronSchedule(cron=cron, timezone=timezone):
            # A run at each time of the expression. A bare cron string means data intervals on 2.11.
            return CronTriggerTimetable(cron, timezone=timezone)
        case AfterFlowsSchedule(flows=flows):
            return [asset_of(flow) for flow in dict.fromkeys(flows)]
        case AssetsSchedule(assets=uris):
            # Airflow 3 refuses two names for what is the same URI once it has normalized both.
            assets: dict[str, Asset] = {}
            for asset in map(_named, uris):
                assets.setdefault(asset.uri, asset)
            return list(assets.values())
    return None


def asset_of(flow_name: str) -> Asset:
    """Return the asset that a flow updates when it succeeds."""
    return Asset(flow_asset(flow_name))


def _named(uri: str) -> Asset:
    try:
        return Asset(uri)
    except ValueError as error:
        raise ValueError(
            f"the asset {uri!r} of its schedule is not as its scheme wants it ({error}); write its URI as "
            "the DAG that updates it does"
        ) from error


def outlets_of(uris: Iterable[str]) -> list[Asset]:
    """Return the assets with these URIs, which Airflow updates when their task has succeeded."""
    return [asset for uri in uris if (asset := _accepted(uri))]


def _accepted(uri: str) -> Asset | None:
    """Return None where a provider of Airflow has its own rules for the scheme: the load still runs."""
    try:
        return Asset(uri)
    except ValueError:
        return None
