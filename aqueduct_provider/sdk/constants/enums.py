"""The choices, where code of the original imports them from: ``from aqueduct.constants.enums import ...``."""

from __future__ import annotations

from aqueduct_provider.sdk.enums import (
    ArtifactType,
    AWSCredentialType,
    CheckSeverity,
    ExecutionStatus,
    LoadUpdateMode,
    LocalDataTableFormat,
    S3TableFormat,
    ServiceType,
)

__all__ = [
    "AWSCredentialType",
    "ArtifactType",
    "CheckSeverity",
    "ExecutionStatus",
    "LoadUpdateMode",
    "LocalDataTableFormat",
    "S3TableFormat",
    "ServiceType",
]
