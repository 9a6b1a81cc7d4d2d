"""A metric or a check over the runs of a flow, as a table."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, AuthoringError, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.sdk.results.run_artifacts import artifact_id_named
from aqueduct_provider.sdk.suggest import suggestion, tidy

if TYPE_CHECKING:
    import pandas

    from aqueduct_provider.sdk.results.run_reader import RunReader

log: logging.Logger = logging.getLogger("aqueduct")

_NUMBER, _CHECK = "numeric", "boolean"
# What its type must be is known once it is written.
_READABLE = frozenset({_NUMBER, _CHECK, "untyped"})
# What concerns one run alone: its objects were deleted or changed. The others can still be shown.
_OF_ONE_RUN = (IntegrityError, NotFound, SpecError)


@dataclass(frozen=True)
class _Entry:
    """What was read of one run.

    :param unverified: why Airflow does not vouch for the value.
    :param error: why the run cannot be read.
    """

    types: dict[str, str] = field(default_factory=dict)
    value: Any = None
    unverified: str = ""
    error: AqueductError | None = None


def metric_history(name: str, runs: Sequence[RunReader], *, trust_store: bool = False) -> pandas.DataFrame:
    """Return the values of an artifact in these runs, a row for each.

    Columns: ``run_id``, ``created_at``, ``status``, ``value``. Values are floats; those of checks are
    booleans, in pandas' type that knows missing ones. They are missing where a run has not written it, or
    where its version of the flow had no such artifact. Those of runs that retention has pruned are there.
    Where the objects of a run were deleted or changed, its value is missing and one warning names such runs.

    :param name: of an artifact, or of a metric or check as pages show it.
    :param runs: as Airflow lists them.
    :param trust_store: take what Airflow has no record of without a warning.
    :raises AuthoringError: the artifact is not a number or a check.
    :raises NotFound: no version among the runs has it.
    """
    import pandas

    from aqueduct_provider.storage.parallel import together

    name = tidy(name)
    entries = together([partial(_entry, run, name) for run in runs])
    failed = [(run.run_id, one.error) for run, one in zip(runs, entries, strict=True) if one.error]
    known = {artifact for one in entries for artifact in one.types}
    if runs and name not in known:
        if failed and not known:
            raise failed[0][1]
        raise NotFound(
            f"No run of {runs[0].record.name!r} has an artifact {name!r}.{suggestion(name, known)}"
        )
    _warn(name, len(runs), failed, [] if trust_store else entries)
    table = pandas.DataFrame(
        {
            "run_id": [run.run_id for run in runs],
            "created_at": pandas.to_datetime([run.created_at() for run in runs], utc=True),
            "status": [run_status(run.info.state).value if run.info else "unknown" for run in runs],
        }
    )
    values = [one.value for one in entries]
    # A name may be that of a check in one version, and of a number in another.
    types = {type(value) for value in values if value is not None} or {
        bool if one.types.get(name) == _CHECK else float for one in entries if one.types or not known
    }
    dtype = "boolean" if types == {bool} else "float64"
    return table.assign(value=pandas.Series(values, dtype=dtype))


def _warn(
    name: str, count: int, failed: Sequence[tuple[str, AqueductError]], entries: Sequence[_Entry]
) -> None:
    if failed:
        reasons = "\n".join(f"  {run_id}: {error}" for run_id, error in failed)
        log.warning(
            "%d of %d runs have no value of %r that can be read:\n%s", len(failed), count, name, reasons
        )
    if unverified := [one.unverified for one in entries if one.unverified and one.value is not None]:
        log.warning(
            "%d of %d values of %r are shown as the store has them, not verified. %s",
            *(len(unverified), count, name, unverified[0]),
        )


def _entry(run: RunReader, name: str) -> _Entry:
    types: dict[str, str] = {}
    try:
        # By the run's version of the flow.
        spec = run.spec
        types = {artifact.name: artifact.type.value for artifact in spec.artifacts}
        if (known := artifact_id_named(spec, name)) is not None:
            types[name] = spec.artifact(known).type.value
        value, unverified = _value(run, name, types.get(name))
    except _OF_ONE_RUN as error:
        return _Entry(types, error=error)
    return _Entry(types, value, unverified)


def _value(run: RunReader, name: str, type_: str | None) -> tuple[Any, str]:
    """Return the value, None where there is none; and why Airflow does not vouch for it."""
    if type_ is None:
        return None, ""
    source = run.source(name) if type_ in _READABLE else None
    found = type_ if source is None else source.type
    if source is None or found not in _READABLE:
        raise AuthoringError(
            f"{name!r} is of type {found}: only numbers and checks have a history. Read it run by run, with "
            "run.artifact(name).get()."
        )
    return _plotted(source.kept()[1]), source.unverified


def _plotted(value: Any) -> Any:
    """Return a number as a float, with infinity for integers that a float cannot hold."""
    try:
        return value if value is None or isinstance(value, bool) else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
