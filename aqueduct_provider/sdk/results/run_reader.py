"""The protocol of a run, as far as readers of results need to know it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.results.records import Records
    from aqueduct_provider.sdk.results.stored_source import StoredSource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.layout import NativeLayout


class RunReader(Protocol):
    """A run of a flow, with what Airflow and the store have of it."""

    @property
    def session(self) -> Session:
        """The store and the Airflows."""
        ...

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

    @property
    def layout(self) -> NativeLayout:
        """The keys of its objects."""
        ...

    @property
    def records(self) -> Records:
        """The records in Airflow's database of what its tasks wrote."""
        ...

    def created_at(self) -> datetime | None:
        """Return when it was queued."""
        ...

    def pin(self, spec: WorkflowSpec) -> None:
        """Use this spec from now on."""
        ...

    def source(self, name: str) -> StoredSource:
        """Return where the artifact with this name is."""
        ...

    def why_missing(self, operator: Operator) -> str:
        """Return why the run lacks what this operator writes."""
        ...
