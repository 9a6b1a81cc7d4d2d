"""Compare the versions of flows that Airflow shows with those that were published last, as far as stores say.

In: the facts of flows on one page of a list. Out: which of them are stale. One small object is read for each
flow, at the same time; of a store that does not answer, only one is asked for, and for a while no more.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.reading import PageSession

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.spec.dag_facts import DagFacts
    from aqueduct_provider.ui.html import Visit

log = logging.getLogger(__name__)

Freshness = Literal["current", "stale"]
# Seconds for which a store that did not answer is not asked again: each time, the list waits for it.
_PAUSE = 60.0
# Connection id -> until when, by the clock of this process.
_paused: dict[str, float] = {}


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
    calls = [
        partial(_of_store, visit, flows, connection_id, dag_ids)
        for connection_id, dag_ids in by_connection.items()
        if _paused.get(connection_id, 0.0) <= time.monotonic()
    ]
    return {dag_id: one for found in together(calls) for dag_id, one in found.items()}


def _of_store(
    visit: Visit, flows: Mapping[str, DagFacts], connection_id: str, dag_ids: list[str]
) -> dict[str, Freshness]:
    try:
        registry = PageSession(visit.database, flows[dag_ids[0]], visit.reads).registry
        first = _freshness(registry, dag_ids[0], flows[dag_ids[0]])
        rest = together([partial(_freshness, registry, one, flows[one]) for one in dag_ids[1:]])
    except Exception as error:
        # Whatever a store or a secrets backend raises: the list itself needs neither.
        log.info("Which flows are stale is not known: %s", visit.reads.problem(error))
        _paused[connection_id] = time.monotonic() + _PAUSE
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
