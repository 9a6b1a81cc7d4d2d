"""Delete what a flow does not keep, after a run of it has succeeded.

Only the content of artifacts goes: metadata and exec states stay, and numbers stay in the mark of the run, so
that outcomes and histories stay visible.

The newest runs are those that wrote their last object last, by the store's clock: ids of runs cannot be
sorted, and Airflow may have forgotten old runs. A run counts when it has succeeded. One that is queued or
running, or not known to have ended, is never touched and never counts; those that failed go when they are
older than the runs that are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice

from aqueduct_provider.errors import ObjectNotFound
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.state.pruned import By, Number, PrunedMark
from aqueduct_provider.state.run_outcome import REQUESTS, RunOutcome, run_outcome
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from aqueduct_provider.storage.object_store import Entry, ObjectStore
from aqueduct_provider.storage.parallel import together

# Airflow's state of a run; None where Airflow does not know it.
StateOf = Callable[[str], str | None]

# What one task does at most, so that it ends soon: Airflow 3 gives it 20 seconds after its success. Of more
# runs, any of them may be looked at: a run that is older than k successes among them is so among all.
_LOOKED_AT = 500
_PRUNED_AT_ONCE = 50
# Numbers as JSON are not longer, in bytes; no one plots more of them than this.
_NUMBER_BYTES = 40
_MOST_NUMBERS = 200


@dataclass(frozen=True)
class Policy:
    """The rule for which artifacts are kept.

    :param keep: how many successful runs keep theirs; at least 1.
    :param version: id of the version of the flow that says so.
    """

    keep: int
    by: By
    version: str


@dataclass(frozen=True)
class Pruned:
    """The objects of one run that were, or would be, deleted.

    :param objects: their number.
    :param size: in bytes.
    """

    run_id: str
    objects: int
    size: int


@dataclass(frozen=True)
class _Look:
    """The content of a run's folder.

    :param last: when its last object was written; the mark does not count.
    :param marked: whether it was pruned after that: what is left is the rest of a deletion that was cut off.
    """

    run_id: str
    last: float
    objects: int
    size: int
    marked: bool


def prune_after_success(
    store: ObjectStore, workflow: WorkflowSpec, run_id: str, state_of: StateOf
) -> tuple[list[str], list[Pruned]]:
    """Delete what a flow does not keep, once a run of it has succeeded.

    :param run_id: that run; Airflow may still count it as running.
    :return: the names of its artifacts that keep no snapshot, and what was deleted of older runs.
    :raises StorageError: the store does not do what is asked; the next run goes on with the rest.
    """
    if workflow.compiled is not None or state_of(run_id) == "failed":
        return [], []
    flow_id, keep = str(workflow.flow.id), workflow.retention.k_latest_runs
    layout = NativeLayout(flow_id, run_id)
    unkept = [artifact for artifact in workflow.artifacts if not artifact.keep_snapshot]
    if unkept:
        store.delete(layout.content(artifact.id) for artifact in unkept)
    names = [artifact.name for artifact in unkept]
    if keep is None:
        return names, []
    flow, policy = FlowLayout(flow_id), Policy(keep, "k_latest_runs", str(workflow.version.id))
    done = {key.removeprefix(flow.pruned_prefix) for key in store.list(flow.pruned_prefix)}
    if run_id in done:
        # It was cleared after its artifacts had been deleted, and has new ones.
        store.delete([flow.pruned(run_id), layout.pruned_mark])
    waiting = (one for one in store.folders(flow.runs_prefix) if one not in done and one != run_id)
    older = _older(store, flow_id, islice(waiting, _LOOKED_AT), keep - 1, state_of)
    pruned = [_prune(store, flow_id, one, policy) for one in islice(older, _PRUNED_AT_ONCE)]
    return names, [one for one in pruned if one.objects]


def prune(
    store: ObjectStore, flow_id: str, policy: Policy, state_of: StateOf, *, dry_run: bool = False
) -> list[Pruned]:
    """Delete the artifacts of all older runs, those included that were pruned before and ran again.

    :param dry_run: delete nothing, and return what would be deleted.
    :return: the runs that had any, the newest first.
    :raises StorageError: the store does not do what is asked.
    """
    runs = store.folders(FlowLayout(flow_id).runs_prefix)
    older = _older(store, flow_id, runs, policy.keep, state_of, empty=False)
    if dry_run:
        return [Pruned(one.run_id, one.objects, one.size) for one in older]
    return [_prune(store, flow_id, one, policy) for one in older]


def total(found: Sequence[Pruned]) -> str:
    """Describe how much was deleted."""
    objects, size = sum(one.objects for one in found), sum(one.size for one in found)
    runs = f"{len(found)} older run" + ("s" if len(found) != 1 else "")
    return f"{objects} object" + ("s" if objects != 1 else "") + f" ({size:,} bytes) of {runs}"


def _older(
    store: ObjectStore,
    flow_id: str,
    run_ids: Iterable[str],
    keep: int,
    state_of: StateOf,
    *,
    empty: bool = True,
) -> Iterator[_Look]:
    """Yield the runs whose artifacts are to go, the newest first; each is asked for just before it is given.

    :param keep: how many of the newest successful ones are passed over.
    :param empty: give those, too, that have no content.
    """

    def outcome(look: _Look) -> RunOutcome:
        return run_outcome(store, flow_id, look.run_id, state_of(look.run_id))

    looks = together([partial(_look, store, NativeLayout(flow_id, run_id)) for run_id in run_ids], REQUESTS)
    for look in sorted(looks, key=lambda look: look.last, reverse=True):
        if keep > 0 and not look.marked:
            keep -= outcome(look) is RunOutcome.SUCCEEDED
        elif (empty or look.objects) and outcome(look) is not RunOutcome.OPEN:
            yield look


def _look(store: ObjectStore, layout: NativeLayout) -> _Look:
    last = marked = 0.0
    objects = size = 0
    for entry in store.entries(layout.run_prefix):
        if entry.key == layout.pruned_mark:
            marked = entry.modified
            continue
        last = max(last, entry.modified)
        if layout.content_of(entry.key) is not None:
            objects, size = objects + 1, size + entry.size
    return _Look(layout.run_id, last, objects, size, marked > 0 and marked >= last)


def _prune(store: ObjectStore, flow_id: str, look: _Look, policy: Policy) -> Pruned:
    """Delete the content of a run's artifacts: the mark first, what says that all is done last."""
    layout = NativeLayout(flow_id, look.run_id)
    contents = [one for one in store.entries(layout.artifacts_prefix) if layout.content_of(one.key)]
    if contents:
        # The mark of a deletion that was cut off has numbers that are gone by now.
        if not look.marked:
            numbers = _numbers(store, layout, contents)
            mark = PrunedMark(datetime.now(timezone.utc), policy.by, policy.keep, policy.version, numbers)
            store.put(layout.pruned_mark, mark.to_json())
        store.delete(entry.key for entry in contents)
    store.put(FlowLayout(flow_id).pruned(look.run_id), b"")
    return Pruned(look.run_id, len(contents), sum(entry.size for entry in contents))


def _numbers(store: ObjectStore, layout: NativeLayout, contents: Iterable[Entry]) -> dict[str, Number]:
    """Return the values of those artifacts that are numbers and booleans, by artifact id."""
    small = [entry.key for entry in contents if entry.size <= _NUMBER_BYTES][:_MOST_NUMBERS]
    values = together([partial(_number, store, key) for key in small], REQUESTS)
    found = {layout.content_of(key): value for key, value in zip(small, values, strict=True)}
    return {name: value for name, value in found.items() if name is not None and value is not None}


def _number(store: ObjectStore, key: str) -> Number | None:
    try:
        value = json_value(store.get(key))
    except (ObjectNotFound, ValueError):
        return None
    return value if isinstance(value, (int, float)) else None
