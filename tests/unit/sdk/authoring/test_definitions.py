"""Which callables can be operators, and what is known of them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.decorators import op
from aqueduct_provider.sdk.authoring.definitions import DecoratorArguments, Definition, definition_of


def define(function: Any, name: Any = None, **given: Any) -> Definition:
    return definition_of(function, name, DecoratorArguments(**{"kind": "function", **given}))


def churn(table: Any, limit: float = 0.5) -> Any:
    """
    Who will leave.

      - by next month
    """
    return table[table.risk > limit]


class Model:
    """A model."""

    def __call__(self, table: Any) -> Any:
        """Predict."""
        return table

    def train(self, table: Any) -> Any:
        return table


def test_a_function() -> None:
    found = define(churn)
    assert (found.name, found.function, found.folder) == ("churn", churn, Path(__file__).parent)
    assert found.description == "Who will leave.\n\n  - by next month"
    assert list(found.signature.parameters) == ["table", "limit"]
    assert (found.requirements, found.file_dependencies, found.severity) == (None, (), "warning")


def test_defaults_that_may_be_parameters() -> None:
    assert define(churn).defaults == {"limit": 0.5}
    assert define(lambda x, y=len: x).defaults == {}
    # What C functions say of their arguments only describes what they do.
    assert define(sorted).defaults == {}


def test_what_its_author_says() -> None:
    found = define(churn, "Churn!", description="", file_dependencies=[Path("a.csv")], requirements=["x"])
    assert (found.name, found.description, found.file_dependencies) == ("Churn!", "", ("a.csv",))
    assert found.requirements == ("x",)


@pytest.mark.parametrize(
    ("function", "name", "description"),
    [
        (lambda table: table, "<lambda>", ""),
        (Model().train, "train", ""),
        (staticmethod(churn), "churn", "Who will leave.\n\n  - by next month"),
        (functools.wraps(churn)(lambda *args: churn(*args)), "churn", "Who will leave.\n\n  - by next month"),
    ],
)
def test_callables_with_a_name(function: Any, name: str, description: str) -> None:
    found = define(function, in_class=True)
    assert (found.name, found.description) == (name, description)


@pytest.mark.parametrize(
    ("function", "description"),
    [(functools.partial(Model().train), ""), (Model(), "Predict."), (functools.partial(Model), "")],
)
def test_callables_without_one(function: Any, description: str) -> None:
    with pytest.raises(AuthoringError, match=r"^@op '\w+': the callable has no name.*name='...'"):
        define(function)
    found = define(function, "mine")
    assert (found.name, found.description) == ("mine", description)


async def waits(table: Any) -> Any:
    return table


async def streams(table: Any) -> AsyncIterator[Any]:
    yield table


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (waits, "'waits': an async function cannot be an operator"),
        (streams, "'streams': an async function cannot be an operator"),
        (Model, "only functions can be operators, not the class Model"),
        (5, "only functions can be operators, not a value of type int"),
        (classmethod(churn), "a method cannot be an operator"),
        (op(requirements=[])(churn), r"'churn': the function is an operator already.*churn\.__wrapped__"),
        (min, "Python does not know the arguments"),
    ],
)
def test_what_is_no_operator(function: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        define(function)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, "^@op 'churn': name must be text, not empty"),
        ({"name": 5}, "^@op 'churn': name must be text, not int"),
        ({"description": 5}, "description must be text, not int"),
        (
            {"file_dependencies": "a.csv"},
            r"file_dependencies must be a list of strings.*'prices\.csv'.*not str",
        ),
        ({"requirements": 5}, "requirements must be"),
        ({"num_outputs": 0}, "num_outputs must be"),
        ({"how": {"retries": 1.5}}, "retries must be"),
        ({"resources": {"x": 1}}, "unknown resource 'x'"),
        ({"engine": "k8s"}, "no engine"),
        ({"image": {}}, "no image"),
        ({"kind": "metric", "outputs": ["a", "b"]}, "^@metric 'churn' has one output"),
        ({"kind": "check", "severity": "fatal"}, "^@check 'churn': severity must be"),
    ],
)
def test_what_is_refused_names_decorator_and_operator(given: dict[str, Any], message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        define(churn, **given)


def test_errors_are_of_the_name_that_was_given() -> None:
    with pytest.raises(AuthoringError, match=r"^@op 'Churn!': "):
        define(churn, "Churn!", num_outputs=0)
