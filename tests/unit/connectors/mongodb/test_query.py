from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex

from aqueduct_provider.connectors.mongodb.query import arguments
from aqueduct_provider.errors import StatementRefused


def filled(query: Any, *parameters: str) -> Any:
    (argument,), _ = arguments({"args": [query]}, parameters)
    return argument


def test_what_is_missing_is_empty() -> None:
    assert arguments({}, ()) == ((), {})
    assert arguments({"args": None, "kwargs": None}, ("unused",)) == ((), {})
    assert arguments({"args": (), "kwargs": {"limit": 3}}, ()) == ((), {"limit": 3})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"a": "$1"}, {"a": "one"}),
        ({"a": {"$in": ["$2", "x$1$2y", 5, None, True]}}, {"a": {"$in": ["$1", "xone$1y", 5, None, True]}}),
        ({"$1": 1, "x.$1": "$1"}, {"$1": 1, "x.$1": "one"}),
        ({"a": "costs $3 or $0, $x, $$, $"}, {"a": "costs $3 or $0, $x, $$, $"}),
        ({"a": {"$regex": "^$1"}}, {"a": {"$regex": "^one"}}),
    ],
)
def test_values_stand_in_texts_and_nowhere_else(query: Any, expected: Any) -> None:
    assert filled(query, "one", "$1") == expected


def test_ten_parameters() -> None:
    assert filled({"a": "$10 $1"}, *map(str, range(10))) == {"a": "9 0"}


@pytest.mark.parametrize("value", ['{"$gt": ""}', '", "$where": "1', "\\", "\n"])
def test_a_value_is_no_json(value: str) -> None:
    assert filled({"a": "$1"}, value) == {"a": value}


@pytest.mark.parametrize(("number", "given"), [("$3", "are 2 parameters"), ("$0", "are 2 parameters")])
def test_a_missing_parameter(number: str, given: str) -> None:
    with pytest.raises(StatementRefused, match=rf"uses \{number}, and there {given}"):
        filled({"a": [number]}, "x", "y")
    with pytest.raises(StatementRefused, match=r"uses \$2, and there is 1 parameter:"):
        arguments({"kwargs": {"filter": {"a": "$2"}}}, ("x",))


def test_a_value_is_no_expression() -> None:
    query = {"$expr": {"$eq": ["$name", "$1"]}, "b": "$1"}
    assert filled(query, "$role") == {"$expr": {"$eq": ["$name", {"$literal": "$role"}]}, "b": "$role"}
    assert filled(query, "plain") == {"$expr": {"$eq": ["$name", "plain"]}, "b": "plain"}
    assert filled({"$expr": "$$1"}, "ROOT") == {"$expr": {"$literal": "$ROOT"}}
    assert filled({"$expr": "$1"}, "$1") == {"$expr": {"$literal": "$1"}}
    assert filled({"$expr": {"$literal": "$1"}}, "$a") == {"$expr": {"$literal": "$a"}}
    projection = {"shown": "$1", "some": {"$elemMatch": {"a": "$1"}}}
    wanted = {"shown": {"$literal": "$a"}, "some": {"$elemMatch": {"a": "$a"}}}
    assert arguments({"args": [{}, projection]}, ("$a",)) == (({}, wanted), {})
    named = {"projection": projection, "let": {"x": "$1"}}
    assert arguments({"kwargs": named}, ("$a",)) == (
        (),
        {"projection": wanted, "let": {"x": {"$literal": "$a"}}},
    )


@pytest.mark.parametrize(
    "query",
    [
        {"$where": "this.a == '$1'"},
        {"$where": {"$code": "this.a == '$1'"}},
        {"$expr": {"$function": {"body": "function(a) { return a == '$1' }", "args": [], "lang": "js"}}},
        {"$expr": {"$function": {"body": {"$literal": "$1"}}}},
        {"a": [{"$or": [{"$where": "$1"}]}]},
    ],
)
def test_a_value_is_no_code(query: Any) -> None:
    assert filled({"$where": "this.a == 1"}, "unused") == {"$where": "this.a == 1"}
    with pytest.raises(StatementRefused, match="parameter in JavaScript"):
        filled(query, "0")


def test_the_arguments_of_a_function_take_values() -> None:
    function = {"body": "function(a, b) { return a == b }", "args": ["$a", "$1"], "lang": "js"}
    wanted = function | {"args": ["$a", {"$literal": "$b"}]}
    assert filled({"$expr": {"$function": function}}, "$b") == {"$expr": {"$function": wanted}}


def test_extended_json() -> None:
    oid = "5f9f1b9b9b9b9b9b9b9b9b9b"
    assert filled({"_id": {"$oid": "$1"}}, oid) == {"_id": ObjectId(oid)}
    assert filled({"a": {"$gt": {"$numberInt": "$1"}}}, "7") == {"a": {"$gt": 7}}
    assert filled({"a": [{"$date": "2020-01-02T00:00:00Z"}]}) == {"a": [datetime(2020, 1, 2)]}
    assert filled({"a": {"$numberDecimal": "1.10"}, "b": {"$numberLong": "5"}}) == {
        "a": Decimal128("1.10"),
        "b": Int64(5),
    }
    pattern = {"$regularExpression": {"pattern": "^a", "options": "i"}}
    assert filled({"a": pattern}) == {"a": Regex("^a", "i")}


def test_operators_beside_a_regex_stay() -> None:
    query = {"a": {"$regex": "^a", "$options": "i", "$ne": {"$numberInt": "1"}}}
    assert filled(query) == {"a": {"$regex": "^a", "$options": "i", "$ne": 1}}


@pytest.mark.parametrize(
    "query",
    [
        {"$oid": "no"},
        {"$oid": 5},
        {"$date": "x"},
        {"$numberInt": "x"},
        {"$numberDecimal": "x"},
        {"$binary": 1},
    ],
)
def test_extended_json_that_is_none(query: Any) -> None:
    with pytest.raises(StatementRefused, match=r"Extended JSON of \$.* cannot be read"):
        filled({"a": query})
