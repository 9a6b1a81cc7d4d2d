"""What goes in comes out: generated values and frames, in value and type, recursively."""

from __future__ import annotations

import os
from typing import Any

import pandas
from hypothesis import HealthCheck, given, settings

from aqueduct_provider.runner.codecs import decode, encode, infer_type
from tests.support.generated_frames import frames
from tests.support.generated_values import VALUES, alike, alike_frames, sharing

# The same examples in every run: a fault that is found by chance should not break somebody else's build.
# AQUEDUCT_PROPERTIES=<number> looks for more, at random.
MORE = int(os.environ.get("AQUEDUCT_PROPERTIES", "0"))
EXAMPLES = settings(
    max_examples=MORE or 200, derandomize=not MORE, deadline=None, suppress_health_check=list(HealthCheck)
)


def stored(value: Any) -> Any:
    encoded = encode(value, infer_type(value), "parquet")
    return decode(encoded.data, encoded.serialization_type, encoded.artifact_type)


@given(VALUES)
@EXAMPLES
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    back = stored(value)
    assert alike(value, back)
    assert sharing(value) == sharing(back)


@given(frames())
@EXAMPLES
def test_a_frame_comes_back_as_it_was(frame: pandas.DataFrame) -> None:
    assert alike_frames(frame, stored(frame))


@given(frames())
@EXAMPLES
def test_frames_in_a_list_come_back_as_they_were(frame: pandas.DataFrame) -> None:
    assert alike([frame, 1], stored([frame, 1]))
