"""Operators that have no function of the user say where to look instead."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.reruns.replayed_operator import replayed_operator
from tests.unit.sdk.conftest import Finished


def test_the_inputs_are_as_they_are_stored(finished: Finished) -> None:
    found = replayed_operator(finished.good, "features", trust_store=False, without_code=False)
    assert [(one.data, one.artifact_type, one.serialization_type) for one in found.inputs] == [
        (b"4", "numeric", "json")
    ]
    assert found.operator.name == "features"
    assert found.spec.sha256 == finished.flow.spec.sha256


def test_every_kind_without_code_says_what_to_do(finished: Finished) -> None:
    from aqueduct_provider.sdk.reruns.replayed_operator import _INSTEAD
    from aqueduct_provider.spec.models import CallOperator, Operator

    kinds = {kind.model_fields["type"].annotation.__args__[0] for kind in _classes(Operator)}
    calls = {kind.model_fields["type"].annotation.__args__[0] for kind in _classes(CallOperator)}
    assert kinds - calls == set(_INSTEAD)
    with pytest.raises(AuthoringError, match=r"run\.parameters\(\) gives its value"):
        replayed_operator(finished.good, "rows", trust_store=False, without_code=False)


def _classes(union: Any) -> list[Any]:
    if isinstance(union, type):
        return [union] if hasattr(union, "model_fields") else []
    return [kind for one in get_args(union) for kind in _classes(one)]
