"""Insert rows as documents, each of them once, also when an earlier try has written some.

A document without ``_id`` gets one made of the load's key and its row number; one that brings its own keeps
it. The server refuses an ``_id`` that exists already; that is ignored when the document is the same.
Documents are encoded here, one by one, so that batches are counted in bytes and an error names its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.mongodb.errors import DUPLICATE_KEY, translated
from aqueduct_provider.errors import DataSystemUnavailable, LoadRefused

if TYPE_CHECKING:
    from bson import ObjectId
    from bson.raw_bson import RawBSONDocument

Rows = Iterator[dict[str, Any]]

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 << 20
_LAST_ROW = (1 << 32) - 1


@dataclass(frozen=True)
class Insertion:
    """The insertion of one load's rows as documents.

    :param what: what error messages call the collection.
    :param key: of the load, 64 hexadecimal digits.
    """

    what: str
    key: str

    def insert(self, collection: Any, rows: Rows) -> int:
        """Write all rows; their number.

        :param collection: of pymongo.
        :raises LoadRefused: a row cannot be a document, or the server refuses it.
        :raises DataSystemUnavailable: the server is gone; some rows may be there.
        """
        from pymongo.errors import BulkWriteError

        count = 0
        with translated(self.what, LoadRefused):
            for batch in self._batches(rows):
                try:
                    collection.insert_many(batch, ordered=False)
                except BulkWriteError as error:
                    self._check(collection, batch, error, count)
                count += len(batch)
        return count

    def own_ids(self) -> Mapping[str, Any]:
        """Return the filter for documents whose ``_id`` was made here."""
        return {"_id": {"$gte": self._row_id(0), "$lte": self._row_id(_LAST_ROW)}}

    def _batches(self, rows: Rows) -> Iterator[list[RawBSONDocument]]:
        batch: list[RawBSONDocument] = []
        size = 0
        for number, row in enumerate(rows):
            document = self._encoded(number, row)
            if batch and (len(batch) == _BATCH_ROWS or size + len(document.raw) > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += len(document.raw)
        if batch:
            yield batch

    def _encoded(self, number: int, row: dict[str, Any]) -> RawBSONDocument:
        import bson
        from bson.raw_bson import RawBSONDocument

        own = row.get("_id")
        # The server, too, puts _id first.
        document = {"_id": self._row_id(number) if own is None else own}
        document |= {name: value for name, value in row.items() if name != "_id"}
        try:
            return RawBSONDocument(bson.encode(document))
        except (bson.errors.BSONError, OverflowError, TypeError, ValueError) as error:
            raise LoadRefused(
                f"{self.what}, row {number + 1}: it cannot be a document of MongoDB: {_said(error)}. Convert "
                "the value, such as to text."
            ) from error

    def _row_id(self, number: int) -> ObjectId:
        """Return the ``_id`` for a row without one: in the order of rows, and the same at every try."""
        from bson import ObjectId

        return ObjectId(bytes.fromhex(self.key[:16]) + number.to_bytes(4, "big"))

    def _check(self, collection: Any, batch: list[RawBSONDocument], error: Any, start: int) -> None:
        """Go on when every refused document is there already."""
        problems = error.details["writeErrors"]
        if not problems:
            raise DataSystemUnavailable(
                f"{self.what}: the documents were written, but too few members of the replica set confirm it."
            ) from error
        there = self._found(collection, [batch[problem["index"]] for problem in problems])
        for problem in problems:
            document = batch[problem["index"]]
            known = there.get(_identity(document))
            written = known is not None and (known == document.raw or self._is_own(document["_id"]))
            if problem["code"] != DUPLICATE_KEY or not written:
                raise LoadRefused(
                    f"{self.what} refuses row {start + problem['index'] + 1}: {_said(problem['errmsg'])}."
                ) from error

    def _found(self, collection: Any, documents: list[RawBSONDocument]) -> dict[bytes, bytes]:
        """Return the stored documents with these ``_id``s: identity -> bytes."""
        from bson.codec_options import CodecOptions
        from bson.raw_bson import RawBSONDocument

        reading = collection.with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
        found = reading.find({"_id": {"$in": [document["_id"] for document in documents]}})
        return {_identity(document): document.raw for document in found}

    def _is_own(self, identity: Any) -> bool:
        from bson import ObjectId

        return isinstance(identity, ObjectId) and identity.binary[:8] == bytes.fromhex(self.key[:16])


def _identity(document: RawBSONDocument) -> bytes:
    """Return the ``_id``, which may be a document itself, as a hashable value."""
    import bson

    encoded: bytes = bson.encode({"_id": document["_id"]})
    return encoded


def _said(error: Any) -> str:
    return str(error).strip().rstrip(".")
