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
        ConfigError,
        DataSystemError,
        IntegrityError,
        NotFound,
        OperatorFailed,
        PackagingError,
        RequirementsMissing,
        UserError,
        WaitTimedOut,
    )
    from aqueduct_provider.sdk import notify as notify
    from aqueduct_provider.sdk.authoring.artifacts import (
        Artifact,
        BoolArtifact,
        GenericArtifact,
        NumericArtifact,
        TableArtifact,
    )
    from aqueduct_provider.sdk.authoring.decorators import check, metric, op, to_operator
    from aqueduct_provider.sdk.client import Client, get_apikey
    from aqueduct_provider.sdk.enums import (
        ArtifactType,
        AWSCredentialType,
        CheckSeverity,
        ExecutionStatus,
        FlowState,
        LoadUpdateMode,
        LocalDataTableFormat,
        S3TableFormat,
        ServiceType,
    )
    from aqueduct_provider.sdk.error import *  # noqa: F403
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.resources.connect_config import *  # noqa: F403
    from aqueduct_provider.sdk.resources.sql_resource import (
        RelationalDBExtractParams as RelationalDBExtractParams,
    )
    from aqueduct_provider.sdk.results.flow_status import FlowStatus
    from aqueduct_provider.sdk.results.run_comparison import RunComparison
    from aqueduct_provider.sdk.run import Run
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
    from aqueduct_provider.sdk.settings import debug_tracebacks, global_config
    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff
    from aqueduct_provider.sdk.versions.version import Version

_HOMES = {
    "aqueduct_provider.errors": (
        "AirflowError AqueductError AuthoringError CheckFailed ConfigError DataSystemError IntegrityError "
        "NotFound OperatorFailed PackagingError RequirementsMissing UserError WaitTimedOut"
    ),
    "aqueduct_provider.sdk.authoring.artifacts": (
        "Artifact BoolArtifact GenericArtifact NumericArtifact TableArtifact"
    ),
    "aqueduct_provider.sdk.client": "Client get_apikey",
    "aqueduct_provider.sdk.authoring.decorators": "check metric op to_operator",
    "aqueduct_provider.sdk.enums": (
        "AWSCredentialType ArtifactType CheckSeverity ExecutionStatus FlowState LoadUpdateMode "
        "LocalDataTableFormat S3TableFormat ServiceType"
    ),
    "aqueduct_provider.sdk.flow": "Flow",
    "aqueduct_provider.sdk.run": "Run",
    "aqueduct_provider.sdk.results.flow_status": "FlowStatus",
    "aqueduct_provider.sdk.resources.sql_resource": "RelationalDBExtractParams",
    "aqueduct_provider.sdk.schedule": (
        "DayOfMonth DayOfWeek Hour Minute cron daily hourly monthly on_assets weekly"
    ),
    "aqueduct_provider.sdk.settings": "debug_tracebacks global_config",
    "aqueduct_provider.sdk.results.run_comparison": "RunComparison",
    "aqueduct_provider.sdk.versions.flow_diff": "FlowDiff",
    "aqueduct_provider.sdk.versions.version": "Version",
}
# Names of the original's, for code that was written for it.
_ORIGINAL = ("aqueduct_provider.sdk.error", "aqueduct_provider.sdk.resources.connect_config")
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "AWSCredentialType",
    "AirflowError",
    "AqueductError",
    "Artifact",
    "ArtifactType",
    "AuthoringError",
    "BoolArtifact",
    "CheckFailed",
    "CheckSeverity",
    "Client",
    "ConfigError",
    "DataSystemError",
    "DayOfMonth",
    "DayOfWeek",
    "ExecutionStatus",
    "Flow",
    "FlowDiff",
    "FlowState",
    "FlowStatus",
    "GenericArtifact",
    "Hour",
    "IntegrityError",
    "LoadUpdateMode",
    "LocalDataTableFormat",
    "Minute",
    "NotFound",
    "NumericArtifact",
    "OperatorFailed",
    "PackagingError",
    "RequirementsMissing",
    "Run",
    "RunComparison",
    "S3TableFormat",
    "ServiceType",
    "TableArtifact",
    "UserError",
    "Version",
    "WaitTimedOut",
    "check",
    "cron",
    "daily",
    "debug_tracebacks",
    "get_apikey",
    "global_config",
    "hourly",
    "metric",
    "monthly",
    "notify",
    "on_assets",
    "op",
    "to_operator",
    "weekly",
]


# A type checker must not take every name for one of ours.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "notify":
            return import_module("aqueduct_provider.sdk.notify")
        homes = [_HOME_OF[name]] if name in _HOME_OF else _ORIGINAL
        for home in map(import_module, homes):
            if name in _HOME_OF or name in home.__all__:
                return getattr(home, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
