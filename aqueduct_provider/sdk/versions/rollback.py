"""Put an earlier version of a flow back: its content becomes a new version, delivered as publishing does it.

In: the record of a flow and a version of it. Out: the new record, and what differs from the version that was
published until now. Everything is taken from the store and verified there by its digest; nothing is
unpickled, and neither the source nor the Python of that version is needed here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.transfer import fetch_file
from aqueduct_provider.errors import AuthoringError, IntegrityError, NotFound, ObjectNotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_copy import copy_without_objects, objects_of
from aqueduct_provider.sdk.publishing.origin import publisher, version_message
from aqueduct_provider.sdk.publishing.publish import check_spec
from aqueduct_provider.sdk.publishing.republish import republished
from aqueduct_provider.sdk.publishing.upload import publish
from aqueduct_provider.sdk.versions.finding import LISTED, VersionName, find_version, latest_version
from aqueduct_provider.sdk.versions.version import Version, diff_versions
from aqueduct_provider.storage.layout import delivered_spec
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.resources.delivery import Delivery
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff
    from aqueduct_provider.storage.object_store import ObjectStore

log: logging.Logger = logging.getLogger("aqueduct")


@dataclass(frozen=True)
class Restored:
    """What a rollback did.

    :param record: of the flow, as it is published now.
    :param version: the new one.
    :param source: the one whose content it has.
    :param diff: between the version that was published until now, and the new one.
    """

    record: FlowRecord
    version: Version
    source: Version
    diff: FlowDiff


def rollback(
    session: Session, record: FlowRecord, name: VersionName, message: str, *, trust_store: bool = False
) -> Restored:
    """Publish the content of an earlier version again.

    :param name: what the user calls that version.
    :param trust_store: whether one that the flow's record does not know is put back all the same.
    :raises NotFound: it does not exist, or the store lacks what it names.
    :raises AuthoringError: it is what is published, or the flow's Airflow cannot run it.
    :raises DigestMismatch: it was changed after it was published.
    :raises IntegrityError: the flow's record does not know it.
    """
    registry, why = session.registry, version_message("rollback", message)
    record = registry.newest(record)
    source = find_version(registry, record, name)
    if source.id == record.version_id and record.retired_at is None:
        raise AuthoringError(
            f"{source} of {record.name!r} is what is published, so there is nothing to put back.", hint=LISTED
        )
    copy = copy_without_objects(registry, record, source.id, trust_store=trust_store)
    source = replace(source, spec=copy.spec)
    engine = _engine(session, record)
    # Where it is not connected here, what it can run is not known.
    if engine is not None:
        check_spec(session, source.spec, engine)
    _check_objects(session.store, source)
    current = _current(registry, record) or source
    composition = republished(
        copy,
        # How workers reach the store is not the flow's, and may have changed since.
        current.spec.model_dump(mode="json")["artifact_store"],
        number=registry.next_number(record.flow_id),
        version={**why, **publisher(), "restores": source.number},
    )
    published = publish(composition, session.store, _delivery(session, record, engine), record.engine)
    new = Version(session.store, composition.spec, composition.spec.version.number)
    return Restored(published, new, source, diff_versions(current, new))


def print_rollback(restored: Restored) -> None:
    """Print what a rollback changed, in a short table, and where the spec is."""
    from aqueduct_provider.sdk.console import console, print_text
    from aqueduct_provider.sdk.display.flow_diffs import short_diff_text

    record = restored.record
    console().print(short_diff_text(restored.diff))
    print_text(
        f"Published {restored.version} of {record.name!r} (DAG {record.dag_id}) to {record.delivered_to}: it "
        f"restores {restored.source}."
    )


def _current(registry: Registry, record: FlowRecord) -> Version | None:
    """Return the version that was published until now; None: it is damaged, which must not keep it there."""
    try:
        return latest_version(registry, record)
    except (IntegrityError, NotFound, SpecError) as error:
        log.warning("What the rollback changes is not known: %s", error)
        return None


# --- what is refused


def _check_objects(store: ObjectStore, version: Version) -> None:
    """Check that everything that the version names is in the store as it was published."""
    named = objects_of(version.spec)
    with TemporaryDirectory(prefix="aqueduct-") as folder:
        paths = [Path(folder) / f"{place}" for place in range(len(named))]
        fetch = [
            partial(_check_object, store, version, key, path, sha256)
            for (key, sha256), path in zip(named.items(), paths, strict=True)
        ]
        together(fetch)


def _check_object(store: ObjectStore, version: Version, key: str, path: Path, sha256: str) -> None:
    try:
        fetch_file(store, key, path, sha256)
    except ObjectNotFound as error:
        raise NotFound(
            f"{version} cannot be put back: {store.url(key)}, which it needs, was deleted. Publish the flow "
            "from its source instead."
        ) from error
    path.unlink()


# --- where it goes


def _engine(session: Session, record: FlowRecord) -> AirflowResource | None:
    """Return the Airflow of the flow; None where it is not connected here."""
    try:
        return session.engine(record.engine)
    except NotFound:
        return None


def _delivery(session: Session, record: FlowRecord, engine: AirflowResource | None) -> Delivery:
    """Return how specs get to the flow's Airflow; to the store, also from where Airflow is not connected."""
    from aqueduct_provider.sdk.resources.delivery import StoreDelivery

    if engine is not None:
        return engine.delivery(session.store)
    if record.delivered_to == session.store.url(delivered_spec(record.dag_id)):
        return StoreDelivery(session.store)
    raise AuthoringError(
        f"{record.name!r} is delivered to {record.delivered_to}, by the resource {record.engine!r}, which is "
        f'not connected here. Connect it: client.connect_resource({record.engine!r}, "Airflow", {{...}}).'
    )
