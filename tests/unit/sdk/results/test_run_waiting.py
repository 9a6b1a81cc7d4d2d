from __future__ import annotations

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AirflowUnreachable, WaitTimedOut
from aqueduct_provider.sdk.results.run_waiting import wait_for_end
from tests.unit.sdk.conftest import Finished

RUNNING, SUCCEEDED = aq.ExecutionStatus.RUNNING, aq.ExecutionStatus.SUCCEEDED


def test_it_is_looked_at_until_it_is_over(finished: Finished) -> None:
    looks = iter([RUNNING, AirflowUnreachable("away."), RUNNING, SUCCEEDED])
    said: list[str] = []

    def look() -> aq.ExecutionStatus:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    assert wait_for_end(finished.good, look, 5, 0, said.append) is SUCCEEDED
    assert said == ["away. It is asked again."]


def test_a_run_that_is_not_over_in_time(finished: Finished) -> None:
    with pytest.raises(WaitTimedOut, match="is not over") as caught:
        wait_for_end(finished.good, lambda: RUNNING, 0, 0)
    assert "run.describe()" in str(caught.value)
