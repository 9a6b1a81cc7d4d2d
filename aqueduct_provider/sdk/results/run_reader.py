"""The protocol of a run, as far as readers of results need to know it.

Apart from ``run_facts``, which display imports, and display is imported by what this module names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aqueduct_provider.sdk.results.run_facts import RunFacts

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.records import Records
    from aqueduct_provider.sdk.results.stored_source import StoredSource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.state.exec_state import ExecState
    from aqueduct_provider.storage.layout import NativeLayout


class RunReader(RunFacts, Protocol):
    """A run of a flow, with what Airflow and the store have of it.

    :ivar session: the store and the Airflows.
    """

    session: Session

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

    def exec_state(self, operator: Operator) -> ExecState | None:
        """Return what an operator left of its end; None: nothing."""
        ...

    def why_missing(self, operator: Operator) -> str:
        """Return why the run lacks what this operator writes."""
        ...
