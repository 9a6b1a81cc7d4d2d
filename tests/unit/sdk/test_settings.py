"""Eager or lazy, and what runs inside an operator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk import settings
from aqueduct_provider.sdk.settings import global_config


@pytest.fixture(autouse=True)
def _eager_again() -> Iterator[None]:
    yield
    global_config({"lazy": False})


def test_calls_are_eager_until_told_otherwise() -> None:
    assert not settings.is_lazy()
    global_config({"lazy": True})
    assert settings.is_lazy()
    global_config({})
    assert settings.is_lazy()
    global_config(config_dict={"lazy": False})
    assert not settings.is_lazy()


@pytest.mark.parametrize("engine", [None, "aqueduct", "Aqueduct"])
def test_the_engine_that_is_there(engine: str | None) -> None:
    global_config({"engine": engine})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"lazy": 1}, "'lazy' must be True or False, not int"),
        ({"engine": "my_airflow"}, r"'engine' cannot be 'my_airflow'.*publish_flow\(\.\.\., engine="),
        ({"engine": 3}, "'engine' cannot be 3"),
        ({"lasy": True}, "unknown setting 'lasy'. Did you mean 'lazy'"),
        ({7: True}, "unknown setting 7. There are: 'engine', 'lazy'"),
        ("lazy", "takes a dict"),
        (None, "takes a dict"),
    ],
)
def test_what_is_refused(config: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        global_config(config)


def test_what_is_refused_changes_nothing() -> None:
    with pytest.raises(AuthoringError):
        global_config({"lazy": True, "engine": "airflow"})
    assert not settings.is_lazy()


def test_inside_an_operator() -> None:
    with settings.inside_operator():
        with settings.inside_operator():
            pass
        assert settings.is_inside_operator()
        seen: list[bool] = []
        other = threading.Thread(target=lambda: seen.append(settings.is_inside_operator()))
        other.start()
        other.join()
        assert seen == [False]
    assert not settings.is_inside_operator()


def test_an_operator_that_raises_is_left() -> None:
    with pytest.raises(ZeroDivisionError), settings.inside_operator():
        _ = 1 / 0
    assert not settings.is_inside_operator()
