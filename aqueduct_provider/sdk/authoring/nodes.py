"""The authoring SDK's graph: what decorated functions record when they are called (pure).

Operators and artifacts are compared by identity: calling a function twice records two operators. An artifact
knows its producer, and which metrics and checks were computed on it, so a flow is found by walking from the
artifacts that are asked for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol
from weakref import WeakSet

from aqueduct_provider.sdk.own_frames import Place, place_of_caller
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.suggest import tidy

if TYPE_CHECKING:
    from aqueduct_provider.runner.codecs import Encoded

Kind = Literal["function", "metric", "check", "param", "system_metric", "extract", "load"]
Severity = Literal["warning", "error"]

_numbers = itertools.count()
# Checks of which somebody is to be notified, for as long as they are in use.
_reported_checks: WeakSet[OperatorNode] = WeakSet()


def numbered(name: str, number: int) -> str:
    """Return a default name for one of several: ``f artifact``, ``f artifact (1)``, ..."""
    return f"{name} ({number})" if number else name


def without_number(name: str) -> str:
    """Return the name without what :func:`numbered` added."""
    return re.sub(r" \(\d+\)$", "", name)


@dataclass(frozen=True)
class Options:
    """How an operator is run; None: the spec's default.

    :param retries: tries after the first.
    :param retry_delay: seconds between two tries.
    :param timeout: seconds after which a try is ended.
    :param pool: Airflow pool.
    :param fuse: the Airflow task that it shares with others of the same name here.
    :param resources: fields of the spec's ``Resources``: ``num_cpus``, ``memory_mb``, ...
    """

    retries: int | None = None
    retry_delay: float | None = None
    timeout: float | None = None
    pool: str | None = None
    fuse: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)


NO_OPTIONS = Options()


@dataclass(frozen=True, eq=False)
class ParameterNode:
    """The parameter behind an operator of kind ``param``.

    :param default: its value in runs that set none.
    :param implicit: made of a plain argument and named ``<operator>:<argument>``.
    """

    default: Any
    description: str
    implicit: bool


class System(Protocol):
    """The data system of an extract or a load."""

    def name(self) -> str:
        """Return what users call the resource."""
        ...

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Encoded:
        """Return what an extract reads, here and now.

        :param source: of the spec.
        :param parameters: the values of its inputs.
        """
        ...


@dataclass(eq=False)
class ArtifactNode:
    """The value on an edge.

    :param producer: the operator that makes it.
    :param name: what users call it.
    :param named: whether the user chose the name; such names must be unique in a flow, others get a counter.
    :param type: its artifact type (Aqueduct formats, section 4); ``untyped`` until it is computed.
    :param keep_snapshot: whether its content is to be kept after a run.
    :param derived: metrics and checks that were computed on it, and loads that save it, in the order of
        creation.
    """

    producer: OperatorNode
    name: str
    named: bool
    type: str
    keep_snapshot: bool = True
    derived: list[OperatorNode] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = tidy(self.name)


@dataclass(eq=False)
class OperatorNode:
    """One recorded call.

    :param function: for kinds function, metric and check.
    :param severity: for checks.
    :param notifications: for checks: who is notified of them, as the spec has it.
    :param parameter: for kind param.
    :param system_metric: for kind system_metric: ``runtime`` or ``max_memory``.
    :param system: for kinds extract and load.
    :param place: for kinds extract and load: the spec's source or target.
    :param number: counts operators in the order of creation.
    :param place_of_call: the user's line that recorded it.
    """

    kind: Kind
    name: str
    description: str
    inputs: tuple[ArtifactNode, ...] = ()
    outputs: tuple[ArtifactNode, ...] = ()
    function: UserFunction | None = None
    options: Options = Options()
    severity: Severity = "warning"
    notifications: Sequence[Mapping[str, Any]] = ()
    parameter: ParameterNode | None = None
    system_metric: str = ""
    system: System | None = None
    place: Mapping[str, Any] = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(_numbers))
    place_of_call: Place | None = field(default_factory=place_of_caller)

    def __post_init__(self) -> None:
        self.name = tidy(self.name)
        if self.notifications:
            _reported_checks.add(self)


def reported_checks() -> list[OperatorNode]:
    """Return the checks of this process of which somebody is to be notified, in the order of creation."""
    return sorted(_reported_checks, key=lambda operator: operator.number)


def upstream(artifacts: Iterable[ArtifactNode]) -> list[OperatorNode]:
    """Return every operator that the artifacts need, their producers included, in the order of creation.

    Walks without recursion: a chain may be longer than Python's stack.
    """
    found: dict[int, OperatorNode] = {}
    waiting = [artifact.producer for artifact in artifacts]
    while waiting:
        operator = waiting.pop()
        if operator.number not in found:
            found[operator.number] = operator
            waiting.extend(artifact.producer for artifact in operator.inputs)
    return [found[number] for number in sorted(found)]


def artifacts_of(operators: Iterable[OperatorNode]) -> Iterator[ArtifactNode]:
    """Return all outputs of the operators, in order."""
    return itertools.chain.from_iterable(operator.outputs for operator in operators)
