"""From a published spec to a DAG that Airflow shows: asking Airflow to look at once, and waiting.

In: a flow's record. Out: the DAG of its version, or a sentence that says what Airflow shows instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aqueduct_provider.errors import (
    AirflowError,
    AqueductError,
    AuthoringError,
    Hint,
    NotFound,
    WaitTimedOut,
)
from aqueduct_provider.sdk.publishing.airflow_problems import airflow_problems
from aqueduct_provider.sdk.waiting import Patient, brisk, wait_for
from aqueduct_provider.spec.version_label import labelled_version, short_id, version_label

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.api_models import DagInfo
    from aqueduct_provider.sdk.publishing.registry import FlowRecord
    from aqueduct_provider.sdk.session import Session

# Of every DAG that is made of a spec.
TAG = "aqueduct"
# Long enough for an Airflow that keeps a version for 30 s after it has stored it
# ([core] min_serialized_dag_update_interval) and parses every 30 s.
SHOWN_SECONDS = 60.0
# Asked earlier, Airflow may still keep the last version.
_ASK_AGAIN_SECONDS = 5.0
# Of the files that may hold the DAG.
_MOST_ASKED = 3
_CURE = (
    "The flow was delivered to {place}. Does Airflow look there? Whoever runs it sets that up once, with "
    "`aqueduct-airflow init` (and --connection, where flows are in S3). What Airflow could not use is listed "
    "there: by the tag 'broken spec', and under Import Errors."
)
_REPORTED = "The flow was delivered to {place}. Airflow reports: {problem}"
_LATER = (
    "Airflow does not show it yet. The spec is delivered: it appears when Airflow looks for changes, mostly "
    "within 30 seconds. client.status() shows it."
)
_BLOCKED = "Airflow does not show it yet. The spec is delivered. Airflow reports: {problem}"


def wait_until_deployed(session: Session, record: FlowRecord, timeout: float, *, progress: bool) -> None:
    """Ask Airflow to look for the record's version, and wait until it shows it.

    :param timeout: seconds.
    :raises WaitTimedOut: it does not show it in time; says why, where Airflow reports it.
    :raises AuthoringError: the flow was published once more, or deleted, so it never will.
    """
    _wait(_DeploymentWatch(session, session.airflow(record.engine), record), timeout, progress=progress)


def show(session: Session, record: FlowRecord, timeout: float, *, progress: bool = True) -> str:
    """Ask Airflow to show what was just delivered, and wait for a while: a sentence that says what it shows.

    The flow is published whatever happens here, so nothing is raised.

    :param timeout: seconds; 0: ask, and do not wait.
    :param progress: show the waiting.
    """
    try:
        watch = _DeploymentWatch(session, session.airflow(record.engine), record)
        if timeout > 0:
            _wait(watch, timeout, progress=progress)
        elif not watch.look():
            return ""
        return f"Airflow shows it: {watch.airflow.url(record.dag_id)}"
    except WaitTimedOut:
        return _BLOCKED.format(problem=watch.problem) if watch.problem else _LATER
    except AuthoringError as error:
        return str(error)
    except AqueductError as error:
        return f"Its spec is delivered, and Airflow finds it by itself; it could not be asked to: {error}"


def check_paused(record: FlowRecord, airflow: Airflow, *, unpause: bool) -> None:
    """Refuse to start a run of a flow that is paused, or unpause it.

    :raises AuthoringError: it is paused.
    """
    dag = airflow.dag(record.dag_id)
    if dag is None or not dag.is_paused:
        return
    if not unpause:
        raise AuthoringError(
            f"{record.name!r} is paused in Airflow: a run would wait for ever. Unpause it there.",
            hint=Hint.worded("Or pass {}; its schedule then runs again, too.", "unpause=True", "--unpause"),
        )
    airflow.unpause(record.dag_id)


def how_it_starts(name: str, schedule: object, sources: Sequence[str]) -> str:
    """Say that no run was started, and how one is: code of the original may wait for one.

    :param schedule: of the flow; empty: none.
    :param sources: the flows that it runs after.
    """
    now = f"client.trigger({name!r}) starts one now, as does publish_flow(..., run_now=True)."
    if sources:
        return f"No run was started: it runs after {' and '.join(map(repr, sources))}. {now}"
    if schedule:
        return (
            f"No run was started: Airflow runs it by its schedule, a new flow at once if a run was due. {now}"
        )
    return (
        f"No run was started, and it has no schedule. {now} So does the button Trigger in Airflow; "
        "schedule=... lets it run regularly."
    )


def _wait(watch: _DeploymentWatch, timeout: float, *, progress: bool) -> None:
    from aqueduct_provider.sdk.console import spinner

    look = Patient(watch.look)
    if look():
        return
    message = f"Waiting for Airflow to show {watch.record.name!r} ..."
    with spinner(message, shown=progress and timeout > 0) as say:
        watch.say = say
        wait_for(look, what=watch.found, seconds=timeout, pause=brisk, hint=watch.hint)


def shows(dag: DagInfo, version_id: str) -> bool:
    """Check whether a DAG shows this version of its flow.

    Its description ends with it; DAGs of compiled specs and of older releases have it among their tags.
    """
    if labelled := labelled_version(dag.description):
        return labelled == short_id(version_id)
    return version_id in dag.tags


@dataclass
class _DeploymentWatch:
    """Looks whether Airflow shows a version."""

    session: Session
    airflow: Airflow
    record: FlowRecord
    # Gets the first problem that Airflow reports.
    say: Callable[[str], None] = field(default=lambda _line: None, init=False)
    # Why Airflow does not show it, as far as Airflow reports that.
    problem: str = field(default="", init=False)
    _ask_at: float = field(default=0.0, init=False)
    _asked: bool = field(default=False, init=False)
    _seen: DagInfo | None = field(default=None, init=False)

    def look(self) -> bool:
        """Return whether it is there; asks for it now and then."""
        dag_id, version = self.record.dag_id, self.record.version_id
        self._seen = self.airflow.dag(dag_id, gone=True)
        shown = self._shown
        is_shown = shown is not None and shows(shown, version) and not shown.has_import_errors
        # A run that begins before the docs are new has the tasks of the version before.
        if is_shown and short_id(version) in self.airflow.docs(dag_id):
            return True
        now = time.monotonic()
        if now >= self._ask_at:
            self._check_newest()
            _ask(self.airflow, self._seen)
            # At first Airflow may know only what is being fixed by this very version.
            if self._asked and not self.problem and self._find_problem():
                self.say(f"Airflow reports: {self.problem}")
            self._asked, self._ask_at = True, now + _ASK_AGAIN_SECONDS
        return False

    def hint(self) -> str:
        """Return what can be done about it, in words."""
        place = self.record.delivered_to
        if self._find_problem():
            return _REPORTED.format(place=place, problem=self.problem)
        return _CURE.format(place=place)

    def _find_problem(self) -> bool:
        self.problem = ""
        with suppress(AirflowError, NotFound):
            problems = airflow_problems(self.airflow)
            self.problem = problems.of(self.record) or problems.shared
        return bool(self.problem)

    def found(self) -> str:
        """Describe what exists instead."""
        name = self.record.name
        if self._shown is None:
            return f"Airflow does not show {name!r}, as the DAG {self.record.dag_id!r}"
        if self._shown.has_import_errors:
            return f"Airflow cannot load the file that shows {name!r}"
        return f"Airflow still shows an older version of {name!r}, not {self._label}"

    @property
    def _label(self) -> str:
        return version_label(self.record.version_id, self.record.number)

    @property
    def _shown(self) -> DagInfo | None:
        return None if self._seen is None or self._seen.is_gone else self._seen

    def _check_newest(self) -> None:
        newest = self.session.registry.at(self.record.dag_id)
        if newest is None or newest.version_id != self.record.version_id:
            what = "deleted" if newest is None else "published once more"
            raise AuthoringError(
                f"{self.record.name!r} was {what} meanwhile, so Airflow will not show "
                f"{self._label}. client.flow({self.record.name!r}) gives what there is now."
            )


def ask_to_parse(airflow: Airflow, dag_id: str) -> None:
    """Ask Airflow to read the file of a DAG now, or those that may have it.

    A courtesy that Airflow may refuse: it reads its files by itself after a while.
    """
    with suppress(AirflowError):
        _ask(airflow, airflow.dag(dag_id, gone=True))


def _ask(airflow: Airflow, known: DagInfo | None) -> None:
    """Ask Airflow to parse the file of this DAG, or those that may hold it.

    :param known: the DAG; as long as it exists, its file is known.
    """
    with suppress(AirflowError):
        own = [known] if known is not None else []
        others = airflow.dags(TAG, gone=True, limit=100) if known is None or known.is_gone else []
        for token in _tokens([*own, *others])[:_MOST_ASKED]:
            airflow.parse_now(token)


def _tokens(dags: Sequence[DagInfo]) -> list[str]:
    """Return one per file, first one of each bundle, which Airflow then searches for new files."""
    first_of_bundle = {dag.bundle: dag.file_token for dag in reversed(dags)}
    first = list(first_of_bundle.values())[::-1]
    return [token for token in dict.fromkeys([*first, *(dag.file_token for dag in dags)]) if token]
