"""Protocols of artifacts, runs and flows, as far as display needs to know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from aqueduct_provider.sdk.results.run_facts import RunFacts

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource
    from aqueduct_provider.sdk.enums import ExecutionStatus
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.results.outcomes import OperatorRun
    from aqueduct_provider.spec.models import WorkflowSpec


class ArtifactView(Protocol):
    """An artifact."""

    @property
    def source(self) -> ArtifactSource:
        """Where its value comes from."""
        ...


class RunView(RunFacts, Protocol):
    """A run of a flow, and how far it has come."""

    def as_far_as_known(self) -> tuple[ExecutionStatus, list[OperatorRun], str]:
        """Return its status and operators, and why Airflow cannot be asked."""
        ...


class FlowView(Protocol):
    """A published flow.

    :ivar record: as it was published last.
    """

    record: FlowRecord

    @property
    def spec(self) -> WorkflowSpec:
        """The spec that was published last."""
        ...

    def list_runs(self, limit: int) -> Sequence[dict[str, Any]]:
        """Return the newest runs."""
        ...
