"""Which runs a run can be compared with; ``test_comparing.py`` has the comparisons themselves."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from tests.unit.sdk.conftest import Finished


def test_a_run_is_named_by_itself_or_its_id(finished: Finished) -> None:
    by_id = finished.bad.compare(finished.good.id())
    assert by_id.to_json() == finished.bad.compare(finished.good).to_json()
    assert by_id.before.run_id == finished.good.id()


@pytest.mark.parametrize("other", [None, 3, [1]])
def test_what_is_no_run(finished: Finished, other: Any) -> None:
    with pytest.raises(AuthoringError, match="compare takes another run, or its id, not"):
        finished.good.compare(other)
