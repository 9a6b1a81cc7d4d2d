"""The registry of what is published: the records and the specs in the artifact store.

In: a store. Out: records, one for each flow, and the specs of all its versions. The record of a flow that was
deleted stays, elsewhere, as long as its runs do.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from aqueduct_provider.errors import DigestMismatch, IntegrityError, NotFound, ObjectNotFound
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
from aqueduct_provider.sdk.suggest import suggestion, tidy
from aqueduct_provider.state.exec_state import exec_state_from_json
from aqueduct_provider.storage.layout import (
    PUBLISHED_PREFIX,
    RETIRED_PREFIX,
    FlowLayout,
    NativeLayout,
    delivered_spec,
    pinned_spec,
    published,
    retired,
)
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

__all__ = ["FlowRecord", "Registry"]

log: logging.Logger = logging.getLogger(__name__)

_SPECS_KEPT = 256
# Versions of a flow; S3 lists 1,000 in one request.
_MOST_COUNTED = 10_000


class Registry:
    """The flows that are published in a store. Safe to use from several threads.

    :param store: the artifact store.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        # Specs of versions never change.
        self._read_spec = lru_cache(maxsize=_SPECS_KEPT)(self._parse_spec)

    def records(self) -> list[FlowRecord]:
        """Return every published flow, in the order of DAG ids; those whose record is damaged are logged."""
        return _told(*self._read_all(PUBLISHED_PREFIX))

    def retired(self) -> list[FlowRecord]:
        """Return every flow that was deleted and whose runs are still there, in the same order."""
        found = _told(*self._read_all(RETIRED_PREFIX))
        # One that was just published again may still have both records.
        live = set(self.store.list(PUBLISHED_PREFIX)) if found else set()
        return [record for record in found if published(record.dag_id) not in live]

    def at(self, dag_id: str) -> FlowRecord | None:
        """Return the record of a published flow by its DAG id, in one request; None where there is none.

        :raises IntegrityError: it is damaged.
        """
        return self._read_if_there(published(dag_id))

    def retired_at(self, dag_id: str) -> FlowRecord | None:
        """Return the record of a deleted flow by its DAG id; None where there is none."""
        return self._read_if_there(retired(dag_id))

    def newest(self, record: FlowRecord) -> FlowRecord:
        """Return the record of the same flow as it is now; the given one where it is gone."""
        return self.at(record.dag_id) or self.retired_at(record.dag_id) or record

    def find(self, identifier: str | UUID, *, retired: bool = False) -> FlowRecord:
        """Find the published flow with this name; else the one with this DAG id; else that with this flow id.

        :param retired: where no published flow is meant, one that was deleted will do.
        :raises NotFound: there is none.
        :raises IntegrityError: its record is damaged.
        """
        wanted = tidy(str(identifier))
        places = {PUBLISHED_PREFIX: self.at, **({RETIRED_PREFIX: self.retired_at} if retired else {})}
        for at in places.values():
            # By its name, a flow is found in one request, however many there are.
            if near := _named(wanted, at):
                return near
        known, damaged = list[FlowRecord](), list[IntegrityError]()
        for prefix in places:
            records, errors = self._read_all(prefix)
            if record := _first(records, wanted):
                return record
            known, damaged = known + records, damaged + errors
        raise self._not_found(wanted, known, damaged, None if retired else _named(wanted, self.retired_at))

    def next_number(self, flow_id: str) -> int | None:
        """Return the number of a flow's next version: one more than there are, in at most 10 requests.

        :return: None: it has too many to count them.
        """
        count = sum(1 for _ in islice(self.store.list(FlowLayout(flow_id).versions_prefix), _MOST_COUNTED))
        return count + 1 if count < _MOST_COUNTED else None

    def spec(self, flow_id: str, version_id: str) -> WorkflowSpec:
        """Return the spec of one version, read once.

        :raises NotFound: the version does not exist.
        :raises SpecError: a later release has published it, or it is damaged.
        """
        return self._read_spec(flow_id, version_id)[0]

    def verified_spec(self, record: FlowRecord, version_id: str) -> WorkflowSpec:
        """Return the spec of one version, which must be that of the record if the record knows the version.

        :raises NotFound: the version does not exist.
        :raises SpecError: a later release has published it, or it is damaged.
        :raises DigestMismatch: it is not the one that was published.
        :raises IntegrityError: it is another version, or of another flow.
        """
        spec, found = self._read_spec(record.flow_id, version_id)
        self._check_digest(record, version_id, found)
        self.check_ids(record, version_id, spec)
        return spec

    def verified_text(self, record: FlowRecord, version_id: str) -> bytes:
        """Return the JSON of the same."""
        text = self.spec_text(record.flow_id, version_id)
        self._check_digest(record, version_id, hashlib.sha256(text).hexdigest())
        return text

    def spec_text(self, flow_id: str, version_id: str) -> bytes:
        """Return the JSON of one version's spec, as it was published.

        :raises NotFound: the version does not exist.
        """
        key = FlowLayout(flow_id).version(version_id)
        try:
            return self.store.get(key)
        except ObjectNotFound as error:
            raise NotFound(
                f"Version {version_id} of the flow {flow_id} is missing: {self.store.url(key)} was deleted, "
                "or is of another store."
            ) from error

    def spec_of_digest(self, dag_id: str, sha256: str) -> WorkflowSpec | None:
        """Find the spec with this digest, as it is delivered now, or as a bundle has pinned it; else None."""
        from aqueduct_provider.spec.loader import parse

        for key in (pinned_spec(sha256), delivered_spec(dag_id)):
            with suppress(ObjectNotFound):
                text = self.store.get(key)
                if hashlib.sha256(text).hexdigest() == sha256:
                    return parse(text, self.store.url(key))
        return None

    def latest_spec(self, record: FlowRecord) -> WorkflowSpec:
        """Return the spec of the record's version.

        :raises DigestMismatch: it is not the one that was published.
        """
        return self.verified_spec(record, record.version_id)

    def version_of_run(self, flow_id: str, run_id: str) -> str | None:
        """Return the version that a run used, by the first exec state that it has left; two requests.

        :return: None while the run has left none; empty where that one names no version.
        """
        key = next(iter(self.store.list(NativeLayout(flow_id, run_id).operators_prefix)), None)
        if key is None:
            return None
        try:
            # It becomes part of a key, so only ids are taken.
            return str(UUID(exec_state_from_json(self.store.get(key)).version or ""))
        except (ObjectNotFound, IntegrityError, ValueError):
            return ""

    def put(self, record: FlowRecord) -> None:
        """Write the record of a published flow."""
        self.store.put(published(record.dag_id), record.to_json())

    def remove(self, record: FlowRecord) -> None:
        """Delete the record of a published flow; one that is not there is not an error."""
        self.store.delete([published(record.dag_id)])

    def retire(self, record: FlowRecord, moment: datetime) -> FlowRecord:
        """Move the record of a published flow to the retired ones.

        :param moment: when the flow was deleted.
        """
        gone = replace(record, retired_at=moment)
        # In this order it is never lost.
        self.store.put(retired(record.dag_id), gone.to_json())
        self.remove(record)
        return gone

    def forget(self, record: FlowRecord) -> None:
        """Delete the record of a retired flow: it is published again, or all that it left is deleted."""
        self.store.delete([retired(record.dag_id)])

    def check_ids(self, record: FlowRecord, version_id: str, spec: WorkflowSpec) -> None:
        """Check that the spec that was read as a version of a flow says that it is this version.

        :raises IntegrityError: it says something else.
        """
        found = str(spec.version.id)
        if (str(spec.flow.id), spec.dag_id, found) != (record.flow_id, record.dag_id, version_id):
            raise IntegrityError(
                f"{self.store.url(FlowLayout(record.flow_id).version(version_id))} is version {found} of "
                f"{spec.flow.name!r}, and not version {version_id} of {record.name!r}. Take another version."
            )

    def _check_digest(self, record: FlowRecord, version_id: str, found: str) -> None:
        known = record.known(version_id)
        # The record always has that of the newest version.
        wanted = known.spec_sha256 if known else record.spec_sha256
        if found != wanted and (known or version_id == record.version_id):
            where = self.store.url(FlowLayout(record.flow_id).version(version_id))
            raise DigestMismatch(
                f"{where} was changed after it was published: its sha256 is {found}, the flow's record has "
                f"{wanted}. Publish the flow again."
            )

    def _parse_spec(self, flow_id: str, version_id: str) -> tuple[WorkflowSpec, str]:
        from aqueduct_provider.spec.loader import parse

        text = self.spec_text(flow_id, version_id)
        place = self.store.url(FlowLayout(flow_id).version(version_id))
        return parse(text, place), hashlib.sha256(text).hexdigest()

    def _read(self, key: str) -> FlowRecord:
        data = self.store.get(key)
        try:
            record = FlowRecord.from_json(data)
            if key not in (published(record.dag_id), retired(record.dag_id)):
                raise ValueError("it is that of another DAG id")
            # Its id is part of the keys that are deleted, so it must not name another flow's objects.
            if (record.flow_id, record.dag_id) != (flow_id_of(record.name), dag_id_of(record.name)):
                raise ValueError(f"its ids are not those of a flow named {record.name!r}")
        except (ValueError, RecursionError) as error:
            raise IntegrityError(
                f"{self.store.url(key)} is not a valid record of a published flow: {error}. Publish the flow "
                "again, or delete the object."
            ) from error
        return record

    def _read_if_there(self, key: str) -> FlowRecord | None:
        try:
            return self._read(key)
        except ObjectNotFound:
            return None

    def _read_all(self, prefix: str) -> tuple[list[FlowRecord], list[IntegrityError]]:
        """Return the records that can be read, and the errors of the others."""
        keys = [key for key in self.store.list(prefix) if key.endswith(".json")]
        found = together([partial(self._attempt, key) for key in keys])
        records = [one for one in found if isinstance(one, FlowRecord)]
        return records, [one for one in found if isinstance(one, IntegrityError)]

    def _attempt(self, key: str) -> FlowRecord | IntegrityError | None:
        try:
            return self._read(key)
        except ObjectNotFound:  # Deleted since it was listed.
            return None
        except IntegrityError as error:
            return error

    def _not_found(
        self, wanted: str, known: list[FlowRecord], damaged: list[IntegrityError], gone: FlowRecord | None
    ) -> NotFound:
        message = f"No flow {wanted!r} in {self.store.url(PUBLISHED_PREFIX)}."
        if gone is not None and gone.retired_at is not None:
            message += f" It was deleted on {gone.retired_at:%Y-%m-%d}. Publish it again first."
        else:
            message += suggestion(wanted, {name for one in known for name in (one.name, one.dag_id)})
        if damaged:
            message += f" It may be one that cannot be read: {' '.join(map(str, damaged))}"
        return NotFound(message)


def _named(name: str, at: Callable[[str], FlowRecord | None]) -> FlowRecord | None:
    near = at(dag_id_of(name))
    return near if near is not None and near.name == name else None


def _told(records: list[FlowRecord], damaged: list[IntegrityError]) -> list[FlowRecord]:
    for error in damaged:
        log.warning("%s", error)
    return records


def _first(records: Sequence[FlowRecord], wanted: str) -> FlowRecord | None:
    """Return the record with this name; else the one with this DAG id; else the one with this flow id."""
    try:
        flow_id = str(UUID(wanted))
    except ValueError:
        flow_id = ""
    for field, value in (("name", wanted), ("dag_id", wanted), ("flow_id", flow_id)):
        for record in records:
            if getattr(record, field) == value:
                return record
    return None
