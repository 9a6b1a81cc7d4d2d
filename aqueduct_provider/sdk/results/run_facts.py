"""The protocol of a run, as far as both display and readers of results need to know it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.spec.models import WorkflowSpec


class RunFacts(Protocol):
    """A run of a flow.

    :ivar record: of its flow.
    :ivar run_id: Airflow's.
    :ivar info: as Airflow last reported the run; None where Airflow does not know it.
    """

    record: FlowRecord
    run_id: str
    info: RunInfo | None

    @property
    def spec(self) -> WorkflowSpec:
        """The spec of its version."""
        ...

    def created_at(self) -> datetime | None:
        """Return when it was queued."""
        ...
