"""``sdk/test_type_checkers.py`` proves what checkers make of these; here, what Python does."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from aqueduct_provider.sdk.authoring.artifacts import (
    Artifact,
    GenericArtifact,
    NumericArtifact,
    TableArtifact,
)
from aqueduct_provider.sdk.authoring.calls import Operator
from aqueduct_provider.sdk.authoring.value_types import Frame


@pytest.mark.parametrize("kind", [Artifact, GenericArtifact, NumericArtifact, TableArtifact])
def test_annotations_may_name_the_value_of_an_artifact(kind: Any) -> None:
    assert kind[int].__origin__ is kind


def test_annotations_may_name_the_types_of_an_operator() -> None:
    assert Operator[[int], str, Artifact[str]].__origin__ is Operator  # type: ignore[attr-defined]


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]})])
def test_frames_have_what_frames_have(frame: Frame) -> None:
    assert len(list(frame.columns)) == 1
    assert tuple(frame.shape) == (1, 1)
