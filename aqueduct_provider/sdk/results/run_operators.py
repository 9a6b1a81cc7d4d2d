"""Find an operator of a run by its name (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, NotFound
from aqueduct_provider.sdk.argument_checks import check_name
from aqueduct_provider.sdk.suggest import suggestion, tidy

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.run_facts import RunFacts
    from aqueduct_provider.spec.models import Operator, WorkflowSpec


def operator_named(run: RunFacts, spec: WorkflowSpec, name: str) -> Operator:
    """Return the operator with this name; else the one with this task id.

    :param spec: of the run's version.
    :raises NotFound: there is none.
    :raises AuthoringError: several have this name, or it is not text.
    """
    operators, name = spec.operators, tidy(check_name("operator", name))
    found = [operator for operator in operators if operator.name == name]
    found = found or [operator for operator in operators if operator.task_id == name]
    if len(found) == 1:
        return found[0]
    if found:
        ids = " or ".join(repr(operator.task_id) for operator in found)
        raise AuthoringError(f"{len(found)} operators are called {name!r}. Say which by its task id: {ids}.")
    known = [operator.name for operator in operators]
    raise NotFound(
        f"Run {run.run_id} of {run.record.name!r} has no operator {name!r}.{suggestion(name, known)}"
    )
