"""The protocol of a run, as far as readers of results need to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aqueduct_provider.sdk.results.run_facts import RunFacts

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.records import Records
    from aqueduct_provider.sdk.results.stored_source import StoredSource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.storage.layout import NativeLayout


class RunReader(RunFacts, Protocol):
    """A run of a flow, with what Airflow and the store have of it."""

    @property
    def session(self) -> Session:
        """The store and the Airflows."""
        ...

    @property
    def layout(self) -> NativeLayout:
        """The keys of its objects."""
        ...

    @property
    def records(self) -> Records:
        """The records in Airflow's database of what its tasks wrote."""
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
