"""The authoring SDK: from decorated functions to a running flow, and back to its results.

::

    import aqueduct_provider.sdk as aq

The public names load when they are first used (PEP 562), so the import itself takes milliseconds. Nothing
here imports Airflow: it is reached over its REST API.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.errors import (
        AirflowError,
        AqueductError,
        AuthoringError,
        CheckFailed,
        DataSystemError,
        NotFound,
        OperatorFailed,
        PackagingError,
        RequirementsMissing,
        WaitTimedOut,
    )
    from aqueduct_provider.sdk.authoring.decorators import check, metric, op, to_operator
    from aqueduct_provider.sdk.client import Client, get_apikey
    from aqueduct_provider.sdk.enums import (
        ArtifactType,
        CheckSeverity,
        ExecutionStatus,
        FlowState,
        LoadUpdateMode,
        ServiceType,
    )
    from aqueduct_provider.sdk.reading.flows import Flow
    from aqueduct_provider.sdk.reading.runs import Run
    from aqueduct_provider.sdk.reading.status import FlowStatus
    from aqueduct_provider.sdk.schedule import (
        DayOfMonth,
        DayOfWeek,
        Hour,
        Minute,
        cron,
        daily,
        hourly,
        monthly,
        on_assets,
        weekly,
    )
    from aqueduct_provider.sdk.settings import global_config

_HOMES = {
    "aqueduct_provider.errors": (
        "AirflowError AqueductError AuthoringError CheckFailed DataSystemError NotFound OperatorFailed "
        "PackagingError RequirementsMissing WaitTimedOut"
    ),
    "aqueduct_provider.sdk.client": "Client get_apikey",
    "aqueduct_provider.sdk.authoring.decorators": "check metric op to_operator",
    "aqueduct_provider.sdk.enums": (
        "ArtifactType CheckSeverity ExecutionStatus FlowState LoadUpdateMode ServiceType"
    ),
    "aqueduct_provider.sdk.reading.flows": "Flow",
    "aqueduct_provider.sdk.reading.runs": "Run",
    "aqueduct_provider.sdk.reading.status": "FlowStatus",
    "aqueduct_provider.sdk.schedule": (
        "DayOfMonth DayOfWeek Hour Minute cron daily hourly monthly on_assets weekly"
    ),
    "aqueduct_provider.sdk.settings": "global_config",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "AirflowError",
    "AqueductError",
    "ArtifactType",
    "AuthoringError",
    "CheckFailed",
    "CheckSeverity",
    "Client",
    "DataSystemError",
    "DayOfMonth",
    "DayOfWeek",
    "ExecutionStatus",
    "Flow",
    "FlowState",
    "FlowStatus",
    "Hour",
    "LoadUpdateMode",
    "Minute",
    "NotFound",
    "OperatorFailed",
    "PackagingError",
    "RequirementsMissing",
    "Run",
    "ServiceType",
    "WaitTimedOut",
    "check",
    "cron",
    "daily",
    "get_apikey",
    "global_config",
    "hourly",
    "metric",
    "monthly",
    "on_assets",
    "op",
    "to_operator",
    "weekly",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
