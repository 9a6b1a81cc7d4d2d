"""Find the versions of a flow in the store: all of them, or the one that a user names."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from aqueduct_provider.errors import AuthoringError, Hint, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.results.run_facts import RunFacts
from aqueduct_provider.sdk.versions.flow_diff import flow_diff
from aqueduct_provider.sdk.versions.version import Version, Versions
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.spec.models import WorkflowSpec

log: logging.Logger = logging.getLogger("aqueduct")

LATEST = "latest"
# Where users see which versions there are.
LISTED = Hint.worded("{} lists its versions.", "flow.versions()", "aqueduct-airflow versions")
# A run stands for the version that it ran.
VersionName = int | str | UUID | Version | RunFacts

_NUMBER = re.compile(r"v?([1-9]\d{0,6})", re.ASCII)
_ID = re.compile(r"[0-9a-f-]{8,36}", re.ASCII)
# Versions that were published at the same time may have the same number, or change places.
_NEAR = 3


@dataclass(frozen=True)
class _Place:
    """Where a version is in the store.

    :param position: counts from 1 in the order of time; None: not asked for.
    """

    version_id: str
    position: int | None = None


def list_versions(registry: Registry, record: FlowRecord, limit: int) -> Versions:
    """Return the newest versions first, each with what it changed; those that cannot be read are logged.

    :param limit: how many at most.
    """
    # One more, with which the last is compared.
    read = _read(registry, record, _places(registry, record)[-(limit + 1) :])
    read.sort(key=lambda one: (one.number or 0, str(one.created_at)), reverse=True)
    found = Versions(_with_changes(new, old) for new, old in zip(read, [*read[1:], None], strict=False))
    del found[limit:]
    return found


def _with_changes(new: Version, old: Version | None) -> Version:
    if old is None:
        return new
    changes = flow_diff(old.spec, new.spec).summary()
    return Version(new.store, new.spec, new.number, tuple(changes))


def latest_version(registry: Registry, record: FlowRecord) -> Version:
    """Return the version that was published last, verified by its digest."""
    newest = registry.newest(record)
    spec = registry.latest_spec(newest)
    return Version(registry.store, spec, spec.version.number or newest.number)


def find_version(registry: Registry, record: FlowRecord, name: VersionName) -> Version:
    """Return the version that is named by its number, by 8 or more characters of its id, or as ``latest``.

    :raises NotFound: there is none.
    :raises AuthoringError: several are meant, or it is not a name of a version.
    :raises SpecError: its spec cannot be read.
    :raises DigestMismatch: its spec is not what the flow's record says.
    """
    if isinstance(name, Version):
        return name
    spec = getattr(name, "spec", None)
    text = str(spec.version.id if spec else name).strip().lower()
    if text == LATEST:
        return latest_version(registry, record)
    places = _places(registry, record)
    if isinstance(name, bool) or not is_version_name(text):
        raise AuthoringError(
            f"{name!r} is not a version of {record.name!r}: give its number, such as 12 or 'v12'; its id, or "
            "the first 8 characters of that; or 'latest'."
        )
    with_id = [one for one in places if one.version_id.startswith(text)] if len(text) >= 8 else []
    # What the record does not know stands back: anyone who may write to the store can put versions there,
    # with any number, and at any place in the order of time.
    with_id = [one for one in with_id if record.known(one.version_id)] or with_id
    number = _NUMBER.fullmatch(text)
    if with_id:
        found = _read(registry, record, with_id, strict=True)
    elif number and (claimed := record.numbered(int(number[1]))):
        found = _read(registry, record, [_Place(one.version_id) for one in reversed(claimed)], strict=True)
    else:
        found = _numbered(registry, record, places, int(number[1])) if number else []
    found = [one for one in found if record.known(one.id)] or found
    if len(found) > 1:
        raise AuthoringError(
            f"{len(found)} versions of {record.name!r} are meant by {name!r}, as they were published at the "
            f"same time: {', '.join(one.id for one in found)}. Name one by its id."
        )
    if not found:
        known = f"it has {len(places)}" if places else "none is in the store"
        raise NotFound(f"{record.name!r} has no version {name!r}: {known}.", hint=LISTED)
    return found[0]


def is_version_name(text: str) -> bool:
    """Check whether text has the form of a version's name: a number, the beginning of an id, or latest."""
    text = text.strip().lower()
    return text == LATEST or bool(_NUMBER.fullmatch(text) or _ID.fullmatch(text))


def _places(registry: Registry, record: FlowRecord) -> list[_Place]:
    """Return all versions in the store, the oldest first."""
    prefix = FlowLayout(record.flow_id).versions_prefix
    entries = sorted(registry.store.entries(prefix), key=lambda entry: (entry.modified, entry.key))
    ids = (entry.key.removeprefix(prefix).removesuffix(".json") for entry in entries)
    return [_Place(one, position) for position, one in enumerate(ids, 1)]


def _numbered(registry: Registry, record: FlowRecord, places: Sequence[_Place], number: int) -> list[Version]:
    """Return the versions with this number; those near it in the order of time are read first."""
    near = places[max(0, number - _NEAR) : number + _NEAR]
    for some in (near, places):
        if found := [one for one in _read(registry, record, some) if one.number == number]:
            return found
    return []


def _read(
    registry: Registry, record: FlowRecord, places: Sequence[_Place], *, strict: bool = False
) -> list[Version]:
    """Return those that can be read.

    :param strict: raise where one cannot be.
    """

    def read(place: _Place) -> Version | None:
        try:
            spec = registry.verified_spec(record, place.version_id)
        except (IntegrityError, NotFound, SpecError) as error:
            if strict:
                raise
            # Deleted meanwhile, of a later release, or changed.
            log.warning("Version %s of %r is left out: %s", place.version_id, record.name, error)
            return None
        return Version(registry.store, spec, _number(record, place, spec))

    return [one for one in together([partial(read, place) for place in places]) if one is not None]


def _number(record: FlowRecord, place: _Place, spec: WorkflowSpec) -> int | None:
    """Return the number of a version; None: it is not known, or the record gives it to another one."""
    for one in record.versions:
        if one.version_id == place.version_id and one.number is not None:
            return one.number
    number = spec.version.number or place.position
    return None if number is None or record.numbered(number) else number
