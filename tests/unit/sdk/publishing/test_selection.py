"""Which operators belong to a flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.publishing.selection import select, unreported, wrong_kinds
from tests.support.node_graphs import (
    call,
    check,
    extract,
    metric,
    op,
    param,
    save,
    system_metric,
    user_function,
)

Nodes = Sequence[ArtifactNode]


def selected(
    *artifacts: ArtifactNode, metrics: Nodes | None = None, checks: Nodes | None = None
) -> list[OperatorNode]:
    for error, _ in wrong_kinds(metrics, checks):
        raise error
    return select(artifacts, metrics, checks, default_of)


def default_of(operator: OperatorNode) -> str:
    assert operator.parameter
    return repr(operator.parameter.default)


def names(operators: list[OperatorNode]) -> list[str]:
    return [operator.name for operator in operators]


def test_what_the_artifacts_need_in_the_order_of_creation() -> None:
    x = op("load")
    op("unrelated", x)
    y = op("features", x)
    z = op("train", x, y)
    assert names(selected(z)) == ["load", "features", "train"]
    assert names(selected(y, x, y)) == ["load", "features"]


def test_a_long_chain() -> None:
    artifact = op("f")
    for _ in range(3000):
        artifact = op("f", artifact)
    metric("m", artifact)
    assert len(selected(artifact)) == 3002


def test_a_parameter_alone_is_a_flow() -> None:
    assert names(selected(param("p", 1))) == ["p"]


# --- extracts and loads


def test_a_load_comes_with_the_artifact_that_it_saves() -> None:
    table = extract("q", param("country", "Italy"))
    load = save(table, param("name", "sales"))
    assert names(selected(table)) == ["country", "q", "name", "save to warehouse"]
    assert load in selected(op("f", table), metrics=[], checks=[])
    assert names(selected(op("other"))) == ["other"]


def test_a_load_of_a_metric_comes_with_the_metric() -> None:
    table = extract("q")
    save(metric("m", table), filepath="m")
    assert names(selected(table)) == ["q", "m", "save to warehouse"]
    assert names(selected(table, metrics=[])) == ["q"]


def test_loads_of_a_parameter_that_is_no_input_here_stay_out() -> None:
    country = param("country", "Italy")
    save(extract("other", country), country, table="")
    assert names(selected(extract("q", country))) == ["country", "q"]


def test_a_load_that_brings_something_to_be_saved() -> None:
    name = op("choose")
    save(extract("q"), table="u")
    table = extract("p")
    save(table, name, table="")
    save(name, filepath="chosen")
    assert names(selected(table)) == ["choose", "p", "save to warehouse", "save to warehouse"]


def test_saving_to_two_tables() -> None:
    table = extract("q")
    save(table, table="a")
    save(table, table="b")
    assert names(selected(table)) == ["q", "save to warehouse", "save to warehouse"]


def test_a_query_is_no_metric_and_no_check() -> None:
    table = extract("q")
    for argument in ("metrics", "checks"):
        with pytest.raises(AuthoringError, match="'q artifact' is the output of the query 'q'"):
            selected(table, **{argument: [table]})


# --- metrics and checks that nobody named


def test_every_metric_and_check_on_an_artifact_of_the_flow() -> None:
    x = op("f")
    accuracy = metric("accuracy", op("g", x))
    check("enough", metric("doubled", accuracy))
    check("not empty", x)
    system_metric(x)
    assert names(selected(accuracy, x)) == [
        "f",
        "g",
        "accuracy",
        "doubled",
        "enough",
        "not empty",
        "f runtime",
    ]


def test_metrics_on_artifacts_on_the_way() -> None:
    x = op("f")
    metric("m", x)
    assert names(selected(op("g", x))) == ["f", "m", "g"]


def test_metrics_on_parameters() -> None:
    p = param("p", 1)
    metric("m", p)
    assert names(selected(op("f", p))) == ["p", "m", "f"]


def test_metrics_on_outputs_that_nobody_named_or_reads_stay_out() -> None:
    x, y = call("two", outputs=2)
    metric("of x", x)
    metric("of y", y)
    assert names(selected(x)) == ["two", "of x"]
    assert names(selected(x, op("reads y", y))) == ["two", "of x", "of y", "reads y"]


def test_metrics_bring_their_other_inputs() -> None:
    x, y = op("f"), op("g")
    m = metric("distance", x, y)
    check("near", m)
    assert names(selected(x)) == ["f", "g", "distance", "near"]
    assert names(selected(x, y)) == ["f", "g", "distance", "near"]
    assert names(selected(x, metrics=[m])) == ["f", "g", "distance", "near"]


def test_a_shared_parameter_brings_no_metric_of_another_flow() -> None:
    limit = param("limit", 3)
    x, y = op("f", limit), op("g")
    metric("m", y, limit)
    assert names(selected(x)) == ["limit", "f"]


def test_the_parameters_of_a_metric_come_with_it() -> None:
    x = op("f")
    limit = param("m:limit", 3, implicit=True)
    metric("m", x, limit)
    check("on the limit", limit)
    assert names(selected(x)) == ["f", "m:limit", "m", "on the limit"]


def test_empty_lists_mean_none() -> None:
    x = op("f")
    m = metric("m", x)
    check("of m", m)
    check("of x", x)
    system_metric(x)
    assert names(selected(x, metrics=[], checks=[])) == ["f"]
    assert names(selected(x, metrics=[])) == ["f", "of x"]
    assert names(selected(x, checks=[])) == ["f", "m", "f runtime"]


def test_lists_mean_these_with_all_that_they_need() -> None:
    x, other = op("f"), op("other")
    m, unwanted = metric("m", x), metric("unwanted", x)
    c = check("c", metric("deep", other))
    check("of unwanted", unwanted)
    assert names(selected(x, metrics=[m], checks=[c])) == ["f", "other", "m", "deep", "c"]
    # Metrics on an artifact that a named check needs.
    assert names(selected(x, checks=[c])) == ["f", "other", "m", "unwanted", "deep", "c"]


# --- cells that ran twice


@pytest.mark.parametrize("measure", [metric, check, lambda _, x: system_metric(x)])
def test_the_latest_of_the_same_computations_counts(measure: Callable[..., ArtifactNode]) -> None:
    x = op("f")
    old, new = measure("m", x), measure("m", x)
    operators = selected(x)
    assert new.producer in operators
    assert old.producer not in operators


def test_what_was_computed_on_the_older_one_goes_with_it() -> None:
    x = op("f")
    check("c", metric("m", x))
    new = metric("m", x)
    assert selected(x)[1:] == [new.producer]
    newer = check("c", new)
    assert selected(x)[1:] == [new.producer, newer.producer]


def test_the_older_one_stays_where_it_was_asked_for_or_is_read() -> None:
    x = op("f")
    old = metric("m", x)
    c = check("c", old)
    new = metric("m", x)
    assert set(selected(x, old)) == {a.producer for a in (x, old, c, new)}
    assert set(selected(x, checks=[c])) == {a.producer for a in (x, old, c, new)}
    assert names(selected(x, metrics=[new])) == ["f", "m"]


def test_what_differs_is_not_the_same_computation() -> None:
    x = op("f")
    y = op("g", x)
    same = metric("m", x)
    others = [
        metric("m", y),
        metric("m", x, y),
        metric("n", x),
        check("m", x),
        metric("m", x, outputs=["named"]),
        system_metric(x),
        system_metric(x, "max_memory"),
    ]
    assert {same.producer, *(other.producer for other in others)} <= set(selected(y))


def test_plain_arguments_are_the_same_where_their_values_are() -> None:
    x = op("f")
    calls = [metric("m", x, param("m:limit", value, implicit=True)) for value in (1, 2, 1)]
    operators = selected(x)
    assert [artifact.producer in operators for artifact in calls] == [False, True, True]
    assert [op.parameter.default for op in operators if op.parameter] == [2, 1]


def test_functions_of_one_factory_are_told_apart_by_what_they_hold() -> None:
    def above(limit: float | None) -> Callable[[Any], bool]:
        def above_limit(value: Any) -> bool:
            return bool(value > limit)

        if limit is None:
            del limit  # The function's cell is empty then.
        return above_limit

    x = op("f")
    calls = [check("above", x, function=user_function(above(limit))) for limit in (1.0, 2.0, 1.0, None)]
    operators = selected(x)
    assert [artifact.producer in operators for artifact in calls] == [False, True, True, True]


# --- what cannot be a flow


@pytest.mark.parametrize("nothing", [None, []])
def test_nothing_is_no_flow(nothing: list[ArtifactNode] | None) -> None:
    with pytest.raises(AuthoringError, match="name at least one artifact"):
        selected(metrics=nothing, checks=nothing)


def test_a_metric_or_a_check_alone_is_a_flow() -> None:
    m = metric("m", op("f"))
    c = check("c", m)
    assert names(selected(metrics=[m], checks=[])) == ["f", "m"]
    assert names(selected(metrics=[], checks=[c])) == ["f", "m", "c"]
    assert names(selected(m, c)) == ["f", "m", "c"]


def test_metrics_takes_numbers() -> None:
    x = op("f", type_="numeric")
    assert names(selected(metrics=[x, system_metric(x)])) == ["f", "f runtime"]
    with pytest.raises(AuthoringError, match=r"'c artifact' is the output of the check 'c'.*@metric"):
        selected(metrics=[check("c", x)])
    with pytest.raises(AuthoringError, match="'g artifact' is the output of the operator 'g'"):
        selected(metrics=[op("g")])
    with pytest.raises(AuthoringError, match="'p' is the output of the parameter 'p'"):
        selected(metrics=[param("p", "text")])


def test_checks_takes_checks() -> None:
    x = op("f", type_="boolean")
    for wrong, noun in ((x, "operator 'f'"), (metric("m", x), "metric 'm'"), (system_metric(x), "system")):
        with pytest.raises(AuthoringError, match=rf"checks=\[...\] takes .* the {noun}"):
            selected(checks=[wrong])


# --- checks that are left out, of which somebody would be notified

SLACK = [{"type": "slack", "connection_id": "ops", "on": ["failure"]}]


def test_checks_on_what_is_not_in_the_flow() -> None:
    seed = param("seed", 1)
    table = op("load", seed)
    seedling = op("grow", seed, outputs=["seedling"])
    kept = [
        check("tall", seedling, notifications=SLACK),
        check("third under 2", metric("third", seedling), seed, notifications=SLACK),
        check("quiet", seedling),
        check("elsewhere", op("other", param("depth", 1)), notifications=SLACK),
        check("full", table, notifications=SLACK),
    ]
    assert unreported(selected(table)) == ["'tall' (on 'seedling')", "'third under 2' (on 'seedling')"]
    assert unreported(selected(table, seedling)) == []
    assert len(kept) == 5, "as long as they are in use"


def test_a_parameter_of_the_same_name_is_the_same() -> None:
    table = op("load", param("depth of both", 1))
    kept = check("tall", op("grow", param("depth of both", 1), outputs=["seedling"]), notifications=SLACK)
    assert unreported(selected(table)) == ["'tall' (on 'seedling')"]
    assert kept.name == "tall artifact"


def test_a_check_that_was_computed_again_is_in_the_flow() -> None:
    source = op("load")
    first, second = (op("train", source) for _ in range(2))
    kept = [check("good", one, notifications=SLACK) for one in (first, second)]
    assert unreported(selected(second)) == []
    assert len(kept) == 2
