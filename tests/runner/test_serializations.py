"""Which serialization types values of each artifact type can have."""

from __future__ import annotations

from typing import Any

import pandas
import pytest

from aqueduct_provider.runner import serializations
from aqueduct_provider.runner.codecs import COMPILED, NATIVE, encode, infer_type
from aqueduct_provider.runner.contract import SERIALIZATION_TYPES
from aqueduct_provider.spec.types import ArtifactType

TYPES = [kind.value for kind in ArtifactType if kind is not ArtifactType.UNTYPED]
DATA = ("numeric", "boolean", "string", "json", "bytes", "image")


def test_every_artifact_type_has_some() -> None:
    found = {kind: serializations.of_type(kind) for kind in TYPES}
    assert all(found.values())
    assert frozenset().union(*found.values()) == SERIALIZATION_TYPES
    assert serializations.of_type("exe") == frozenset()


def test_what_is_plain_data_has_none_that_runs_code() -> None:
    assert [kind for kind in TYPES if serializations.is_data(kind)] == sorted(DATA, key=TYPES.index)
    for kind in TYPES:
        assert not serializations.of_data(kind) & serializations.RUNS_CODE
    for kind in (*DATA, "table"):
        assert not serializations.given_to(kind) & serializations.RUNS_CODE


@pytest.mark.parametrize("tables", [NATIVE, COMPILED])
@pytest.mark.parametrize(
    "value",
    [
        1,
        1.5,
        True,
        "text",
        "[1]",
        b"x",
        [1],
        (1,),
        {"a": 1},
        {1},
        {1: 2},
        [{1}],
        pandas.DataFrame({"a": [1]}),
    ],
)
def test_values_are_stored_as_the_table_says(value: Any, tables: str) -> None:
    kind = infer_type(value)
    assert encode(value, kind, tables).serialization_type in serializations.of_type(kind)
