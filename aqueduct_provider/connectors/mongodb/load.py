"""Load documents into a collection, in one of three update modes, with the same result at a second try.

A single MongoDB server has no transactions, and those of a replica set end after a minute. So:

- ``replace`` and ``fail`` write into a collection next to the target, ``TableLoad.staging``, and rename it to
  the target in one step. Readers see the old documents or the new ones, and a load that fails leaves the old.
  The new collection gets the old one's options and indexes.
- ``append`` writes into the target; ``insert.py`` sees to it that a second try writes nothing twice.
  A load that is refused takes back the documents whose ``_id`` it made.
- ``append`` and ``fail`` leave a document in ``aqueduct_loads``: the key, and whether all was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aqueduct_provider.connectors.mongodb.errors import NAMESPACE_EXISTS, translated
from aqueduct_provider.connectors.mongodb.insert import Insertion, Rows
from aqueduct_provider.connectors.tables.model import TableLoad
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.protected_keys import LEDGER


def write(database: Any, what: str, rows: Rows, load: TableLoad) -> int | None:
    """Write documents.

    :param database: of pymongo.
    :param what: what error messages call it.
    :returns: their number; None when an earlier try of this load has written them.
    :raises DataSystemError: they cannot be written.
    """
    what = f"{what}, collection {load.table}"
    with translated(what, LoadRefused):
        work = _Load(database, what, load, _described(database, str(load.table)))
        match load.mode:
            case "replace":
                return work.replace(rows)
            case "append":
                return work.append(rows)
            case "fail":
                return work.create(rows)


def _described(database: Any, name: str) -> Mapping[str, Any]:
    """Return the server's description of a collection; empty: it does not exist."""
    found: Mapping[str, Any] = next(iter(database.list_collections(filter={"name": name})), {})
    if found.get("type") == "view":
        raise LoadRefused(f"{name} is a view, which cannot be written: name a collection.")
    return found


@dataclass(frozen=True)
class _Load:
    """One load.

    :param old: what the server says of the target; empty: there is none.
    """

    database: Any
    what: str
    load: TableLoad
    old: Mapping[str, Any]

    # --- the update modes

    def replace(self, rows: Rows) -> int:
        with self._staged() as staging:
            count = self._fill(staging, rows)
            staging.rename(self._target.name, dropTarget=True)
        return count

    def append(self, rows: Rows) -> int | None:
        if self._marker().get("loaded_at"):
            return None
        insertion = Insertion(self.what, self.load.key)
        try:
            if not self.old:
                self._create(self._target.name)
            count = insertion.insert(self._target, rows)
        except LoadRefused:
            self._target.delete_many(insertion.own_ids())
            self._forget()
            raise
        self._note(row_count=count, loaded_at=_now())
        return count

    def create(self, rows: Rows) -> int | None:
        marker = self._marker()
        if marker.get("loaded_at"):
            return None
        if self._was_renamed(marker):
            self._note(loaded_at=_now())
            return None
        try:
            count = self._create_filled(rows)
        except LoadRefused:
            self._forget()
            raise
        self._note(loaded_at=_now())
        return count

    def _create_filled(self, rows: Rows) -> int:
        if self.old:
            raise self._exists()
        self._note(row_count=None)
        with self._staged() as staging:
            count = self._fill(staging, rows)
            # From here on, a second try can recognize the collection as its own.
            self._note(row_count=count)
            self._rename(staging)
        return count

    def _rename(self, staging: Any) -> None:
        from pymongo.errors import OperationFailure

        try:
            staging.rename(self._target.name)
        except OperationFailure as error:
            if error.code == NAMESPACE_EXISTS:
                raise self._exists() from error
            raise

    def _was_renamed(self, marker: Mapping[str, Any]) -> bool:
        """Return whether an earlier try ended right after the rename: all rows written, no staging left."""
        has_all = marker.get("row_count") is not None
        return has_all and bool(self.old) and not _described(self.database, self.load.staging)

    def _exists(self) -> LoadRefused:
        return LoadRefused(
            f"The collection {self.load.table} exists already, and the update mode is 'fail': use 'append' "
            "or 'replace', or another collection."
        )

    # --- the marker

    def _marker(self) -> Mapping[str, Any]:
        """Return the marker of an earlier try; on the first try, a new one."""
        load, markers = self.load, self.database[LEDGER]
        begun = {"target": str(load.table), "run": load.run, "digest": load.digest}
        markers.update_one({"_id": load.key}, {"$setOnInsert": begun}, upsert=True)
        marker: Mapping[str, Any] = markers.find_one({"_id": load.key}) or {}
        if marker.get("digest") != load.digest:
            raise LoadRefused(
                f"This run ({load.run}) has already written to {load.table}, or begun to, from an artifact "
                "that has changed since. To write the new one, delete those documents and the document with "
                f"_id '{load.key}' of the collection {LEDGER}, or start a new run."
            )
        return marker

    def _note(self, **fields: Any) -> None:
        self.database[LEDGER].update_one({"_id": self.load.key}, {"$set": fields})

    def _forget(self) -> None:
        self.database[LEDGER].delete_one({"_id": self.load.key})

    # --- collections

    @property
    def _target(self) -> Any:
        return self.database[str(self.load.table)]

    @contextmanager
    def _staged(self) -> Iterator[Any]:
        """Yield the staging collection, and drop it if the load is refused."""
        staging = self.database[self.load.staging]
        staging.drop()
        try:
            with translated(self.what, LoadRefused):
                yield staging
        except LoadRefused:
            staging.drop()
            raise

    def _fill(self, staging: Any, rows: Rows) -> int:
        """Write the rows and copy the target's options and indexes; the index on ``_id`` exists by itself."""
        self._create(staging.name, **self.old.get("options", {}))
        count = Insertion(self.what, self.load.key).insert(staging, rows)
        listed = self._target.list_indexes() if self.old else ()
        indexes = [dict(index) for index in listed if index["key"] != {"_id": 1}]
        if indexes:
            self.database.command({"createIndexes": staging.name, "indexes": indexes})
        return count

    def _create(self, name: str, **options: Any) -> None:
        from pymongo.errors import OperationFailure

        try:
            self.database.command({"create": name, **options})
        except OperationFailure as error:
            # Another load was quicker.
            if error.code != NAMESPACE_EXISTS:
                raise


def _now() -> datetime:
    return datetime.now(timezone.utc)
