"""A metric or a check over the runs of a flow, as a table."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError, NotFound
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.sdk.suggest import suggestion, tidy

if TYPE_CHECKING:
    import pandas

    from aqueduct_provider.sdk.results.run_reader import RunReader

log = logging.getLogger("aqueduct")

# Requests to the store and to Airflow at the same time.
_REQUESTS = 16
COLUMNS = ("run_id", "created_at", "status", "value")
_NUMBER, _CHECK = "numeric", "boolean"
# What its type must be is known once it is written.
_READABLE = frozenset({_NUMBER, _CHECK, "untyped"})


def metric_history(name: str, runs: Sequence[RunReader], *, trust_store: bool = False) -> pandas.DataFrame:
    """The values of an artifact in these runs, a row for each.

    Columns: ``run_id``, ``created_at``, ``status``, ``value``. Values are floats; those of checks are
    booleans, in pandas' type that knows missing ones. They are missing where a run has not written it, or
    where its version of the flow had no such artifact. Those of runs that retention has pruned are there.

    :param runs: as Airflow told them.
    :param trust_store: take what Airflow has no record of without a warning.
    :raises AuthoringError: the artifact is no number and no check.
    :raises NotFound: no version among the runs has it.
    """
    import pandas

    from aqueduct_provider.storage.parallel import together

    name = tidy(name)
    specs = together([partial(_types, run) for run in runs], _REQUESTS)
    known = {artifact for types in specs for artifact in types}
    if runs and name not in known:
        raise NotFound(
            f"No run of {runs[0].record.name!r} has an artifact {name!r}.{suggestion(name, known)}"
        )
    calls = [partial(_value, run, name, types.get(name)) for run, types in zip(runs, specs, strict=True)]
    found = together(calls, _REQUESTS)
    values = [value for value, _ in found]
    if not trust_store and (unverified := [why for value, why in found if why and value is not None]):
        log.warning(
            "%d of %d values of %r are shown as the store has them, not verified. %s",
            *(len(unverified), len(runs), name, unverified[0]),
        )
    table = pandas.DataFrame(
        {
            "run_id": [run.run_id for run in runs],
            "created_at": pandas.to_datetime([run.created_at() for run in runs], utc=True),
            "status": [run_status(run.info.state).value if run.info else "unknown" for run in runs],
        }
    )
    # A name may be that of a check in one version, and of a number in another.
    types = {type(value) for value in values if value is not None} or {
        bool if types.get(name) == _CHECK else float for types in specs
    }
    dtype = "boolean" if types == {bool} else "float64"
    return table.assign(value=pandas.Series(values, dtype=dtype))


def _types(run: RunReader) -> dict[str, str]:
    """Artifact type by name, in the run's version of the flow."""
    return {artifact.name: artifact.type.value for artifact in run.spec.artifacts}


def _value(run: RunReader, name: str, type_: str | None) -> tuple[Any, str]:
    """The value, None where there is none; and why Airflow does not vouch for it."""
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
