"""The page of one flow: the tab of its DAG."""

from __future__ import annotations

from aqueduct_provider.errors import NotFound
from aqueduct_provider.spec.dag_facts import DagFacts
from aqueduct_provider.ui.html import Page, Visit, render


def flow_page(visit: Visit) -> Page:
    """Return the page of a flow, or a friendly sentence about a DAG that is not one."""
    facts = visit.database.facts([visit.dag_id]).get(visit.dag_id)
    if facts is None:
        return render(visit, "no_flow.html")
    return render(visit, "flow.html", facts=facts)


def facts_or_raise(visit: Visit) -> DagFacts:
    """Return what the DAG of a visit states of its flow.

    :raises NotFound: it is not a DAG of a flow.
    """
    facts = visit.database.facts([visit.dag_id]).get(visit.dag_id)
    if facts is None:
        raise NotFound(
            f"{visit.dag_id!r} is not a DAG of a flow that this release of Aqueduct's provider made."
        )
    return facts


def spec_download(visit: Visit) -> Page:
    """Return the workflow spec of a flow as a file."""
    facts_or_raise(visit)
    raise NotFound("Not written yet.")
