"""Metrics, checks and durations over the runs of a flow, from Airflow's database alone (pure).

In: the flow's facts, its runs, what their tasks left in XCom, the states of tasks. Out: series and strips
with one entry for each run, the oldest first.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, cast

from aqueduct_provider.artifacts.glance import glance_value
from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest, check_outcome, manifest_from_xcom
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.results.recorded_runs import METRICS
from aqueduct_provider.spec.bounds import bound_in

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.spec.dag_facts import DagFacts, OperatorFacts
    from aqueduct_provider.ui.airflow_database import TaskTime

Outcome = Literal["passed", "warning", "failed", "running", "not run"]
_FAILED = frozenset({"failed", "up_for_retry"})
_RUNNING = frozenset({"running", "restarting", "deferred"})
XComs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class MetricBound:
    """A bound that a check holds a metric to.

    :param words: ``less than`` or ``greater than``.
    """

    words: str
    value: float


@dataclass(frozen=True)
class MetricSeries:
    """A number over the runs.

    :param values: one for each run, NaN and infinity among them; None: the run has not written it, or it
        is of another type.
    """

    name: str
    task_id: str
    values: Sequence[float | None]
    bounds: Sequence[MetricBound] = ()

    @property
    def last(self) -> float | None:
        """The newest value there is."""
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True)
class CheckStrip:
    """A check over the runs.

    :param severity: ``warning`` or ``error``; empty: unknown.
    :param outcomes: one for each run.
    :param inputs: names of the artifacts and metrics that it checks.
    """

    name: str
    task_id: str
    severity: str
    outcomes: Sequence[Outcome]
    inputs: Sequence[str] = ()

    @property
    def last(self) -> Outcome:
        """The newest outcome there is."""
        return next((one for one in reversed(self.outcomes) if one != "not run"), "not run")


@dataclass(frozen=True)
class OperatorDurations:
    """How long an operator took.

    :param last: seconds in the newest run that has any.
    :param median: seconds.
    :param longest: seconds.
    :param count: runs that count.
    """

    name: str
    kind: str
    last: float
    median: float
    longest: float
    count: int


@dataclass(frozen=True)
class RunHistory:
    """The runs of a flow, the oldest first.

    :param versions: the id of the version that each run used; empty: unknown.
    """

    runs: Sequence[RunInfo]
    metrics: Sequence[MetricSeries] = ()
    checks: Sequence[CheckStrip] = ()
    versions: Sequence[str] = ()

    @property
    def newest_checks(self) -> Outcome | None:
        """The worst outcome among the checks of the newest run that ran any; None: no run has."""
        outcomes = zip(*(strip.outcomes for strip in self.checks), strict=True)
        return next(filter(None, map(worst, reversed(list(outcomes)))), None)

    @property
    def version_changes(self) -> list[int]:
        """The places of runs that were the first to use another version."""
        known = [(place, version) for place, version in enumerate(self.versions) if version]
        return [place for (_, before), (place, version) in pairwise(known) if version != before]


@dataclass(frozen=True)
class _Manifests:
    """The manifests that tasks left in XCom, by run and operator."""

    xcoms: XComs
    states: Mapping[tuple[str, str], str | None] = field(default_factory=dict)

    def manifest(self, run_id: str, task_id: str, operator: OperatorFacts) -> Manifest | None:
        value = self.xcoms.get(run_id, {}).get(task_id)
        if value is None:
            return None
        try:
            return manifest_from_xcom(value, task_id, operator.task_id)
        except (IntegrityError, AttributeError, TypeError):
            return None

    def version(self, run_id: str) -> str:
        for value in self.xcoms.get(run_id, {}).values():
            spec = value.get("spec") if isinstance(value, Mapping) else None
            if isinstance(spec, Mapping) and isinstance(spec.get("version"), str):
                return str(spec["version"])
        return ""


def history_of(
    facts: DagFacts, runs: Sequence[RunInfo], xcoms: XComs, times: Iterable[TaskTime] = ()
) -> RunHistory:
    """Return the history of a flow.

    :param runs: newest first, as Airflow lists them.
    :param xcoms: run id -> task id -> its XCom.
    :param times: states of tasks, for checks that left nothing.
    """
    found = _Manifests(xcoms, {(one.run_id, one.task_id): one.state for one in times})
    ordered = list(reversed(runs))
    bounds = _bounds(facts)
    names = {_output_name(one): one.metric_name for _, one in operators_of(facts, METRICS)}
    metrics = [
        MetricSeries(
            name=operator.metric_name,
            task_id=task_id,
            values=[_number_of(found.manifest(run.run_id, task_id, operator)) for run in ordered],
            bounds=bounds.get(_output_name(operator), ()),
        )
        for task_id, operator in operators_of(facts, METRICS)
    ]
    checks = [
        CheckStrip(
            name=operator.name,
            task_id=task_id,
            severity=operator.severity,
            outcomes=[_outcome(found, run.run_id, task_id, operator) for run in ordered],
            inputs=[names.get(name, name) for name in operator.inputs],
        )
        for task_id, operator in operators_of(facts, ("check",))
    ]
    return RunHistory(ordered, metrics, checks, [found.version(run.run_id) for run in ordered])


def operators_of(facts: DagFacts, kinds: Iterable[str]) -> list[tuple[str, OperatorFacts]]:
    """Return the operators of these kinds, each with the Airflow task that runs it."""
    wanted = set(kinds)
    return [
        (task_id, one)
        for task_id, operators in facts.tasks.items()
        for one in operators
        if one.kind in wanted
    ]


def tasks_of(facts: DagFacts) -> list[str]:
    """Return the Airflow tasks that run a metric or a check."""
    return list(dict.fromkeys(task_id for task_id, _ in operators_of(facts, (*METRICS, "check"))))


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the outcome that matters most; None: no check has run."""
    there = set(outcomes)
    order: tuple[Outcome, ...] = ("failed", "warning", "running", "passed")
    return next((one for one in order if one in there), None)


def durations(facts: DagFacts, times: Sequence[TaskTime], xcoms: XComs) -> list[OperatorDurations]:
    """Return how long operators took, the slowest first.

    :param times: of tasks, those of the newest run first.
    :param xcoms: says how long each operator of a fused task took.
    """
    found = _Manifests(xcoms)
    seconds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for time in times:
        operators = facts.tasks.get(time.task_id, ())
        if time.state != "success" or time.seconds is None or not operators:
            continue
        for operator in operators:
            if len(operators) == 1:
                seconds[operator.name, operator.kind].append(time.seconds)
            elif (manifest := found.manifest(time.run_id, time.task_id, operator)) and manifest.seconds:
                seconds[operator.name, operator.kind].append(float(manifest.seconds))
    rows = [
        OperatorDurations(name, kind, some[0], statistics.median(some), max(some), len(some))
        for (name, kind), some in seconds.items()
    ]
    return sorted(rows, key=lambda one: (-one.median, one.name))


def _outcome(found: _Manifests, run_id: str, task_id: str, operator: OperatorFacts) -> Outcome:
    manifest = found.manifest(run_id, task_id, operator)
    if manifest is not None:
        return cast("Outcome", check_outcome(manifest.status))
    state = found.states.get((run_id, task_id))
    return "failed" if state in _FAILED else "running" if state in _RUNNING else "not run"


def _number_of(manifest: Manifest | None) -> float | None:
    for ref in manifest.artifacts.values() if manifest else ():
        return _number(ref)
    return None


def _number(ref: ArtifactRef) -> float | None:
    value = glance_value(ref)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _output_name(operator: OperatorFacts) -> str:
    return operator.outputs[0].name if operator.outputs else operator.name


def _bounds(facts: DagFacts) -> dict[str, list[MetricBound]]:
    """Return the bounds of metrics, by the names of artifacts; ``artifact.bound(...)`` names checks so."""
    found: defaultdict[str, list[MetricBound]] = defaultdict(list)
    for _, check in operators_of(facts, ("check",)):
        bound = bound_in(check.name)
        if bound is None or len(check.inputs) != 1:
            continue
        words, text = bound
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value):
            found[check.inputs[0]].append(MetricBound(words, value))
    return found
