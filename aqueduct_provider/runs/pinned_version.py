"""Pin every task of a run to the flow version that the run started with.

Where a new version was delivered meanwhile, the spec of the run's version is fetched from the store and
verified. Tasks learn the version from those before them; the first tasks of a flow, where it has several,
agree on one through an object of the run. Which version an object names is believed only when XCom, which is
in Airflow's database, names the same.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aqueduct_provider.artifacts.transfer import fetch_bytes
from aqueduct_provider.errors import DigestMismatch, ObjectNotFound, RunVersionChanged
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec.flow_plan import FlowPlan, flow_plan
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import FlowLayout, pinned_spec, run_spec
from aqueduct_provider.storage.object_store import ObjectStore

log = logging.getLogger(__name__)

# Seconds in which the task that has just named the run's version reports it to Airflow.
_PATIENCE = 3.0
_POLL = 0.2


@dataclass(frozen=True)
class SpecRef:
    """A spec by its content.

    :param sha256: digest of its JSON.
    :param version: id of the flow's version.
    """

    sha256: str
    version: str

    @classmethod
    def of(cls, spec: WorkflowSpec) -> SpecRef:
        return cls(spec.sha256, str(spec.version.id))

    def to_json(self) -> dict[str, str]:
        """Return what goes into XCom."""
        return {"sha256": self.sha256, "version": self.version}

    @classmethod
    def from_xcom(cls, value: Any) -> SpecRef | None:
        """Read the spec that a task's XCom value names; None: it names none."""
        found = value.get("spec") if isinstance(value, Mapping) else None
        if not isinstance(found, Mapping):
            return None
        return cls(str(found.get("sha256")), str(found.get("version")))


@dataclass(frozen=True)
class RunTask:
    """A task of a run, and how it talks to the others.

    :param attempt: how often the run was cleared: a run that is cleared may take another version.
    :param left: gives what another task left in XCom as its result, or None.
    :param succeeded: gives those of these tasks whose state in Airflow is success; cleared ones are not.
    :param reported: gives what another first task reported of its version, or None.
    :param report: reports to the others.
    """

    task_id: str
    run_id: str
    attempt: int
    left: Callable[[str], Any]
    succeeded: Callable[[Collection[str]], Collection[str]]
    reported: Callable[[str], Any]
    report: Callable[[dict[str, Any]], None]


def spec_of_run(own: WorkflowSpec, task: RunTask, store: ObjectStore) -> WorkflowSpec:
    """Pin a task to the spec of the version that its run started with.

    :param own: the spec as it was delivered last.
    :raises RunVersionChanged: the run cannot go on with one version.
    :raises StorageError: the store does not answer.
    """
    plan = flow_plan(own)
    before = plan.tasks[task.task_id].upstream if task.task_id in plan.tasks else ()
    if before:
        found = {other: SpecRef.from_xcom(task.left(other)) for other in before}
        wanted = _the_one(own, task, {other: ref for other, ref in found.items() if ref is not None})
    else:
        wanted = _agreed(own, plan, task, store)
    if wanted.sha256 == own.sha256:
        return own
    spec = _fetched(own, wanted, task, store)
    log.warning(
        "This run began with version %s of %r and goes on with it, though %s was published since. To run "
        "that one, clear the whole run or start a new one.",
        wanted.version,
        own.flow.name,
        own.version.id,
    )
    return spec


def _the_one(own: WorkflowSpec, task: RunTask, found: Mapping[str, SpecRef]) -> SpecRef:
    """Return the version that all tasks before this one had; its own where none says."""
    refs = {ref.sha256: ref for ref in found.values()}
    if len(refs) > 1:
        who = ", ".join(f"{other!r} ran by version {ref.version}" for other, ref in sorted(found.items()))
        raise RunVersionChanged(
            f"Task {task.task_id!r} would mix versions of {own.flow.name!r}: {who}. Clear the whole run, so "
            "that all of it runs by one."
        )
    return next(iter(refs.values()), SpecRef.of(own))


def _agreed(own: WorkflowSpec, plan: FlowPlan, task: RunTask, store: ObjectStore) -> SpecRef:
    """Return the version on which the first tasks of the run agree; a lone one decides by itself."""
    firsts = plan.first
    mine = SpecRef.of(own)
    if len(firsts) < 2:
        return mine
    if task.attempt and (kept := _of_succeeded(own, task, firsts)):
        return kept
    key = run_spec(FlowLayout(str(own.flow.id)), task.run_id, task.attempt)
    claim = {"spec": mine.to_json(), "task_id": task.task_id, "attempt": task.attempt}
    chosen = mine
    if not store.put_new(key, json.dumps(claim).encode()):
        claimed = _claim(store, key)
        theirs = SpecRef.from_xcom(claimed)
        if theirs is not None and theirs.sha256 != mine.sha256:
            if _is_reported(theirs, task, {*firsts, str(claimed.get("task_id"))}):
                chosen = theirs
            else:
                # Whoever claimed it is gone without a trace: its try was repeated since.
                store.put(key, json.dumps(claim).encode())
    task.report({"spec": chosen.to_json(), "attempt": task.attempt})
    return chosen


def _of_succeeded(own: WorkflowSpec, task: RunTask, firsts: Collection[str]) -> SpecRef | None:
    """Return the version of the first tasks that were not cleared; None: all were."""
    left = {
        other: SpecRef.from_xcom(task.left(other)) for other in task.succeeded({*firsts} - {task.task_id})
    }
    found = {other: ref for other, ref in left.items() if ref is not None}
    return _the_one(own, task, found) if found else None


def _claim(store: ObjectStore, key: str) -> dict[str, Any]:
    try:
        found = json_value(store.get(key))
    except (ObjectNotFound, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_reported(ref: SpecRef, task: RunTask, firsts: set[str]) -> bool:
    """Check whether another first task of this run goes by this version, as Airflow knows."""
    end = time.monotonic() + _PATIENCE
    while True:
        for other in sorted(firsts - {task.task_id}):
            found = task.reported(other)
            if SpecRef.from_xcom(found) == ref and found.get("attempt") == task.attempt:
                return True
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)


def _fetched(own: WorkflowSpec, wanted: SpecRef, task: RunTask, store: ObjectStore) -> WorkflowSpec:
    """Fetch the spec of the run's version, which knows this task."""
    data = _text(own, wanted, store)
    if data is None:
        raise RunVersionChanged(
            f"{own.flow.name!r} was changed while this run was under way: it began with version "
            f"{wanted.version}, and {own.version.id} is there now. The first one is not kept in the store, "
            "so the run cannot go on. Clear the whole run, so that all of it runs by the new one. Flows that "
            "are published with the SDK, or delivered as a bundle, keep their versions."
        )
    spec = loader.parse(data, f"version {wanted.version} of {own.flow.name}")
    if task.task_id not in flow_plan(spec).tasks:
        raise RunVersionChanged(
            f"Version {wanted.version} of {own.flow.name!r}, with which this run began, has no task "
            f"{task.task_id!r}, which came with version {own.version.id}. Clear the whole run, so that all "
            "of it runs by the new one."
        )
    return spec


def _text(own: WorkflowSpec, wanted: SpecRef, store: ObjectStore) -> bytes | None:
    """Fetch the JSON with the wanted digest, wherever the store keeps it."""
    for key in (FlowLayout(str(own.flow.id)).version(wanted.version), pinned_spec(wanted.sha256)):
        with suppress(ObjectNotFound, DigestMismatch):
            return fetch_bytes(store, key, wanted.sha256)
    return None
