"""Inputs that could not be read on a worker, in flows as users write them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest
from sklearn.preprocessing import StandardScaler

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.authoring.arguments import nodes_of
from aqueduct_provider.sdk.authoring.encode_values import encoded_default
from aqueduct_provider.sdk.publishing.data_needs import check_inputs
from tests.support.operator_nodes import operator


@aq.op("train", requirements=["scikit-learn"], outputs=["model"])
def train() -> Any:
    return StandardScaler().fit([[1.0], [2.0]])


@aq.op("split", requirements=["pandas"], outputs=["tables"])
def split() -> Any:
    return [pandas.DataFrame({"a": [1]}), numpy.array([1])]


def checked(*artifacts: Any) -> None:
    from aqueduct_provider.sdk.authoring.nodes import upstream

    operators = upstream(nodes_of(list(artifacts), "artifacts"))
    check_inputs(operators, {one: encoded_default(one) for one in operators if one.kind == "param"})


def use(*requirements: str, name: str = "use") -> Callable[..., Any]:
    decorated: Callable[..., Any] = aq.op(name, requirements=list(requirements))(lambda value: 1)
    return decorated


def test_a_model_that_its_reader_cannot_unpickle() -> None:
    with pytest.raises(PackagingError) as raised:
        checked(use()(train()))
    message = str(raised.value)
    assert message.startswith(
        "'use' takes 'model', which 'train' makes, and reading that needs the module 'sklearn' (package "
        "scikit-learn "
    )
    # numpy, which the model needs too, comes with it.
    assert "numpy" not in message
    assert "Add 'scikit-learn==" in message
    assert message.endswith("' to its requirements=[...].")


@pytest.mark.parametrize("kind", [aq.metric, aq.check])
def test_metrics_and_checks_read_their_inputs_too(kind: Any) -> None:
    reader = kind("score", requirements=[])(lambda model: True if kind is aq.check else 1)
    with pytest.raises(PackagingError, match="'score' takes 'model', which 'train' makes"):
        checked(reader(train()))


@pytest.mark.parametrize("requirement", ["scikit-learn", "scikit_learn>=1", "imbalanced-learn"])
def test_a_requirement_that_brings_the_package(requirement: str) -> None:
    if requirement != "imbalanced-learn":
        checked(use(requirement)(train()))
        return
    # Not installed here: nobody can say that it does not, but its name does not say that it does.
    with pytest.raises(PackagingError, match="scikit-learn"):
        checked(use(requirement)(train()))


def test_the_reader_s_requirements_count_and_not_the_maker_s() -> None:
    scaled = aq.op("scale", requirements=["scikit-learn"], outputs=["scaled"])(
        lambda model: numpy.array([1.0])
    )
    with pytest.raises(PackagingError) as raised:
        checked(use()(scaled(train())))
    assert "'use' takes 'scaled', which 'scale' makes, and reading that needs the module 'numpy'" in str(
        raised.value
    )


def test_tables_are_read_by_what_workers_add_and_those_in_lists_are_not() -> None:
    table = aq.op("table", requirements=["pandas"])(lambda: pandas.DataFrame({"a": [1]}))
    checked(use()(table()))
    with pytest.raises(
        PackagingError, match=r"'tables', which 'split' makes, and reading that needs.* 'pandas'"
    ):
        checked(use()(split()))
    checked(use("pandas")(split()))


def test_a_frame_of_polars_is_one_where_polars_is() -> None:
    make = aq.op("make", requirements=["polars"], outputs=["frame"])(lambda: polars.DataFrame({"a": [1]}))
    with pytest.raises(PackagingError, match=r"'frame', which 'make' makes, .* needs the module 'polars' "):
        checked(use()(make()))
    checked(use("polars")(make()))

    @aq.op(requirements=["pandas"])
    def rows(frame: pandas.DataFrame) -> int:
        return len(frame)

    checked(rows(make()))


def test_a_parameter_s_default() -> None:
    reader = use()
    with pytest.raises(PackagingError, match="'use' takes the parameter 'use:value', and reading that needs"):
        checked(reader.lazy(numpy.array([1])))  # type: ignore[attr-defined]


def test_nothing_is_said_of_what_was_not_computed() -> None:
    checked(use().lazy(train.lazy()))  # type: ignore[attr-defined]


def test_every_reader_is_named() -> None:
    model = train()
    with pytest.raises(
        PackagingError, match=r"^2 inputs could not be read on a worker:\n- 'a' takes.*\n- 'b' takes"
    ):
        checked(use(name="a")(model), use(name="b")(model))


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "shapes_declared.py").write_text("class Square:\n    side = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("shapes_declared", None)


def test_a_module_that_only_the_maker_declares(shapes: Path) -> None:
    from aqueduct_provider.sdk.authoring.evaluate import compute

    def makes() -> Any:
        import shapes_declared

        return shapes_declared.Square()

    made = operator(makes, files=("shapes_declared.py",), folder=shapes)
    compute(made)
    reader = operator(lambda square: square.side, *made.outputs, name="reads", folder=shapes)
    with pytest.raises(PackagingError) as raised:
        check_inputs([made, reader], {})
    assert str(raised.value) == (
        "'reads' takes 'makes artifact', which 'makes' makes, and reading that needs the local module "
        "'shapes_declared', which it does not declare. Name its file in "
        "file_dependencies=['shapes_declared.py']."
    )
    also = operator(
        lambda square: 1, *made.outputs, files=("shapes_declared.py",), folder=shapes, name="also"
    )
    check_inputs([made, also], {})
