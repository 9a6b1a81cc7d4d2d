"""Functions of the user take the inputs in the order that they have in the run."""

from __future__ import annotations

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.reruns.corrected_function import corrected_function
from aqueduct_provider.sdk.reruns.replayed_operator import ReplayedOperator, replayed_operator
from tests.unit.sdk.conftest import Finished


@pytest.fixture
def replayed(finished: Finished) -> ReplayedOperator:
    return replayed_operator(finished.good, "total", trust_store=False, without_code=True)


def test_a_plain_function_has_the_requirements_of_the_operator(replayed: ReplayedOperator) -> None:
    def corrected(table: pandas.DataFrame, share: float = 0.5) -> float:
        return share

    found = corrected_function(replayed, corrected)
    assert found.call is corrected
    assert found.requirements == (replayed.operator.code.requirements or ())
    assert found.views == ("pandas",)


def test_a_decorated_function_has_its_own(replayed: ReplayedOperator) -> None:
    @aq.metric(requirements=["polars"], file_dependencies=["prices.csv"])
    def corrected(*tables: object) -> int:
        return len(tables)

    found = corrected_function(replayed, corrected)
    assert found.requirements == ("polars",)
    assert found.file_dependencies == ("prices.csv",)
    assert found.call("a") == 1


def test_arguments_by_name(replayed: ReplayedOperator) -> None:
    def corrected(*, table: object, other: int = 2) -> object:
        return table, other

    assert corrected_function(replayed, corrected).call(7) == (7, 2)


@pytest.mark.parametrize("wrong", [lambda: 1, lambda a, b: 1, lambda a, *, b: 1])
def test_functions_that_do_not_take_the_inputs(replayed: ReplayedOperator, wrong: object) -> None:
    with pytest.raises(AuthoringError, match=r"'total' has 1 inputs in this run: table\. Write one"):
        corrected_function(replayed, wrong)


@pytest.mark.parametrize("wrong", [7, "total", dict])
def test_what_is_not_a_function(replayed: ReplayedOperator, wrong: object) -> None:
    with pytest.raises(AuthoringError, match="only functions can be operators"):
        corrected_function(replayed, wrong)
