"""Compare the versions of flows that Airflow shows with those that were published last, as far as stores say.

In: the facts of flows on one page of a list. Out: which of them are stale. One small object is read for each
flow, at the same time; of a store that does not answer, only one is asked for.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

from aqueduct_provider.errors import AqueductError, IntegrityError
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.reading import PageSession

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.spec.dag_facts import DagFacts
    from aqueduct_provider.ui.html import Visit

log = logging.getLogger(__name__)

Freshness = Literal["current", "stale"]


def freshness_of(visit: Visit, flows: Mapping[str, DagFacts]) -> dict[str, Freshness]:
    """Return which flows Airflow shows in the version that was published last; unknown ones are missing.

    :param flows: by DAG id.
    """
    by_connection: defaultdict[str, list[str]] = defaultdict(list)
    for dag_id, facts in flows.items():
        where = facts.flow.store or {}
        # Others are not read, see ``reading.py``.
        if facts.flow.dialect == "native" and "connection_id" in where:
            by_connection[where["connection_id"]].append(dag_id)
    calls = [partial(_of_store, visit, flows, dag_ids) for dag_ids in by_connection.values()]
    return {dag_id: one for found in together(calls) for dag_id, one in found.items()}


def _of_store(visit: Visit, flows: Mapping[str, DagFacts], dag_ids: list[str]) -> dict[str, Freshness]:
    try:
        registry = PageSession(visit.database, flows[dag_ids[0]], visit.reads).registry
        first = _freshness(registry, dag_ids[0], flows[dag_ids[0]])
        rest = together([partial(_freshness, registry, one, flows[one]) for one in dag_ids[1:]])
    except AqueductError as error:
        log.info("Which flows are stale is not known: %s", visit.reads.problem(error))
        return {}
    found = zip(dag_ids, [first, *rest], strict=True)
    return {dag_id: freshness for dag_id, freshness in found if freshness is not None}


def _freshness(registry: Registry, dag_id: str, facts: DagFacts) -> Freshness | None:
    try:
        record = registry.at(dag_id)
    except IntegrityError:
        # The other flows have records of their own.
        return None
    if record is None or record.flow_id != facts.flow.id:
        return None
    return "current" if record.version_id == facts.flow.version else "stale"
