"""The runs of a flow as a table: what they were given, what they measured, how long they took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.glance import glance_value
from aqueduct_provider.sdk.results.outcomes import labels
from aqueduct_provider.sdk.results.recorded_runs import (
    CHECKS,
    METRICS,
    PARAMETERS,
    RecordedRun,
    ShownArtifact,
    ShownOperator,
)
from aqueduct_provider.spec.metric_names import metric_name
from aqueduct_provider.spec.version_label import short_id

if TYPE_CHECKING:
    import pandas

    from aqueduct_provider.sdk.publishing.flow_record import PublishedVersion

# What stands before the names of parameters, metrics, checks and operators.
PARAMETER, METRIC, CHECK, SECONDS = "param.", "metric.", "check.", "seconds."


def runs_table(runs: Sequence[RecordedRun], versions: Mapping[str, str]) -> pandas.DataFrame:
    """Return a row for each run.

    :param runs: newest first.
    :param versions: labels of versions by their ids.
    """
    import pandas

    known: dict[str, dict[int, Any]] = {}
    for place, run in enumerate(runs):
        for name, value in _facts(run):
            known.setdefault(name, {})[place] = value
    table = {
        "run_id": [run.info.run_id for run in runs],
        "created_at": pandas.to_datetime([run.info.created_at for run in runs], utc=True),
        "version": [version_label_of(run.version, versions) for run in runs],
        "status": [run.status for run in runs],
        "duration": pandas.Series([run.seconds for run in runs], dtype="float64"),
    }
    for prefix in (PARAMETER, METRIC, CHECK, SECONDS):
        for name in (name for name in known if name.startswith(prefix)):
            values = [known[name].get(place) for place in range(len(runs))]
            table[name] = pandas.Series(values, dtype=_dtype(prefix, values))
    return pandas.DataFrame(table)


def version_label_of(version_id: str, versions: Mapping[str, str]) -> str | None:
    """Return what users call a version: ``v12``, else the part of its id that is shown; None: unknown."""
    return versions.get(version_id) or short_id(version_id) or None


def version_labels(versions: Iterable[PublishedVersion]) -> dict[str, str]:
    """Return the labels of the versions whose numbers are known, by their ids."""
    return {one.version_id: f"v{one.number}" for one in versions if one.number is not None}


def _facts(run: RecordedRun) -> Iterable[tuple[str, Any]]:
    for operator in run.operators:
        for artifact in operator.outputs:
            if operator.kind in PARAMETERS:
                yield PARAMETER + artifact.name, _value(artifact)
            elif operator.kind in METRICS:
                yield METRIC + metric_name(operator.name, artifact.name), _number(_value(artifact))
            elif operator.kind in CHECKS:
                yield CHECK + metric_name(operator.name, artifact.name), _passed(operator, artifact)
    for label, operator in zip(labels([one.run for one in run.operators]), run.operators, strict=True):
        yield SECONDS + label, operator.seconds


def _value(artifact: ShownArtifact) -> Any:
    return None if artifact.is_secret or artifact.ref is None else glance_value(artifact.ref)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _passed(operator: ShownOperator, artifact: ShownArtifact) -> bool | None:
    """Return whether a check has passed; None: it did not run, or did not end."""
    value = artifact.glance.get("value")
    if isinstance(value, bool):
        return value
    return {"passed": True, "warning": False}.get(operator.outcome)


def _dtype(prefix: str, values: Sequence[Any]) -> str:
    if prefix in (METRIC, SECONDS):
        return "float64"
    if prefix == CHECK:
        return "boolean"
    kinds = {type(value) for value in values if value is not None}
    return "float64" if kinds and kinds <= {int, float} else "boolean" if kinds == {bool} else "object"
