from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId

from aqueduct_provider.connectors.mongodb import insert as insert_module
from aqueduct_provider.connectors.mongodb.insert import Insertion
from aqueduct_provider.errors import LoadRefused
from tests.data_servers.mongodb import MongoServer

KEY = "0123456789abcdef" * 4
INSERTION = Insertion("the collection", KEY)


@pytest.fixture
def collection(mongodb: MongoServer) -> Iterator[Any]:
    with mongodb.client() as client:
        yield client[mongodb.new_database()["database"]]["target"]


def insert(collection: Any, *rows: Any, key: str = KEY) -> int:
    return Insertion("the collection", key).insert(collection, iter(rows))


def test_ids_are_in_the_order_of_rows_and_the_same_at_every_try(collection: Any) -> None:
    rows = [{"a": n} for n in range(300)]
    assert insert(collection, *rows) == 300
    assert insert(collection, *rows) == 300
    assert [row["a"] for row in collection.find(sort=[("_id", 1)])] == list(range(300))
    first = collection.find_one({"a": 1})
    assert first["_id"] == ObjectId("0123456789abcdef" + "00000001")
    assert list(first) == ["_id", "a"]


def test_another_load_adds_its_rows(collection: Any) -> None:
    insert(collection, {"a": 1})
    insert(collection, {"a": 1}, key="f" * 64)
    assert collection.count_documents({}) == 2
    assert collection.count_documents(INSERTION.own_ids()) == 1


def test_what_an_earlier_try_left_out_is_added(collection: Any) -> None:
    insert(collection, {"a": 0}, {"a": 1})
    insert(collection, {"a": 0}, {"a": 1}, {"a": 2})
    assert [row["a"] for row in collection.find(sort=[("_id", 1)])] == [0, 1, 2]


def test_a_document_that_was_changed_since_is_left(collection: Any) -> None:
    insert(collection, {"a": 0})
    collection.update_one({}, {"$set": {"a": 5}})
    insert(collection, {"a": 0})
    assert [row["a"] for row in collection.find()] == [5]


@pytest.mark.parametrize("identity", [7, "x", ObjectId(), {"part": 1, "of": "it"}])
def test_a_document_that_brings_its_id(collection: Any, identity: Any) -> None:
    row = {"a": 1.5, "b": [None, {"c": b"x"}], "_id": identity}
    insert(collection, row)
    insert(collection, row)
    assert list(collection.find()) == [row]
    with pytest.raises(LoadRefused, match="the collection refuses row 2: E11000 duplicate key"):
        insert(collection, {"a": 0}, row | {"a": 2})


def test_a_null_is_no_id(collection: Any) -> None:
    insert(collection, {"_id": None, "a": 1})
    assert isinstance(collection.find_one()["_id"], ObjectId)


def test_batches_are_counted_in_rows_and_bytes(collection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insert_module, "_BATCH_ROWS", 3)
    monkeypatch.setattr(insert_module, "_BATCH_BYTES", 1000)
    sizes = []
    rows = [{"a": "x" * size} for size in (1, 1, 1, 1, 600, 600, 5000, 1)]

    class Counting:
        def insert_many(self, documents: list[Any], ordered: bool) -> None:
            sizes.append(len(documents))
            collection.insert_many(documents, ordered=ordered)

    assert INSERTION.insert(Counting(), iter(rows)) == 8
    assert sizes == [3, 2, 1, 1, 1]
    assert [len(row["a"]) for row in collection.find(sort=[("_id", 1)])] == [1, 1, 1, 1, 600, 600, 5000, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2**64, "row 2: it cannot be a document of MongoDB: .*8-byte"),
        (Decimal(1), "row 2: .*cannot encode object: Decimal"),
        ({1: 2}, "row 2: .*string keys"),
        ("\ud800", "row 2: .*surrogates not allowed"),
    ],
)
def test_rows_that_are_no_documents(collection: Any, value: Any, message: str) -> None:
    with pytest.raises(LoadRefused, match=message):
        insert(collection, {"a": 1}, {"a": value})


def test_what_the_server_refuses(collection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insert_module, "_BATCH_ROWS", 2)
    collection.create_index("a", unique=True)
    with pytest.raises(LoadRefused, match=r"refuses row 4: E11000 .*index: a_1"):
        insert(collection, {"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, {"a": 4})


def test_a_document_that_is_too_large(collection: Any) -> None:
    with pytest.raises(LoadRefused, match="too large"):
        insert(collection, {"a": "x" * (17 << 20)})
