from __future__ import annotations

import json

import pytest

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.retries import is_own
from tests.support.example_specs import native_document


@pytest.mark.parametrize("retries", [None, 0, 2])
def test_own_operators_are_those_without_code_whose_retries_are_open(retries: int | None) -> None:
    document = native_document()
    for operator in document["operators"]:
        operator["retries"] = retries
    spec = parse(json.dumps(document).encode(), "churn.json")
    own = {operator.task_id for operator in spec.operators if is_own(operator)}
    assert own == ({"threshold", "train_runtime"} if retries is None else set())
