"""Check that the requirements of a flow's operators can be resolved where they run, before they do.

In: a spec and its function archives. Out: for each operator that has code, the versions that its environment
would have, or why there is none. Nothing is installed: uv resolves for Linux and the function's Python, with
the index that is configured on this machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, RequirementsError
from aqueduct_provider.spec.url_credentials import without_credentials
from aqueduct_provider.storage.held_folder import temporary_folder

if TYPE_CHECKING:
    from aqueduct_provider.environment.builder import UvBuilder
    from aqueduct_provider.environment.fingerprint import EnvironmentSpec
    from aqueduct_provider.sdk.publishing.compose import Composition
    from aqueduct_provider.spec.models import CallOperator, Code, WorkflowSpec

# How many sets of requirements are resolved at once.
_WORKERS = 4


@dataclass(frozen=True)
class OperatorCheck:
    """The findings about one operator.

    :param requirements: its own, and what reading and writing its artifacts takes.
    :param python_version: minor version.
    :param packages: what its environment would have, ``numpy==2.0.0``; empty where there is a problem.
    :param problem: why there can be no such environment; empty where there can.
    """

    flow: str
    operator: str
    requirements: tuple[str, ...]
    python_version: str
    packages: tuple[str, ...] = ()
    problem: str = ""


def check_requirements(
    spec: WorkflowSpec, read: Callable[[Code], bytes], builder: UvBuilder | None = None
) -> list[OperatorCheck]:
    """Resolve each distinct set of requirements once.

    :param read: gives the archive of a function; asked only where the spec does not say all itself.
    :param builder: None: uv as it is configured on this machine.
    :raises EnvironmentBuildError: uv is missing, or an index does not answer.
    """
    from aqueduct_provider.environment.builder import UvBuilder
    from aqueduct_provider.spec.models import CallOperator
    from aqueduct_provider.storage.parallel import together

    asked = [(one, _environment(spec, one, read)) for one in spec.operators if isinstance(one, CallOperator)]
    distinct = list(dict.fromkeys(found for _, found in asked if not isinstance(found, str)))
    resolve = partial(_resolved, builder or UvBuilder())
    answers = dict(
        zip(distinct, together([partial(resolve, one) for one in distinct], _WORKERS), strict=True)
    )
    checks = []
    for operator, found in asked:
        if isinstance(found, str):
            checks.append(OperatorCheck(spec.flow.name, operator.name, (), "", (), found))
            continue
        packages, problem = answers[found]
        shown = tuple(map(without_credentials, found.requirements))
        checks.append(
            OperatorCheck(spec.flow.name, operator.name, shown, found.python_version, packages, problem)
        )
    return checks


def check_composition(composition: Composition, builder: UvBuilder | None = None) -> list[OperatorCheck]:
    """Resolve the requirements of a flow that is about to be published; see :func:`check_requirements`."""
    return check_requirements(composition.spec, lambda code: composition.objects[code.key], builder)


def refuse_unresolvable(composition: Composition) -> None:
    """Refuse a flow with operators whose requirements cannot be resolved.

    :raises AuthoringError: names all of them, with uv's reasons.
    :raises EnvironmentBuildError: uv is missing, or an index does not answer.
    """
    operators: dict[str, list[str]] = {}
    for check in check_composition(composition):
        if check.problem:
            operators.setdefault(check.problem, []).append(check.operator)
    if operators:
        lines = "\n".join(
            f"- {', '.join(map(repr, dict.fromkeys(names)))}: {_indented(problem)}"
            for problem, names in operators.items()
        )
        raise AuthoringError(
            f"The flow {composition.spec.flow.name!r} cannot be published, for the requirements of some of "
            f"its operators cannot be resolved:\n{lines}"
        )


def _indented(problem: str) -> str:
    return problem.replace("\n", "\n  ")


def _environment(
    spec: WorkflowSpec, operator: CallOperator, read: Callable[[Code], bytes]
) -> EnvironmentSpec | str:
    """Return the environment that a worker would need, as far as the spec shows; or what is wrong with it."""
    from aqueduct_provider.execution.function_archive import declared_by
    from aqueduct_provider.execution.operator_environment import (
        environment_of,
        serialization_of,
        with_unlisted,
    )
    from aqueduct_provider.execution.original_packages import files_in_zip, used_packages

    code = operator.code
    tables = spec.table_serialization
    types = [spec.artifact(artifact).type for artifact in (*operator.inputs, *operator.outputs)]
    try:
        requirements, python = declared_by(code, lambda: read(code))
        if spec.compiled is not None:
            requirements = with_unlisted(requirements, used_packages(files_in_zip(read(code))))
        wanted = ["pickle", *(serialization_of(kind, tables) for kind in types)]
        found = environment_of(requirements, python, wanted, tables)
        return found.normalised()
    except RequirementsError as error:
        return str(error)


def _resolved(builder: UvBuilder, spec: EnvironmentSpec) -> tuple[tuple[str, ...], str]:
    """Return the versions, or the reason why there are none."""
    if not spec.requirements:
        return (), ""
    with temporary_folder("check") as folder:
        try:
            return builder.resolve(spec, folder), ""
        except RequirementsError as error:
            return (), str(error)
