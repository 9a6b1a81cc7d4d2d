"""The methods of a run that compare it with another one; what they do is loaded when they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.run_comparison import RunComparison
    from aqueduct_provider.sdk.results.run_reading import ComparableRun


@suggest_keywords_of_methods
class Compared:
    """The methods of a run that compare it with another one."""

    def compare(self: ComparableRun, other: ComparableRun | str) -> RunComparison:
        """Return this run next to another one: parameters, metrics, checks, durations and artifacts.

        What differs is marked. Of tables, rows, columns, and each column's range and share of missing values
        are compared, by what their tasks wrote about them: no content is read. Where the runs used two
        versions of the flow, ``flow_diff`` has what changed between them.

        :param other: the run that is compared with, or its id.
        :raises NotFound: neither Airflow nor the store knows one of them.
        """
        from aqueduct_provider.sdk.results.comparing import compare

        if isinstance(other, str):
            return compare(self, _sibling(self, other))
        if not isinstance(other, Compared):
            raise AuthoringError(f"compare takes another run, or its id, not {other!r}.")
        return compare(self, other)

    def diff_from_last_success(self: ComparableRun) -> RunComparison:
        """Return this run next to the newest one before it that succeeded, as :meth:`compare` does.

        :raises NotFound: there is none, or Airflow does not know this run.
        """
        from aqueduct_provider.sdk.results.comparing import compare, last_success

        return compare(self, _sibling(self, last_success(self)))


def _sibling(run: ComparableRun, run_id: str) -> ComparableRun:
    return type(run)(run.session, run.record, run_id)  # type: ignore[call-arg]
