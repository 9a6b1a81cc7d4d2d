"""Extracts and loads in the graph, on a data system that answers with what it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, DataSystemUnavailable, OperatorFailed
from aqueduct_provider.runner.codecs import Encoded, encode
from aqueduct_provider.sdk.authoring.artifacts import Artifact, artifact_for
from aqueduct_provider.sdk.authoring.encode_values import encoded_default
from aqueduct_provider.sdk.authoring.evaluate import is_computed, value_of
from aqueduct_provider.sdk.authoring.extract_load import Labels, extract, load, saved_type
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, Options
from aqueduct_provider.sdk.keywords import RunOptions
from aqueduct_provider.sdk.settings import global_config
from tests.support.operator_nodes import param, step

PLACE = {"connector": "Postgres", "connection_id": "wh", "queries": ["SELECT $1"]}


class Echo:
    """Gives back the parameters that it was asked with. ``away``: does not answer."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[tuple[Mapping[str, Any], list[str]]] = []

    def name(self) -> str:
        return "wh"

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Encoded:
        if self.away:
            raise DataSystemUnavailable("It is away.")
        self.asked.append((source, list(parameters)))
        return encode(list(parameters), "list", "parquet")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def lazy() -> Iterator[None]:
    global_config({"lazy": True})
    yield
    global_config({"lazy": False})


def read(echo: Echo, *parameters: Any, later: bool = False, labels: Labels | None = None) -> ArtifactNode:
    return extract(echo, PLACE, "list", labels or Labels("q"), parameters, lazy=later)


def artifact(name: str, default: Any) -> Artifact:
    return artifact_for(param(name, default))


# --- extracts


def test_an_extract_is_recorded_and_computed(echo: Echo) -> None:
    country = artifact("country", "Italy")
    node = read(echo, country, "plain", labels=Labels("q", "out", "About it."))
    producer = node.producer
    assert (producer.kind, producer.name, producer.description) == ("extract", "q", "About it.")
    assert (producer.system, producer.place, producer.outputs) == (echo, PLACE, (node,))
    assert (node.name, node.named, node.type) == ("out", True, "list")
    assert [item.name for item in producer.inputs] == ["country", "q:2"]
    implicit = producer.inputs[1].producer.parameter
    assert implicit is not None
    assert (implicit.default, implicit.implicit) == ("plain", True)
    assert echo.asked == [(PLACE, ["Italy", "plain"])]
    assert value_of(node) == ["Italy", "plain"]
    assert value_of(node, {"country": "France", "q:2": "1"}) == ["France", "1"]
    assert len(echo.asked) == 2


def test_names_that_nobody_chose(echo: Echo) -> None:
    node = read(echo)
    assert (node.name, node.named) == ("q artifact", False)


def test_text_that_reads_as_json_is_text(echo: Echo) -> None:
    node = read(echo, "7", artifact("day", '"Mon"'))
    assert value_of(node) == ["7", '"Mon"']
    assert value_of(node, {"q:1": "any text"}) == ["any text", '"Mon"']
    assert encoded_default(node.producer.inputs[0].producer).type == "string"


def test_lazy_ones_are_only_recorded(echo: Echo) -> None:
    node = read(echo, "x", later=True)
    assert not is_computed(node.producer)
    assert echo.asked == []
    assert value_of(node) == ["x"]


def test_lazy_by_the_settings(echo: Echo, lazy: None) -> None:
    read(echo, "x")
    assert echo.asked == []


def test_a_data_system_that_is_away(echo: Echo) -> None:
    echo.away = True
    with pytest.raises(DataSystemUnavailable):
        read(echo)
    node = read(echo, later=True)
    with pytest.raises(DataSystemUnavailable):
        value_of(node)
    echo.away = False
    assert value_of(node) == []


def test_parameters_that_are_no_text(echo: Echo) -> None:
    check = artifact_for(step(lambda: True, kind="check", name="ok"))
    for given, said in (
        (artifact("n", 5), "Parameter 1 of 'q', 'n', must be a string, not numeric"),
        (check, "Parameter 1 of 'q' is the output of a check"),
        (5, "Parameter 1 of 'q' is of type int: give it as text, '5'"),
        (None, "Parameter 1 of 'q' is of type NoneType, not an artifact of the flow"),
    ):
        with pytest.raises(AuthoringError, match=said):
            read(echo, given)
    with pytest.raises(AuthoringError, match="parameters must be a list of string artifacts"):
        extract(echo, PLACE, "list", Labels("q"), "Italy", lazy=True)
    node = read(echo, artifact_for(step(lambda: 5, name="five")), later=True)
    with pytest.raises(OperatorFailed, match="Error in 'q': Parameter 1 must be a string, not numeric"):
        value_of(node)


def test_labels() -> None:
    for wrong in (
        {"name": ""},
        {"name": 5},
        {"name": "q", "output": " "},
        {"name": "q", "description": None},
    ):
        with pytest.raises(AuthoringError):
            Labels(**wrong)  # type: ignore[arg-type]


# --- loads

TARGET = {"connector": "Postgres", "connection_id": "wh", "table": "t", "update_mode": "append"}


def test_a_load_hangs_on_what_it_saves(echo: Echo) -> None:
    table, name = artifact_for(step(lambda: None, type="table")), artifact("name", "sales")
    load(echo, TARGET, table, [name, "x"], tables_only=True)
    assert table.node is not None
    (operator,) = table.node.derived
    assert (operator.kind, operator.name, operator.place) == ("load", "save to wh", TARGET)
    assert [item.name for item in operator.inputs] == ["name", "save to wh:2", table.name()]
    assert operator.outputs == ()
    assert echo.asked == []


def test_one_load_for_each_place(echo: Echo) -> None:
    table = artifact_for(step(lambda: None, type="table"))
    assert table.node is not None
    load(echo, TARGET, table, [])
    load(echo, {**TARGET, "table": "u"}, table, [])
    load(echo, {**TARGET, "update_mode": "fail"}, table, [])
    load(echo, {**TARGET, "table": ""}, table, [artifact("a", "x")])
    load(echo, {**TARGET, "table": ""}, table, [artifact("b", "x")])
    load(echo, {**TARGET, "table": ""}, table, [artifact("a", "y")])
    places = [(operator.place["table"], operator.place["update_mode"]) for operator in table.node.derived]
    assert places == [("u", "append"), ("t", "fail"), ("", "append"), ("", "append")]


def test_what_cannot_be_saved(echo: Echo) -> None:
    number = artifact("n", 5)
    assert saved_type(number) == "numeric"
    load(echo, TARGET, number, [])
    with pytest.raises(AuthoringError, match="Only tables can be saved to 'wh', and 'n' is of type numeric"):
        load(echo, TARGET, number, [], tables_only=True)
    load(echo, TARGET, artifact_for(step(lambda: None)), [], tables_only=True)
    with pytest.raises(AuthoringError, match="What is saved is of type int, not an artifact of the flow"):
        saved_type(5)


def test_how_they_are_run(echo: Echo) -> None:
    how = RunOptions(retries=2, retry_delay=1, timeout=60, pool="small", fuse="all")
    output = extract(echo, {"queries": ["q"]}, "list", Labels("q"), None, lazy=True, how=how)
    load(echo, {"table": "t"}, artifact_for(output), [], how=how)
    expected = Options(retries=2, retry_delay=1.0, timeout=60.0, pool="small", fuse="all")
    assert [output.producer.options, output.derived[0].options] == [expected, expected]


def test_what_does_not_say_how(echo: Echo) -> None:
    output = read(echo, later=True)
    message = "'save to wh': retries must be an integer from 0 to 100, not -1"
    with pytest.raises(AuthoringError, match=message):
        load(echo, {"table": "t"}, artifact_for(output), [], how=RunOptions(retries=-1))
    assert output.derived == []
