"""Read the runs of a flow for pages with the SDK's readers, which verify what they read.

In: the facts of a flow in its serialized DAG. Out: a session whose store is the flow's, connected to as its
tasks do, and whose Airflow is the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.hooks.aqueduct import page_store
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.spec.dag_facts import DagFacts
from aqueduct_provider.ui.request_reads import RequestReads

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.storage.object_store import ObjectStore
    from aqueduct_provider.ui.airflow_database import AirflowDatabase

# The name of this Airflow, where one is asked for.
HERE = "this Airflow"
_NO_STORE = (
    "The spec of this flow names its store itself. Pages read only stores that an Airflow connection names, "
    "for they connect with the rights of Airflow's API server."
)
_NO_READER = (
    "This flow was published by the original Aqueduct, in a format that these pages do not read from the "
    "store: they show what Airflow's database has."
)


@dataclass(eq=False)
class PageSession(Session):
    """The services behind the pages of one flow.

    :param reads: those of the request.
    """

    def __init__(self, database: AirflowDatabase, facts: DagFacts, reads: RequestReads) -> None:
        self._database, self._facts, self._reads = database, facts, reads

    # The connection is read for each page, for it may be changed; the clients of S3 behind it are shared.
    @cached_property
    def store(self) -> ObjectStore:
        """The artifact store of the flow.

        :raises ConfigError: the connection is missing or wrong, or none is named.
        :raises CredentialsError: its credentials are not available here.
        """
        where = self._facts.flow.store
        if where is None or "connection_id" not in where:
            raise ConfigError(_NO_STORE)
        return page_store(where["connection_id"], self._reads.budget, self._reads.redact)

    def engines(self) -> list[str]:
        """Return the only Airflow there is."""
        return [HERE]

    def airflow(self, _engine: str) -> Any:
        """Return Airflow's database, in the place of its REST API."""
        return self._database

    def refresh(self) -> None:
        """Do nothing: no configuration can have changed."""


def record_of(dag_id: str, facts: DagFacts) -> FlowRecord:
    """Return the record of a flow as its DAG states it: nothing is asked of the store."""
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord

    flow = facts.flow
    return FlowRecord(
        flow_id=flow.id,
        name=flow.name,
        dag_id=dag_id,
        version_id=flow.version,
        created_at=published_at(facts) or datetime.fromtimestamp(0, timezone.utc),
        engine=HERE,
        delivered_to="",
        spec_sha256=flow.sha256,
    )


def published_at(facts: DagFacts) -> datetime | None:
    """Return when the version was published; None: unknown."""
    try:
        moment = datetime.fromisoformat(facts.flow.created_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def run_for(database: AirflowDatabase, dag_id: str, run_id: str, facts: DagFacts, reads: RequestReads) -> Run:
    """Return a run with the SDK's methods: ``operators()``, ``source(name)`` and the others.

    :raises NotFound: Airflow does not know the run.
    :raises ConfigError: the flow's objects are in the original's format, which the SDK does not read.
    """
    from aqueduct_provider.sdk.run import Run

    if facts.flow.dialect == "compiled":
        raise ConfigError(_NO_READER)
    info = database.run(dag_id, run_id)
    return Run(PageSession(database, facts, reads), record_of(dag_id, facts), run_id, info)
