"""Refuse operators that could not read their inputs on a worker, because their requirements lack a package.

A pickled model needs the package of its class wherever it is read. Parameters' defaults are looked at, and
what was computed here; of values that were not computed, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from aqueduct_provider.artifacts.data_modules import StoredBytes, packages_needed
from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.authoring.execute import TABLES
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.packaging.dependency_files import dependency_files
from aqueduct_provider.sdk.packaging.distributions import Coverage, Owner, coverage, owners_of
from aqueduct_provider.sdk.packaging.user_function import UserFunction

# What the reader of a value lacks, and what to do about it.
_Missing: TypeAlias = tuple[str, str]


def check_inputs(operators: Sequence[OperatorNode], defaults: Mapping[OperatorNode, StoredBytes]) -> None:
    """Refuse functions whose requirements lack what their inputs need.

    :param operators: of the flow.
    :param defaults: the stored defaults of the parameters.
    :raises PackagingError: names input, maker, module and package.
    """
    problems = [problem for operator in operators for problem in _problems(operator, defaults)]
    if len(problems) == 1:
        raise PackagingError(problems[0])
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        raise PackagingError(f"{len(problems)} inputs could not be read on a worker:\n{lines}")


def _problems(operator: OperatorNode, defaults: Mapping[OperatorNode, StoredBytes]) -> Iterator[str]:
    function = operator.function
    if function is None:
        return
    inputs = {artifact: stored for artifact in operator.inputs if (stored := _stored(artifact, defaults))}
    views = dict(zip(operator.inputs, function.views, strict=False))
    for artifact, stored in inputs.items():
        if not (modules := packages_needed(stored, views.get(artifact, ""))):
            continue
        supply = coverage(_requirements_on_a_worker(operator, function, inputs.values()))
        missing = [*_missing_packages(modules, supply), *_missing_files(operator, artifact, modules)]
        if missing:
            needs = " and ".join(what for what, _ in missing)
            fixes = "; ".join(dict.fromkeys(fix for _, fix in missing))
            yield f"{operator.name!r} takes {_called(artifact)}, and reading that needs {needs}. {fixes}."


def _stored(artifact: ArtifactNode, defaults: Mapping[OperatorNode, StoredBytes]) -> StoredBytes | None:
    from aqueduct_provider.sdk.authoring.evaluate import kept

    default = defaults.get(artifact.producer)
    return default if default is not None else kept(artifact)


def _called(artifact: ArtifactNode) -> str:
    if artifact.producer.kind == "param":
        return f"the parameter {artifact.name!r}"
    return f"{artifact.name!r}, which {artifact.producer.name!r} makes"


# --- installed packages


def _missing_packages(modules: frozenset[str], supply: Coverage) -> Iterator[_Missing]:
    tops = sorted({module.partition(".")[0] for module in modules})
    owned = [(top, owners_of(top)) for top in tops if _must_be_required(top, supply)]
    for top, owners in owned:
        others = [owner for other, more in owned if other != top for owner in more[:1]]
        if owners and not _is_brought_by(top, owners, others):
            packages = " or ".join(f"{owner.name} {owner.version}" for owner in owners)
            additions = " or ".join(repr(owner.requirement) for owner in owners)
            yield (
                f"the module {top!r} (package {packages}), which its requirements do not name",
                f"Add {additions} to its requirements=[...]",
            )


def _requirements_on_a_worker(
    operator: OperatorNode, function: UserFunction, inputs: Iterable[StoredBytes]
) -> tuple[str, ...]:
    """Return what is installed for the operator: its requirements, and what workers add for the codecs."""
    from aqueduct_provider.execution.operator_environment import environment_of, serialization_of
    from aqueduct_provider.spec.models import ArtifactType

    reads = [stored.serialization_type for stored in inputs]
    writes = [serialization_of(ArtifactType(output.type), TABLES) for output in operator.outputs]
    return environment_of(function.requirements, None, ["pickle", *reads, *writes], TABLES).requirements


def _must_be_required(module: str, supply: Coverage) -> bool:
    from aqueduct_provider.sdk.packaging.local_modules import origin_of

    return origin_of(module) == "installed" and not supply.covers(module)


def _is_brought_by(module: str, owners: Sequence[Owner], others: Sequence[Owner]) -> bool:
    """Return whether another missing package brings the module along, as scikit-learn does numpy."""
    for other in others:
        brings = coverage((other.requirement,)).holds(module)
        mutual = any(other.name in coverage((owner.requirement,)).installed for owner in owners)
        if brings and not mutual:
            return True
    return False


# --- modules of the user


def _missing_files(
    operator: OperatorNode, artifact: ArtifactNode, modules: frozenset[str]
) -> Iterator[_Missing]:
    """Return the files that a reader lacks: classes of a declared module are stored by name."""
    maker, reader = artifact.producer.function, operator.function
    if maker is None or reader is None or not maker.file_dependencies:
        return
    made_with = dependency_files(maker, artifact.producer.name).modules()
    read_with = dependency_files(reader, operator.name).modules()
    for module in sorted(modules):
        file = made_with.get(module)
        if file and module not in read_with:
            path = file.relative_to(maker.folder.resolve()).as_posix()
            yield (
                f"the local module {module!r}, which it does not declare",
                f"Name its file in file_dependencies=[{path!r}]",
            )
