from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest
from bson import ObjectId

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.mongodb.database import MongoDatabase, connect
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)
from tests.data_servers.mongodb import PASSWORD, MongoServer, mongodb_server

OID = ObjectId("5f9f1b9b9b9b9b9b9b9b9b9b")
PEOPLE = [
    {"_id": OID, "name": "Ada", "age": 36, "tags": ["x", {"y": 1}]},
    {"_id": 2, "name": "Bob' OR 1=1", "age": None},
    {"_id": 3, "name": "$name", "secret": "hidden"},
]


@pytest.fixture
def config(mongodb: MongoServer) -> dict[str, Any]:
    return mongodb.new_database()


@pytest.fixture
def database(mongodb: MongoServer, config: dict[str, Any]) -> Iterator[MongoDatabase]:
    with mongodb.client() as client:
        client[config["database"]]["people"].insert_many(PEOPLE)
    with closing(registry.connect("MongoDB", config)) as opened:
        yield opened


def found(database: MongoDatabase, *args: Any, parameters: tuple[str, ...] = (), **kwargs: Any) -> list[Any]:
    query = {"args": args, "kwargs": kwargs}
    return [row["_id"] for row in database.find("people", query, parameters)]


def test_check_says_who_answers(database: MongoDatabase, config: dict[str, Any]) -> None:
    assert database.check() == f"MongoDB {config['database']!r} answers: MongoDB 8.2.11."


def test_collections_and_views_in_order(
    database: MongoDatabase, mongodb: MongoServer, config: dict[str, Any]
) -> None:
    with mongodb.client() as client:
        opened = client[config["database"]]
        opened.create_collection("a.b")
        opened.create_collection("ones", viewOn="people", pipeline=[{"$limit": 1}])
    assert database.tables() == ["a.b", "ones", "people"]
    assert [row["name"] for row in database.find("ones", {}, ())] == ["Ada"]


def test_documents_are_as_they_are(database: MongoDatabase) -> None:
    assert list(database.find("people", {}, ())) == PEOPLE


def test_queries_are_those_of_pymongo(database: MongoDatabase) -> None:
    assert found(database, {"age": {"$gt": 30}}) == [OID]
    assert found(database, filter={"name": {"$regex": "^b", "$options": "i", "$ne": "bo"}}) == [2]
    assert found(database, {}, sort=[["name", -1]], limit=1, skip=1) == [OID]
    assert found(database, {"_id": {"$oid": str(OID)}}) == [OID]
    (row,) = database.find("people", {"args": [{"_id": 2}, {"_id": 0, "name": 1}]}, ())
    assert row == {"name": "Bob' OR 1=1"}


@pytest.mark.parametrize(
    ("value", "ids"),
    [("Ada", [OID]), ("Bob' OR 1=1", [2]), ("$name", [3]), ('"}, "x": {"$gt": "', []), ("", [])],
)
def test_a_value_is_data(database: MongoDatabase, value: str, ids: list[Any]) -> None:
    assert found(database, {"name": "$1"}, parameters=(value,)) == ids
    as_expression = {"$expr": {"$eq": ["$name", "$1"]}}
    assert found(database, as_expression, parameters=(value,)) == ids


def test_a_value_can_be_an_id(database: MongoDatabase) -> None:
    assert found(database, {"_id": {"$oid": "$1"}}, parameters=(str(OID),)) == [OID]
    with pytest.raises(StatementRefused, match=r"Extended JSON of \$oid .*'no'"):
        found(database, {"_id": {"$oid": "$1"}}, parameters=("no",))


def test_a_value_in_a_projection_is_no_field(database: MongoDatabase) -> None:
    query = {"args": [{"_id": 3}, {"_id": 0, "shown": "$1"}]}
    assert list(database.find("people", query, ("$secret",))) == [{"shown": "$secret"}]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ([{"$no": 1}], {}, r"refuses: unknown top level operator: \$no"),
        ([{"a": {"$no": 1}}], {}, r"refuses: unknown operator: \$no"),
        ([], {"colour": 1}, r"find takes no such arguments: .*colour"),
        (["text"], {}, "find takes no such arguments: filter must be"),
        ([], {"limit": "many"}, "find takes no such arguments: limit must be"),
    ],
)
def test_queries_that_are_refused(
    database: MongoDatabase, args: list[Any], kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(StatementRefused, match=message):
        found(database, *args, **kwargs)


def test_a_collection_that_is_not_there_is_an_error(database: MongoDatabase) -> None:
    with pytest.raises(StatementRefused, match="has no collection 'poeple'"):
        database.find("poeple", {}, ())


def test_documents_stream(mongodb: MongoServer, config: dict[str, Any]) -> None:
    with mongodb.client() as client:
        client[config["database"]]["many"].insert_many([{"n": n} for n in range(2500)])
    commands = _Commands()
    listening = config | {"options": {"event_listeners": [commands]}}
    with closing(connect("MongoDB", listening)) as database:
        documents = database.find("many", {"kwargs": {"batch_size": 1000}}, ())
        assert next(documents)["n"] == 0
        assert commands.names.count("getMore") == 0
        assert sum(1 for _ in documents) == 2499
        assert commands.names.count("getMore") == 2


class _Commands(pymongo.monitoring.CommandListener):
    """The names of what is sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: Any) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None:
        """Not asked."""

    def failed(self, event: Any) -> None:
        """Not asked."""


# --- connecting


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"database": "x"}, "auth_uri is missing"),
        ({"auth_uri": "http://host", "database": "x"}, r"cannot be used \(InvalidURI\)"),
        ({"auth_uri": "mongodb://127.0.0.1", "options": {"maxPoolSize": "x"}}, "or options cannot be used"),
        (
            {"auth_uri": "mongodb://127.0.0.1/?tls=true&authSorce=planted"},
            "the option authSorce of the URI is unknown",
        ),
        ({"auth_uri": "mongodb://127.0.0.1"}, "database is missing"),
        ({"auth_uri": "mongodb://127.0.0.1", "database": "a b"}, "no name of one"),
    ],
)
def test_configurations_that_cannot_be_used(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        connect("MongoDB", config)


def test_a_password_that_is_not_encoded_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="percent-encoded") as caught:
        connect("MongoDB", {"auth_uri": "mongodb://me:se/cr:et@127.0.0.1:1/", "database": "x"})
    assert "cr" not in str(caught.value).replace("encoded", "")
    assert caught.value.__suppress_context__


def test_the_database_of_the_uri(mongodb: MongoServer) -> None:
    uri = mongodb.uri.replace("/?", "/inside?")
    with closing(connect("MongoDB", {"auth_uri": uri})) as database:
        assert "'inside'" in database.check()


def test_a_server_that_is_not_there() -> None:
    away = {"auth_uri": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "database": "x"}
    with pytest.raises(
        DataSystemUnavailable, match=r"'x' does not answer.*127\.0\.0\.1:1.*refused"
    ) as caught:
        connect("MongoDB", away)
    assert "Topology" not in str(caught.value)


def test_logins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with mongodb_server(tmp_path / "server", with_login=True) as server:
        config = server.config()
        with closing(connect("MongoDB", config)) as database:
            assert database.tables() == []
        wrong = config | {"auth_uri": server.uri.replace(PASSWORD, "planted-wrong-password")}
        with pytest.raises(
            DataSystemLoginFailed, match=r"refuses the login: .*uthentication failed"
        ) as caught:
            connect("MongoDB", wrong)
    assert "planted" not in str(caught.value)
    assert "planted" not in caplog.text


def test_writing_is_there(database: MongoDatabase) -> None:
    from aqueduct_provider.connectors.tables.model import TableLoad, TableName

    load = TableLoad(TableName("", "people"), "fail", "a" * 64, "d" * 64, "run")
    with pytest.raises(LoadRefused, match="The collection people exists already"):
        database.write(iter([]), load)
