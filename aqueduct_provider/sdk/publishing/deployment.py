"""From a published spec to a DAG that Airflow shows: waiting, and asking Airflow to look at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AirflowError, AuthoringError
from aqueduct_provider.sdk.waiting import Patient, wait_for

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.registry import Record
    from aqueduct_provider.sdk.rest.airflow import Airflow
    from aqueduct_provider.sdk.rest.models import DagInfo
    from aqueduct_provider.sdk.session import Session

# Airflow parses a loader again every 30 s; asked earlier, it may still keep the last version for as long.
_ASK_AGAIN = 5
_CURE = (
    "The spec is at {place}. Does Airflow look there? Its DAG folder needs the loader of "
    "`aqueduct-airflow init` (with --connection for specs in S3). A spec that it cannot use is a DAG with "
    "the tag 'broken spec'; errors of the loader stand under Import Errors."
)


def wait_until_deployed(session: Session, record: Record, timeout: float, *, progress: bool) -> None:
    """Wait until Airflow shows the record's version.

    :param timeout: seconds.
    :raises WaitTimedOut: it does not show it in time.
    :raises AuthoringError: the flow was published once more, or deleted, so it never will.
    """
    from aqueduct_provider.sdk.display.progress import spinner

    watch = _Watch(session, session.airflow(record.engine), record)
    look = Patient(watch.look)
    if look():
        return
    with spinner(f"Waiting for Airflow to show {record.name!r} ...", shown=progress):
        wait_for(
            look,
            what=watch.found,
            seconds=timeout,
            cure=_CURE.format(place=record.delivered_to),
        )


@dataclass
class _Watch:
    """Looks whether Airflow shows a version."""

    session: Session
    airflow: Airflow
    record: Record
    _looks: int = field(default=0, init=False)
    _seen: DagInfo | None = field(default=None, init=False)

    def look(self) -> bool:
        """Whether it is there; asks for it now and then."""
        self._seen = self.airflow.dag(self.record.dag_id)
        if self._seen is not None and self.record.version_id in self._seen.tags:
            return True
        if self._looks % _ASK_AGAIN == 0:
            self._check_newest()
            ask_to_parse(self.airflow, self.record.dag_id)
        self._looks += 1
        return False

    def found(self) -> str:
        """What is there instead, in words."""
        name = self.record.name
        if self._seen is None:
            return f"Airflow has no DAG {self.record.dag_id!r}, which shows {name!r}"
        return f"Airflow still shows an older version of {name!r}, not {self.record.version_id}"

    def _check_newest(self) -> None:
        newest = self.session.registry.at(self.record.dag_id)
        if newest is None or newest.version_id != self.record.version_id:
            what = "deleted" if newest is None else "published once more"
            raise AuthoringError(
                f"{self.record.name!r} was {what} meanwhile, so Airflow will not show version "
                f"{self.record.version_id}. client.flow({self.record.name!r}) gives what there is now."
            )


def ask_to_parse(airflow: Airflow, dag_id: str) -> None:
    """Ask Airflow to read its loader now, where one of its DAGs tells which file that is.

    A courtesy that Airflow may refuse: it reads the file by itself after a while.
    """
    with suppress(AirflowError):
        known = airflow.dag(dag_id) or airflow.any_dag("aqueduct")
        if known is not None and known.file_token:
            airflow.parse_now(known.file_token)
