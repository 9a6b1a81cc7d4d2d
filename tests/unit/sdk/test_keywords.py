"""Misspelt keyword arguments of public functions."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring import artifacts
from aqueduct_provider.sdk.keywords import suggest_keywords
from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
from aqueduct_provider.sdk.resources.files_resource import FilesResource
from aqueduct_provider.sdk.resources.mongodb_resource import MongoCollection, MongoResource
from aqueduct_provider.sdk.resources.sql_resource import SqlResource

CLASSES = (
    *(aq.Client, aq.Flow, aq.Run),
    *(artifacts.TableArtifact, artifacts.NumericArtifact, artifacts.BoolArtifact, artifacts.GenericArtifact),
    *(AirflowResource, FilesResource, MongoCollection, MongoResource, SqlResource),
)
# Numbers of a schedule, and what has no arguments that people spell.
PLAIN = {"DayOfMonth", "Hour", "Minute", "get_apikey", "on_assets", "Flow", "FlowStatus", "Run"} | {
    *("FlowDiff", "RunComparison", "Version"),
    *("Artifact", "BoolArtifact", "GenericArtifact", "NumericArtifact", "TableArtifact"),
}


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in aq.__all__:
        one = getattr(aq, name)
        is_kind = inspect.isclass(one) and issubclass(one, (Exception, Enum))
        if inspect.ismodule(one):
            yield from ((f"{name}.{inner}", getattr(one, inner)) for inner in one.__all__)
        elif name not in PLAIN and not is_kind:
            yield name, one if inspect.isfunction(one) else one.__init__
    for owner in CLASSES:
        for name, member in inspect.getmembers(owner, inspect.isfunction):
            # pymongo's find takes what it likes.
            if not name.startswith("_") and (owner, name) != (MongoCollection, "find"):
                yield f"{owner.__name__}.{name}", member


@pytest.mark.parametrize(
    ("name", "function"), list(public()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_public_function_suggests(name: str, function: Callable[..., Any]) -> None:
    with pytest.raises(AuthoringError, match=r"takes no argument 'no_such_keyword'\."):
        function(None, no_such_keyword=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aq.op(requirement=[]), "op takes no argument 'requirement'. Did you mean 'requirements'?"),
        (
            lambda: aq.metric(descripton=""),
            "metric takes no argument 'descripton'. Did you mean 'description'?",
        ),
        (lambda: aq.check(severty=""), "check takes no argument 'severty'. Did you mean 'severity'?"),
        (
            lambda: aq.to_operator(len, requirement=[]),
            "to_operator takes no argument 'requirement'. Did you mean 'requirements'?",
        ),
        (lambda: aq.daily(hours=3), "daily takes no argument 'hours'. Did you mean 'hour'?"),
        (lambda: aq.Client(buckett="b"), "Client takes no argument 'buckett'. Did you mean 'bucket'?"),
        (
            lambda: aq.Client.publish_flow(None, artifact=[]),
            "Client.publish_flow takes no argument 'artifact'. Did you mean 'artifacts'?",
        ),
        (
            lambda: SqlResource.sql(None, "SELECT 1", retry=2),
            "SqlResource.sql takes no argument 'retry'. Did you mean 'retries'?",
        ),
        (
            lambda: aq.global_config(config={}),
            "global_config takes no argument 'config'. Did you mean 'config_dict'?",
        ),
    ],
)
def test_what_was_probably_meant(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        call()
    assert str(caught.value) == message


def test_a_function_that_takes_any_keyword_is_left_as_it_is() -> None:
    def find(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    assert suggest_keywords(find)(1, any=2) == ((1,), {"any": 2})


@pytest.mark.parametrize("function", [aq.op, aq.metric, aq.check, SqlResource.sql, SqlResource.save])
def test_help_lists_the_options_of_a_run(function: Callable[..., Any]) -> None:
    options = ["retries", "retry_delay", "timeout", "pool", "fuse"]
    parameters = inspect.signature(function).parameters
    assert list(parameters)[-5:] == options
    assert {parameters[name].kind for name in options} == {inspect.Parameter.KEYWORD_ONLY}
    assert "retry_delay: 'float | timedelta | None' = None" in pydoc.render_doc(
        function, renderer=pydoc.plaintext
    )


def test_a_function_stays_what_it_was() -> None:
    @suggest_keywords
    def add(a: int, /, b: int = 2, *more: int, c: int = 3) -> int:
        """Adds."""
        return a + b + sum(more) + c

    assert (add(1), add(1, 1, 1, c=1), add(1, b=5)) == (6, 4, 9)
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert list(inspect.signature(add).parameters) == ["a", "b", "more", "c"]
    with pytest.raises(AuthoringError, match="There are: 'b', 'c'"):
        add(1, zzz=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        add()  # type: ignore[call-arg]
