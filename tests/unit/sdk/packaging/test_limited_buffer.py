"""The file in memory that takes only so many bytes."""

from __future__ import annotations

import pytest

from aqueduct_provider.sdk.packaging.limited_buffer import LimitedBuffer, TooLarge


def test_a_buffer_that_takes_only_so_many_bytes() -> None:
    buffer = LimitedBuffer(3)
    buffer.write(b"abc")
    with pytest.raises(TooLarge, match="more than 3 bytes"):
        buffer.write(b"d")
