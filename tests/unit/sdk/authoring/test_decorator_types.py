"""``sdk/test_type_checkers.py`` proves what checkers make of these; here, that options are not forgotten."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.authoring import decorator_types
from aqueduct_provider.sdk.authoring.decorators import Operator


def test_options_with_several_outputs_are_those_of_the_decorator() -> None:
    options = decorator_types.OutputOptions.__annotations__.keys()
    assert {*options, "name", "num_outputs", "outputs"} == set(inspect.signature(aq.op).parameters)


@pytest.mark.parametrize("count", get_args(decorator_types.Several))
def test_so_many_outputs_are_several(count: int) -> None:
    operator = aq.op(requirements=[], num_outputs=count)(lambda a: [a] * count)
    assert isinstance(operator, Operator)
    assert len(operator.lazy(1)) == count
