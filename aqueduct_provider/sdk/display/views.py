"""Protocols of artifacts, runs, flows and versions, as far as display needs to know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from aqueduct_provider.sdk.results.run_facts import RunFacts

if TYPE_CHECKING:
    from datetime import datetime

    from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource
    from aqueduct_provider.sdk.enums import ExecutionStatus
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.results.difference_rows import ComparedRun, Section
    from aqueduct_provider.sdk.results.outcomes import OperatorRun
    from aqueduct_provider.sdk.versions.differences import Differences
    from aqueduct_provider.spec.flow_version import GitFacts
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


class VersionView(Protocol):
    """A version of a flow."""

    @property
    def id(self) -> str:
        """Return its id."""
        ...

    @property
    def label(self) -> str:
        """Return what users call it."""
        ...

    @property
    def created_at(self) -> datetime | None:
        """Return when it was published."""
        ...

    @property
    def published_by(self) -> str:
        """Return who published it."""
        ...

    @property
    def message(self) -> str:
        """Return what its publisher says of it."""
        ...

    @property
    def git(self) -> GitFacts | None:
        """Return the commit of its code."""
        ...

    @property
    def restores(self) -> int | None:
        """Return the number of the version that it put back."""
        ...

    @property
    def changes(self) -> Sequence[str] | None:
        """Return what it changed."""
        ...


class ComparisonView(Protocol):
    """Two runs side by side."""

    @property
    def flow(self) -> str:
        """The name of their flow."""
        ...

    @property
    def before(self) -> ComparedRun:
        """The run that is compared with."""
        ...

    @property
    def now(self) -> ComparedRun:
        """The run that is looked at."""
        ...

    @property
    def sections(self) -> Sequence[Section]:
        """The facts by their kinds."""
        ...

    @property
    def flow_diff(self) -> Differences | None:
        """What changed between their versions."""
        ...
