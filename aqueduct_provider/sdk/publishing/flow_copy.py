"""A whole version of a flow: its spec, and the objects that the spec names, to be taken elsewhere.

In: a registry and a record. Out: bytes, verified by the digests in the spec. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import DigestMismatch, Hint, IntegrityError
from aqueduct_provider.sdk.publishing.flow_record import EARLIER
from aqueduct_provider.spec.version_label import version_name
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.spec.models import WorkflowSpec


@dataclass(frozen=True)
class FlowCopy:
    """A version of a flow.

    :param text: the JSON of the spec, as it was published.
    :param objects: key -> bytes of the function archives and the stored defaults that it names.
    """

    spec: WorkflowSpec
    text: bytes = field(repr=False)
    objects: Mapping[str, bytes] = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """Return the spec as JSON has it, to be changed."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def objects_of(spec: WorkflowSpec) -> dict[str, str]:
    """Return the objects that a spec names: key -> sha256 of its bytes."""
    return dict(_named(spec))


def copy_of(
    registry: Registry, record: FlowRecord, version_id: str = "", *, trust_store: bool = False
) -> FlowCopy:
    """Read a version of a flow from its store.

    :param version_id: empty: the one that was published last.
    :param trust_store: whether one that the record does not know is taken all the same.
    :raises NotFound: the version is not there.
    :raises ObjectNotFound: an object that it names is not there.
    :raises DigestMismatch: one of them was changed.
    :raises IntegrityError: the record does not know the version.
    """
    copy = copy_without_objects(registry, record, version_id or record.version_id, trust_store=trust_store)
    named = objects_of(copy.spec)
    found = together([partial(registry.store.get, key) for key in named])
    objects = dict(zip(named, found, strict=True))
    for key, sha256 in named.items():
        check_digest(registry.store.url(key), objects[key], sha256)
    return FlowCopy(copy.spec, copy.text, objects)


def copy_without_objects(
    registry: Registry, record: FlowRecord, version_id: str, *, trust_store: bool
) -> FlowCopy:
    """Read the spec of a version alone, to be published or taken elsewhere. See :func:`copy_of`."""
    from aqueduct_provider.spec.loader import parse

    place = registry.store.url(FlowLayout(record.flow_id).version(version_id))
    text = registry.verified_text(record, version_id)
    spec = parse(text, place)
    if not (trust_store or record.known(version_id)):
        raise IntegrityError(
            f"{version_name(version_id, spec.version.number)} of {record.name!r} is not taken: the flow's "
            f"record has digests of its last {EARLIER} versions and not of this one, so whoever can write to "
            f"{registry.store.url('')} could have put it there; if you trust everyone who can,",
            hint=Hint.worded("pass {}.", "trust_store=True", "--trust-store"),
        )
    registry.check_ids(record, version_id, spec)
    return FlowCopy(spec, text, {})


def check_digest(place: str, data: bytes, sha256: str) -> None:
    """Raise ``DigestMismatch`` unless the bytes are those that the spec names.

    :param place: where they were read, for the message.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DigestMismatch(
            f"{place} is not what the flow's spec names: its sha256 is {found}, not {sha256}. It was changed "
            "or damaged: publish the flow again from its source."
        )


def _named(spec: WorkflowSpec) -> Iterator[tuple[str, str]]:
    from aqueduct_provider.spec.models import CallOperator, StoredDefault

    for operator in spec.operators:
        if isinstance(operator, CallOperator):
            yield operator.code.key, operator.code.sha256
    for parameter in spec.parameters:
        if isinstance(parameter.default, StoredDefault):
            yield parameter.default.key, parameter.default.sha256
