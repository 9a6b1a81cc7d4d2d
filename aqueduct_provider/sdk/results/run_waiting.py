"""Wait until a run is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqueduct_provider.errors import Hint
from aqueduct_provider.sdk.results.outcomes import ENDED

if TYPE_CHECKING:
    from aqueduct_provider.sdk.enums import ExecutionStatus
    from aqueduct_provider.sdk.results.run_facts import RunFacts


def wait_for_end(
    run: RunFacts,
    look: Callable[[], ExecutionStatus],
    timeout: float | None,
    pause: float,
    say: Callable[[str], None] = lambda _message: None,
) -> ExecutionStatus:
    """Return the status of a run when it is over.

    :param look: asks for the status.
    :param timeout: seconds to wait at most; None: for ever.
    :param pause: seconds between two looks.
    :param say: gets what goes wrong meanwhile.
    :raises WaitTimedOut: the run is not over in time.
    """
    from aqueduct_provider.sdk.waiting import Patient, wait_for

    def ended() -> ExecutionStatus | None:
        status = look()
        # A run that Airflow has forgotten will not change any more.
        return status if status in ENDED or run.info is None else None

    return wait_for(
        Patient(ended, on_absence=lambda error: say(f"{error} It is asked again.")),
        what=f"the run {run.run_id} of {run.record.name!r} is not over",
        seconds=timeout,
        pause=pause,
        hint=Hint.worded("It goes on; wait again, or look at {}.", "run.describe()", "aqueduct-airflow show"),
    )
