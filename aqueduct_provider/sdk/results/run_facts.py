"""The protocol of a run, as far as both display and readers of results need to know it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.spec.models import WorkflowSpec


class RunFacts(Protocol):
    """A run of a flow."""

    @property
    def record(self) -> FlowRecord:
        """The record of its flow."""
        ...

    @property
    def run_id(self) -> str:
        """Airflow's id of the run."""
        ...

    @property
    def info(self) -> RunInfo | None:
        """The run as Airflow last reported it; None where Airflow does not know it."""
        ...

    @property
    def spec(self) -> WorkflowSpec:
        """The spec of its version."""
        ...

    def created_at(self) -> datetime | None:
        """Return when it was queued."""
        ...
