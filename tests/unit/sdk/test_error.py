"""Code of the original catches what is raised here in the same situation, by the name that it knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk import error


@pytest.fixture
def client(tmp_path: Path) -> aq.Client:
    return aq.Client(config_path=tmp_path / "config.toml", folder=str(tmp_path / "store"))


@aq.op(requirements=[])
def load() -> int:
    return 1


@aq.check(requirements=[])
def passes(_: Any) -> bool:
    return True


# Situation -> the class that the original raises there; found out with tests/oracle.
SITUATIONS: list[tuple[str, Callable[[aq.Client], Any]]] = [
    ("InvalidUserArgumentException", lambda _: aq.op(num_outputs=0)(len)),
    ("InvalidUserArgumentException", lambda client: client.create_param("p", None)),
    ("InvalidUserArgumentException", lambda client: client.create_param("p", "x.csv", use_local=True)),
    ("InvalidUserArgumentException", lambda client: client.connect_resource("x", "Nope", {})),
    ("InvalidUserArgumentException", lambda client: client.publish_flow("", artifacts=[load.lazy()])),
    ("InvalidUserArgumentException", lambda _: load.lazy().set_name(" ")),
    ("InvalidUserActionException", lambda _: load.lazy().system_metric("runtime").remove_check("x")),
    ("InvalidUserActionException", lambda _: aq.op(requirements=[])(len).lazy(passes.lazy(load.lazy()))),
    ("InvalidResourceException", lambda client: client.resource("nope")),
    ("InvalidResourceException", lambda client: client.delete_resource("nope")),
    ("InvalidResourceException", lambda client: client.publish_flow("x", artifacts=load.lazy(), engine="no")),
    (
        "InvalidFunctionException",
        lambda _: aq.op(requirements=[], file_dependencies=["no.csv"])(abs_of).lazy(1),
    ),
    ("InvalidRequestError", lambda client: client.delete_flow("nope")),
    ("AqueductError", lambda _: aq.op(requirements=[])(fails)()),
]


def abs_of(x: int) -> int:
    return abs(x)


def fails() -> float:
    return 1 / 0


@pytest.mark.parametrize(("name", "act"), SITUATIONS)
def test_the_original_name_catches_it(client: aq.Client, name: str, act: Callable[[aq.Client], Any]) -> None:
    with pytest.raises(getattr(error, name)) as caught:
        act(client)
    # And whoever knows our own names catches it by these, too.
    assert isinstance(caught.value, aq.AqueductError)


@pytest.mark.parametrize("name", error.__all__)
def test_each_is_at_the_top_and_can_be_raised(name: str) -> None:
    kind = getattr(aq, name)
    assert kind is getattr(error, name)
    with pytest.raises(aq.AqueductError, match="wrong"):
        raise kind("wrong")
