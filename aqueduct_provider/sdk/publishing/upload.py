"""A composed flow -> objects, version, record and, last of all, the spec that Airflow reads.

In: what ``compose`` made, a store, and where Airflow looks. Out: the flow's record. Before the delivery only
objects are written that Airflow does not read: whatever fails, it keeps the version that it has.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, ConfigError, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_copy import objects_of
from aqueduct_provider.sdk.publishing.registry import FlowRecord, Registry
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.compose import Composition
    from aqueduct_provider.sdk.resources.delivery import Delivery
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

log: logging.Logger = logging.getLogger(__name__)


def publish(composition: Composition, store: ObjectStore, delivery: Delivery, engine: str) -> FlowRecord:
    """Publish one version of a flow.

    Objects that the version before it names are taken to be in the store: publishing an unchanged flow again
    asks for none of them. Others are looked for, and uploaded where the store lacks them.

    No lock is taken. When two users publish the same flow at the same time, the last writer wins, once with
    the record and once with the delivered spec, so the two may come to name different versions, of the same
    number. Both versions are whole, and Airflow runs the delivered one, which the DAG's description names;
    who waits for the record's version then waits in vain. The same happens when the store fails during the
    delivery. Publishing once more repairs both.

    :param store: the artifact store.
    :param delivery: puts the spec where Airflow finds it.
    :param engine: name of the resource that the flow is published to.
    :raises AuthoringError: another flow has this DAG id, here or where the spec is delivered, or had it and
        its runs are still there.
    :raises ConfigError: it cannot be delivered anywhere.
    :raises StorageError: the store did not do what was asked; Airflow has the version that it had before.
    """
    spec, registry = composition.spec, Registry(store)
    previous = _previous(registry, spec)
    present = _objects_of(registry, previous) if previous else frozenset[str]()
    missing = [(key, data) for key, data in composition.objects.items() if key not in present]
    together([partial(_put_missing, store, key, data) for key, data in missing])
    store.put(FlowLayout(str(spec.flow.id)).version(str(spec.version.id)), composition.text)
    live = previous if previous and previous.retired_at is None else None
    known_place = live.delivered_to if live and live.engine == engine else ""
    record = _record(composition, engine, known_place, previous)
    registry.put(record)
    with _taken_back(registry, record, live):
        place = delivery.deliver(spec.dag_id, composition.text)
    if place != known_place:
        record = replace(record, delivered_to=place)
        registry.put(record)
    if live is None:
        registry.forget(record)
    return record


def erase(record: FlowRecord, store: ObjectStore) -> None:
    """Delete what a retired flow has left in the store: versions, values, runs, and its record last.

    Function archives stay, for flows share them; so do objects that its load operators have written.
    """
    store.delete(store.list(FlowLayout(record.flow_id).prefix))
    Registry(store).forget(record)


def _previous(registry: Registry, spec: WorkflowSpec) -> FlowRecord | None:
    """Return the record that will be replaced; a damaged one is replaced by this publication.

    That of a flow that was deleted makes this the next version of it: its runs are still there.
    """
    try:
        previous = registry.at(spec.dag_id) or registry.retired_at(spec.dag_id)
    except IntegrityError as error:
        log.warning("%s", error)
        return None
    if previous is not None and previous.flow_id != str(spec.flow.id):
        # Airflow knows the runs of a deleted flow by its DAG id: they would be taken for those of this one.
        state, how = "is published already", ""
        if previous.retired_at is not None:
            state, how = "has left runs there", " with all that its runs left (artifacts=True)"
        raise AuthoringError(
            f"The flows {previous.name!r} and {spec.flow.name!r} have colliding names: both get the DAG id "
            f"{spec.dag_id!r} in Airflow, and {previous.name!r} {state}. Give this one another "
            f"name, or delete {previous.name!r}{how} first."
        )
    return previous


def _objects_of(registry: Registry, previous: FlowRecord) -> frozenset[str]:
    """Return the keys that the previous version names; none where its spec cannot be read any more."""
    try:
        spec = registry.spec(previous.flow_id, previous.version_id)
    except (NotFound, SpecError) as error:
        log.info("All objects of %r are looked for in the store: %s", previous.name, error)
        return frozenset()
    return frozenset(objects_of(spec))


def _put_missing(store: ObjectStore, key: str, data: bytes) -> None:
    if not store.exists(key):
        store.put(key, data)


@contextmanager
def _taken_back(registry: Registry, record: FlowRecord, live: FlowRecord | None) -> Iterator[None]:
    """Restore the registry when the delivery is refused, but not when the store fails: it may have it."""
    try:
        yield
    except (AuthoringError, ConfigError):
        if live is None:
            registry.remove(record)
        else:
            registry.put(live)
        raise


def _record(composition: Composition, engine: str, place: str, previous: FlowRecord | None) -> FlowRecord:
    spec = composition.spec
    return FlowRecord(
        flow_id=str(spec.flow.id),
        name=spec.flow.name,
        dag_id=spec.dag_id,
        version_id=str(spec.version.id),
        created_at=spec.version.created_at or datetime.now(timezone.utc),
        engine=engine,
        delivered_to=place,
        spec_sha256=hashlib.sha256(composition.text).hexdigest(),
        earlier=previous.next_earlier() if previous else (),
        number=spec.version.number,
    )
