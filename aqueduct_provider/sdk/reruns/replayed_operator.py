"""Gather what an operator of a run ran with: its code's place and its inputs, verified.

The spec says which code and which inputs are the operator's. It is in the bucket, so it is only believed when
a task of the run vouches for it in Airflow's database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from aqueduct_provider.errors import AuthoringError, IntegrityError, NotFound
from aqueduct_provider.sdk.results.run_artifacts import (
    source_of_artifact,
    spec_of_any_task,
    verified_spec,
)
from aqueduct_provider.sdk.results.run_operators import operator_named
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.runner.codecs import Encoded
    from aqueduct_provider.sdk.results.run_reader import RunReader
    from aqueduct_provider.spec.models import CallOperator, Operator, WorkflowSpec

_INSTEAD = {
    "param": "It is a parameter, which has no code: run.parameters() gives its value.",
    "system_metric": "It has no code: run.artifact({output!r}).get() gives what was measured.",
    "extract": (
        "It reads from a data system, by code of this package: run.artifact({output!r}).get() gives what it "
        "read in this run, and run.logs({name!r}) says why it failed. Replay an operator that uses it."
    ),
    "load": (
        "It writes to a data system, which a replay never does: run.artifact({input!r}).get() gives what it "
        "saves, and run.logs({name!r}) says why it failed. run.resume() runs it again on Airflow."
    ),
}


@dataclass(frozen=True)
class ReplayedOperator:
    """An operator of a run, with what it was given.

    :param spec: of the version that the run went by.
    :param inputs: its inputs as they were stored, in order.
    :param run_id: of the run.
    """

    spec: WorkflowSpec
    operator: CallOperator
    inputs: tuple[Encoded, ...]
    run_id: str


def replayed_operator(
    run: RunReader, name: str, *, trust_store: bool, without_code: bool, isolated: bool = False
) -> ReplayedOperator:
    """Return an operator of a run with its inputs.

    :param name: of the operator, or its task id.
    :param trust_store: whether what Airflow does not vouch for is used all the same.
    :param without_code: whether neither the run's own code nor its requirements are used.
    :param isolated: whether its requirements are installed.
    :raises NotFound: the run has no such operator, or an input was not written or was deleted.
    :raises AuthoringError: it is of a kind that has no code.
    :raises IntegrityError: Airflow does not vouch for its code or for an input.
    """
    spec, vouched = _spec(run, name)
    operator = operator_named(run, spec, name)
    if not _has_code(operator):
        raise AuthoringError(f"{operator.name!r} cannot be replayed. {_instead(spec, operator)}")
    if spec.compiled is not None:
        raise AuthoringError(
            f"{operator.name!r} cannot be replayed: the flow's spec is one of the original Aqueduct. Run it "
            "here with aqueduct-airflow run, which runs such specs."
        )
    if not (vouched or trust_store or without_code):
        raise _unvouched(run, operator, isolated=isolated)
    sources = [source_of_artifact(run, spec, artifact) for artifact in operator.inputs]
    if trust_store:
        for source in sources:
            source.trust()
    try:
        inputs = together([source.encoded for source in sources])
    except NotFound as error:
        raise NotFound(f"{operator.name!r} of run {run.run_id} cannot be replayed: {error}") from error
    return ReplayedOperator(spec, operator, tuple(inputs), run.run_id)


def _spec(run: RunReader, name: str) -> tuple[WorkflowSpec, bool]:
    """Return the spec that the operator went by, and whether a task of the run vouches for it."""
    spec = run.spec
    task_id = operator_named(run, spec, name).airflow_task_id
    if run.records.of(task_id).spec is not None:
        return verified_spec(run, spec, task_id), True
    # Its own task left nothing: it was not run, or failed before it began.
    recorded = spec_of_any_task(run)
    return (spec, False) if recorded is None else (recorded, True)


def _has_code(operator: Operator) -> TypeGuard[CallOperator]:
    from aqueduct_provider.spec.models import CallOperator

    return isinstance(operator, CallOperator)


def _instead(spec: WorkflowSpec, operator: Operator) -> str:
    names = {
        "name": operator.name,
        "input": next((spec.artifact(one).name for one in reversed(operator.inputs)), ""),
        "output": next((spec.artifact(one).name for one in operator.outputs), ""),
    }
    return _INSTEAD[operator.type].format(**names)


def _unvouched(run: RunReader, operator: CallOperator, *, isolated: bool) -> IntegrityError:
    store, why = run.session.store, run.records.of(operator.airflow_task_id).why
    what = "is not run, nor are its requirements installed" if isolated else "is not run"
    instead = (
        "a function that is decorated with its own requirements, @op(requirements=[...])"
        if isolated
        else "a function of yours"
    )
    return IntegrityError(
        f"The code of {operator.name!r} {what}: whoever can write to {store.url('')} could have put it "
        f"there, for nothing in Airflow's database says by which version run {run.run_id} went. {why} If you "
        "trust everyone who can write there, pass trust_store=True; in the terminal, --trust-store. "
        f"function=... tries {instead} instead."
    )
