"""What all models share: names that are safe in keys, and values that are never shown."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from aqueduct_provider.spec.types import (
    JSON_TYPES,
    ArtifactType,
    Digest,
    Identifier,
    Model,
    Name,
    Seconds,
)


def is_valid(kind: object, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        *((text, True) for text in ("a", "A-b_c.d", "0", "a" * 200, "-x", "x..y")),
        *((text, False) for text in ("", ".", "..", ".a", "a/b", "a b", "ä", "a" * 201, "a\n")),
    ],
)
def test_identifiers_can_be_parts_of_keys(value: str, fits: bool) -> None:
    assert is_valid(Identifier, value) is fits


def test_other_kinds_of_values() -> None:
    assert is_valid(Digest, "a" * 64)
    assert not any(is_valid(Digest, text) for text in ("A" * 64, "a" * 63, "g" * 64, "a" * 64 + "\n"))
    assert is_valid(Name, " ")
    assert not is_valid(Name, "")
    assert is_valid(Seconds, 31_536_000)
    assert not any(is_valid(Seconds, value) for value in (0, -1, 31_536_001, float("nan"), float("inf")))


def test_models_are_frozen_and_strict_and_show_no_input() -> None:
    class Point(Model):
        x: int

    point = Point(x=1)
    with pytest.raises(ValidationError):
        point.x = 2  # type: ignore[misc]
    for wrong in ({"x": "hunter2"}, {"x": 1, "y": "hunter2"}, {"x": True}):
        with pytest.raises(ValidationError) as caught:
            Point.model_validate(wrong)
        assert "hunter2" not in str(caught.value)


def test_types_of_artifacts() -> None:
    assert len(ArtifactType) == 13
    assert {kind.value for kind in set(ArtifactType) - JSON_TYPES} == {
        "table",
        "bytes",
        "image",
        "picklable",
        "tensorflow-keras-model",
    }
