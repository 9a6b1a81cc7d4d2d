"""The record of a flow: what was published last, and what before (pure).

In: the small JSON that ``registry.py`` keeps in the store. Out: a frozen value. Readers ignore fields that
they do not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aqueduct_provider.spec.names import nfc
from aqueduct_provider.spec.version_label import version_name

# So many versions before the last one are in the record, with the digests of their specs: what is older
# cannot be verified.
EARLIER = 200
_STRINGS = ("flow_id", "name", "dag_id", "version_id", "engine", "delivered_to", "spec_sha256")


@dataclass(frozen=True)
class PublishedVersion:
    """One version of a flow.

    :param created_at: when it was published, with offset.
    :param number: counts the flow's versions from 1; None: unknown.
    :param spec_sha256: digest of its spec; empty: unknown.
    """

    version_id: str
    created_at: datetime
    number: int | None = None
    spec_sha256: str = ""

    @property
    def label(self) -> str:
        """What users call it: ``v12 (7d49f3c4)``."""
        return version_name(self.version_id, self.number)


@dataclass(frozen=True)
class FlowRecord:
    """A flow as it was published last.

    :param flow_id: UUID, the same for every version.
    :param created_at: when this version was published, with offset.
    :param engine: name of the resource that it was published to.
    :param delivered_to: where its spec is for Airflow, as it is shown; empty until it is there.
    :param spec_sha256: digest of the version's spec.
    :param retired_at: when the flow was deleted; None: it is published.
    :param earlier: the versions before this one, the newest first; not all of them.
    :param number: counts the flow's versions from 1; None: unknown.
    """

    flow_id: str
    name: str
    dag_id: str
    version_id: str
    created_at: datetime
    engine: str
    delivered_to: str
    spec_sha256: str
    retired_at: datetime | None = None
    earlier: tuple[PublishedVersion, ...] = ()
    number: int | None = None

    @property
    def newest(self) -> PublishedVersion:
        """The version that was published last."""
        return PublishedVersion(self.version_id, self.created_at, self.number, self.spec_sha256)

    @property
    def versions(self) -> tuple[PublishedVersion, ...]:
        """This version and those before it that are known, the newest first."""
        return (self.newest, *self.earlier)

    def known(self, version_id: str) -> PublishedVersion | None:
        """Return a version with the digest of its spec; None: the record has none of it."""
        return next((one for one in self.versions if one.version_id == version_id and one.spec_sha256), None)

    def numbered(self, number: int) -> list[PublishedVersion]:
        """Return the versions that have this number: one, unless two were published at the same time."""
        return [one for one in self.versions if one.number == number]

    def next_earlier(self) -> tuple[PublishedVersion, ...]:
        """Return what ``earlier`` is in the record of the next version."""
        return self.versions[:EARLIER]

    def to_json(self) -> bytes:
        """Return the stored form."""
        document: dict[str, Any] = {name: getattr(self, name) for name in _STRINGS}
        document["created_at"] = self.created_at.isoformat()
        if self.retired_at is not None:
            document["retired_at"] = self.retired_at.isoformat()
        if self.number is not None:
            document["number"] = self.number
        document["earlier"] = [_version_document(one) for one in self.earlier]
        return json.dumps(document, indent=2).encode()

    @classmethod
    def from_json(cls, data: bytes) -> FlowRecord:
        """Return the record in ``data``.

        :raises ValueError: there is none.
        """
        document = json.loads(data)
        if not isinstance(document, dict):
            raise ValueError("it is not a JSON object")
        strings = {name: _text(document, name) for name in _STRINGS}
        strings["name"] = nfc(strings["name"])
        # Both become parts of keys, also of those that are deleted.
        strings.update({name: str(UUID(strings[name])) for name in ("flow_id", "version_id")})
        gone = document.get("retired_at")
        return cls(
            **strings,
            created_at=_moment(document, "created_at"),
            retired_at=None if gone is None else _moment(document, "retired_at"),
            earlier=tuple(_version(one) for one in _list(document, "earlier")),
            number=_number(document),
        )


def _version_document(version: PublishedVersion) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version_id": version.version_id,
        "created_at": version.created_at.isoformat(),
        "number": version.number,
        "spec_sha256": version.spec_sha256,
    }
    return {name: value for name, value in document.items() if value not in (None, "")}


def _version(document: Any) -> PublishedVersion:
    if not isinstance(document, dict):
        raise ValueError("an earlier version is not a JSON object")
    return PublishedVersion(
        str(UUID(_text(document, "version_id"))),
        _moment(document, "created_at"),
        _number(document),
        _text(document, "spec_sha256") if "spec_sha256" in document else "",
    )


def _number(document: Mapping[str, Any]) -> int | None:
    number = document.get("number")
    if number is None or (type(number) is int and number > 0):
        return number
    raise ValueError("number is not an integer above 0")


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ValueError(f"it has no text at {name}")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"it has no list at {name}")
    return value


def _moment(document: Mapping[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(_text(document, name))
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no offset")
    return moment
