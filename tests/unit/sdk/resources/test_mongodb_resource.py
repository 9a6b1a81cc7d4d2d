from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from bson import ObjectId

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.resources.mongodb_resource import MongoResource
from aqueduct_provider.sdk.resources.services import SERVICES
from tests.support.operator_nodes import step


@pytest.fixture
def mongo() -> MongoResource:
    config = {"url": "mongodb://me:s3cret@127.0.0.1:9/shop", "connection_id": "docs"}
    return MongoResource(SERVICES["MongoDB"], "docs", config)


def table() -> Any:
    from aqueduct_provider.sdk.authoring.artifacts import artifact_for

    return artifact_for(step(lambda: None, type="table"))


def test_where_it_is(mongo: MongoResource) -> None:
    assert mongo.place == "shop"
    assert mongo.system.config == {"auth_uri": "mongodb://me:s3cret@127.0.0.1:9/shop", "database": "shop"}
    assert repr(mongo.collection("orders")) == "MongoCollection('docs', 'orders')"


def test_a_query(mongo: MongoResource) -> None:
    orders = mongo.collection("orders")
    assert orders.name() == "orders"
    found = orders.find(
        {"country": "$1"},
        {"_id": 0},
        parameters=["Italy"],
        sort=[("day", -1)],
        limit=3,
        output="last",
        lazy=True,
    )
    node = found.node
    assert node is not None
    assert (node.name, node.type, node.producer.name) == ("last", "table", "docs query")
    assert node.producer.place == {
        "connector": "MongoDB",
        "connection_id": "docs",
        "collection": "orders",
        "query": {"args": [{"country": "$1"}, {"_id": 0}], "kwargs": {"sort": [["day", -1]], "limit": 3}},
    }
    assert [item.name for item in node.producer.inputs] == ["docs query:1"]


def test_what_json_has_not_is_extended_json(mongo: MongoResource) -> None:
    day, key = datetime(2026, 1, 31, tzinfo=timezone.utc), ObjectId("65b9c0ffee65b9c0ffee65b9")
    found = mongo.collection("orders").find({"day": {"$gte": day}, "_id": key}, lazy=True)
    assert found.node is not None
    (query,) = found.node.producer.place["query"]["args"]
    assert query == {"day": {"$gte": {"$date": "2026-01-31T00:00:00Z"}}, "_id": {"$oid": str(key)}}
    with pytest.raises(AuthoringError, match="An argument of find cannot be written down as JSON"):
        mongo.collection("orders").find({"x": object()}, lazy=True)


def test_saving(mongo: MongoResource) -> None:
    artifact = table()
    mongo.save(artifact, "orders", aq.LoadUpdateMode.APPEND)
    mongo.collection("totals").save(artifact, "replace")
    mongo.collection("orders").save(artifact, "fail")
    places = [(node.place["collection"], node.place["update_mode"]) for node in artifact.node.derived]
    assert places == [("totals", "replace"), ("orders", "fail")]
    assert artifact.node.derived[0].name == "save to docs"


def test_what_cannot_be_used(mongo: MongoResource) -> None:
    for call, said in (
        (lambda: mongo.collection(""), "A collection's name must be a non-empty string"),
        (lambda: mongo.save(table(), " ", "append"), "A collection's name must be a non-empty string"),
        (lambda: mongo.save(table(), "orders", "add"), "update_mode must be one of"),
        (lambda: mongo.collection("c").find({}, name=5), "name must be a non-empty string"),
    ):
        with pytest.raises(AuthoringError, match=said):
            call()


def test_a_database_that_does_not_answer(mongo: MongoResource) -> None:
    with pytest.raises(aq.DataSystemError) as raised:
        MongoResource(
            SERVICES["MongoDB"],
            "docs",
            {"url": "mongodb://me:s3cret@127.0.0.1:9/shop?serverSelectionTimeoutMS=200"},
        ).collection("orders").find()
    assert "s3cret" not in str(raised.value)
