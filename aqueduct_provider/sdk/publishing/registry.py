"""What is published: the records and the specs in the artifact store, which is the registry.

In: a store. Out: records, one for each flow, and the specs of all its versions. A record is small JSON; its
readers ignore fields that they do not know. Must not import: Airflow; the spec's models only when a spec is
read.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aqueduct_provider.errors import DigestMismatch, IntegrityError, NotFound, ObjectNotFound
from aqueduct_provider.sdk.names import suggestion
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of
from aqueduct_provider.state.exec_state import exec_state_from_json
from aqueduct_provider.storage.layout import PUBLISHED_PREFIX, FlowLayout, NativeLayout, published
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.base import ObjectStore

log = logging.getLogger(__name__)

# Requests at the same time.
REQUESTS = 16
_SPECS_KEPT = 256


@dataclass(frozen=True)
class Record:
    """A flow as it was published last.

    :param flow_id: UUID, the same for every version.
    :param created_at: when this version was published, with offset.
    :param engine: name of the resource that it was published to.
    :param delivered_to: where its spec lies for Airflow, for people; empty until it is there.
    :param spec_sha256: digest of the version's spec.
    """

    flow_id: str
    name: str
    dag_id: str
    version_id: str
    created_at: datetime
    engine: str
    delivered_to: str
    spec_sha256: str

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps({**asdict(self), "created_at": self.created_at.isoformat()}, indent=2).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """The record in ``data``.

        :raises ValueError: there is none.
        """
        document = json.loads(data)
        if not isinstance(document, dict):
            raise ValueError("it is no JSON object")
        values = {field.name: document.get(field.name) for field in fields(cls)}
        if wrong := [name for name, value in values.items() if not isinstance(value, str)]:
            raise ValueError(f"it has no text at {', '.join(wrong)}")
        known: dict[str, Any] = values
        created_at = datetime.fromisoformat(known["created_at"])
        if created_at.tzinfo is None:
            raise ValueError("created_at has no offset")
        # Both become parts of keys, also of those that are deleted.
        ids = {name: str(UUID(known[name])) for name in ("flow_id", "version_id")}
        return cls(**{**known, **ids, "created_at": created_at})


class Registry:
    """The flows that are published in a store. Safe to use from several threads.

    :param store: the artifact store.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        # Specs of versions never change.
        self._read_spec = lru_cache(maxsize=_SPECS_KEPT)(self._parse_spec)

    def records(self) -> list[Record]:
        """Every published flow, in the order of DAG ids; those whose record is damaged are logged."""
        found, damaged = self._read_all()
        for error in damaged:
            log.warning("%s", error)
        return found

    def at(self, dag_id: str) -> Record | None:
        """The record of a DAG id, in one request; None where there is none.

        :raises IntegrityError: it is damaged.
        """
        try:
            return self._read(published(dag_id))
        except ObjectNotFound:
            return None

    def find(self, identifier: str | UUID) -> Record:
        """The flow with this name; else the one with this DAG id; else the one with this flow id.

        :raises NotFound: there is none.
        :raises IntegrityError: its record is damaged.
        """
        wanted = str(identifier)
        # By its name, a flow is found in one request, however many there are.
        near = self.at(dag_id_of(wanted))
        if near is not None and near.name == wanted:
            return near
        known, damaged = self._read_all()
        record = _first(known, wanted)
        if record is None:
            raise self._not_found(wanted, known, damaged)
        return record

    def versions(self, flow_id: str) -> list[str]:
        """The ids of a flow's versions, in no order of time: their specs know when they were made."""
        prefix = FlowLayout(flow_id).versions_prefix
        keys = self.store.list(prefix)
        return [key.removeprefix(prefix).removesuffix(".json") for key in keys if key.endswith(".json")]

    def spec(self, flow_id: str, version_id: str) -> WorkflowSpec:
        """The spec of one version, read once.

        :raises NotFound: there is no such version.
        :raises SpecError: a later release has published it, or it is damaged.
        """
        return self._read_spec(flow_id, version_id)[0]

    def latest_spec(self, record: Record) -> WorkflowSpec:
        """The spec of the record's version.

        :raises DigestMismatch: it is not the one that was published.
        """
        spec, found = self._read_spec(record.flow_id, record.version_id)
        if found != record.spec_sha256:
            where = self.store.url(FlowLayout(record.flow_id).version(record.version_id))
            raise DigestMismatch(
                f"{where} was changed after it was published: its sha256 is {found}, the flow's record has "
                f"{record.spec_sha256}. Publish the flow again."
            )
        return spec

    def spec_text(self, flow_id: str, version_id: str) -> bytes:
        """The JSON of one version's spec, as it was published.

        :raises NotFound: there is no such version.
        """
        key = FlowLayout(flow_id).version(version_id)
        try:
            return self.store.get(key)
        except ObjectNotFound as error:
            raise NotFound(
                f"There is no version {version_id} of the flow {flow_id}: {self.store.url(key)} was deleted, "
                "or is of another store."
            ) from error

    def version_of_run(self, flow_id: str, run_id: str) -> str | None:
        """The version that a run used, by the first exec state that it has left; two requests.

        :return: None while the run has left none, and for runs that did not record it yet.
        """
        key = next(iter(self.store.list(NativeLayout(flow_id, run_id).operators_prefix)), None)
        if key is None:
            return None
        try:
            return exec_state_from_json(self.store.get(key)).version
        except (ObjectNotFound, IntegrityError):
            return None

    def put(self, record: Record) -> None:
        """Write a flow's record."""
        self.store.put(published(record.dag_id), record.to_json())

    def remove(self, record: Record) -> None:
        """Delete a flow's record; one that is not there is no error."""
        self.store.delete([published(record.dag_id)])

    def _parse_spec(self, flow_id: str, version_id: str) -> tuple[WorkflowSpec, str]:
        from aqueduct_provider.spec.loader import parse

        text = self.spec_text(flow_id, version_id)
        source = self.store.url(FlowLayout(flow_id).version(version_id))
        return parse(text, source), hashlib.sha256(text).hexdigest()

    def _read(self, key: str) -> Record:
        data = self.store.get(key)
        try:
            record = Record.from_json(data)
            if published(record.dag_id) != key:
                raise ValueError("it is that of another DAG id")
        except (ValueError, RecursionError) as error:
            raise IntegrityError(
                f"{self.store.url(key)} is no record of a published flow: {error}. Publish the flow again, "
                "or delete the object."
            ) from error
        return record

    def _read_all(self) -> tuple[list[Record], list[IntegrityError]]:
        """The records that can be read, and the errors of the others."""
        keys = [key for key in self.store.list(PUBLISHED_PREFIX) if key.endswith(".json")]
        found = together([partial(self._attempt, key) for key in keys], REQUESTS)
        records = [one for one in found if isinstance(one, Record)]
        return records, [one for one in found if isinstance(one, IntegrityError)]

    def _attempt(self, key: str) -> Record | IntegrityError | None:
        try:
            return self._read(key)
        except ObjectNotFound:  # Deleted since it was listed.
            return None
        except IntegrityError as error:
            return error

    def _not_found(self, wanted: str, known: list[Record], damaged: list[IntegrityError]) -> NotFound:
        message = f"There is no flow {wanted!r} in {self.store.url(PUBLISHED_PREFIX)}."
        message += suggestion(wanted, {name for one in known for name in (one.name, one.dag_id)})
        if damaged:
            message += f" It may be one that cannot be read: {' '.join(map(str, damaged))}"
        return NotFound(message)


def _first(records: Sequence[Record], wanted: str) -> Record | None:
    """The record with this name; else the one with this DAG id; else the one with this flow id."""
    try:
        flow_id = str(UUID(wanted))
    except ValueError:
        flow_id = ""
    for field, value in (("name", wanted), ("dag_id", wanted), ("flow_id", flow_id)):
        for record in records:
            if getattr(record, field) == value:
                return record
    return None
