"""Collect what is wrong with a flow, so that publishing refuses it once, with all of it.

In: the errors of the steps that compose a flow, each with the operator that it is about. Out: one error, in
which every problem names the user's line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from aqueduct_provider.errors import AuthoringError, PackagingError, Problem, RequirementsMissing, SpecError
from aqueduct_provider.sdk.authoring.nodes import OperatorNode, artifacts_of
from aqueduct_provider.sdk.own_frames import shown_place
from aqueduct_provider.sdk.publishing.flow_graph import FlowGraph

Result = TypeVar("Result")

_ITEM = re.compile(r"\$\.(operator|artifact|parameter)s\[(\d+)\]\.?")


class FlowProblems:
    """The problems of one flow.

    :param name: the flow's.
    """

    def __init__(self, name: str) -> None:
        self._start = f"The flow {name!r} cannot be published:"
        self._errors = dict[str, AuthoringError]()

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, error: AuthoringError, operator: OperatorNode | None = None) -> None:
        """Note a problem; the same one is noted once.

        :param operator: the one that it is about; None: it is about the flow.
        """
        place = shown_place(operator.place_of_call) if operator else ""
        self._errors.setdefault(f"{error}\n  at {place}" if place else str(error), error)

    @contextmanager
    def of(self, operator: OperatorNode | None = None) -> Iterator[None]:
        """Note an ``AuthoringError`` that the block raises, and go on after the block."""
        try:
            yield
        except AuthoringError as error:
            self.add(error, operator)

    def attempt(self, call: Callable[[], Result], otherwise: Result) -> Result:
        """Return what the call returns; where it raises an ``AuthoringError``, note that and go on."""
        with self.of():
            return call()
        return otherwise

    def add_of_spec(
        self, error: SpecError, document: Mapping[str, Any], graph: FlowGraph, *, only_content: bool
    ) -> None:
        """Note the problems of the finished spec.

        :param document: the spec's JSON.
        :param only_content: note only those of operators, artifacts and parameters.
        """
        # Where every operator is wrong, pydantic also calls their list empty.
        others = [problem for problem in error.problems if problem.path != "$.operators"]
        for problem in others or error.problems:
            found = _ITEM.match(problem.path)
            if found or not only_content:
                message = f"{self._start} {_in_words(problem, found, document)}"
                self.add(AuthoringError(message), _maker(found, graph))

    def error(self) -> AuthoringError:
        """Return one error with all that was noted, at least one problem.

        :return: a ``PackagingError`` where functions cannot be packaged, and nothing else is wrong.
        """
        if len(self._errors) == 1:
            ((message, error),) = self._errors.items()
            error.args, error.hint = (message,), None
            return error
        lines = (message.removeprefix(self._start).strip().replace("\n", "\n  ") for message in self._errors)
        kinds = PackagingError, RequirementsMissing
        are_packages = all(isinstance(error, kinds) for error in self._errors.values())
        kind = PackagingError if are_packages else AuthoringError
        return kind("\n- ".join([self._start, *lines]))


def _in_words(problem: Problem, found: re.Match[str] | None, document: Mapping[str, Any]) -> str:
    """Return the problem, with the user's own words for the place in the document."""
    if not found:
        return f"{problem.path.removeprefix('$.')}: {problem.message}"
    noun, index = found[1], int(found[2])
    field = problem.path[found.end() :]
    name = document[f"{noun}s"][index]["name"]
    return f"{noun} {name!r}{field and f', {field}'}: {problem.message}"


def _maker(found: re.Match[str] | None, graph: FlowGraph) -> OperatorNode | None:
    if not found:
        return None
    makers = {
        "operator": graph.operators,
        "artifact": [artifact.producer for artifact in artifacts_of(graph.operators)],
        "parameter": [operator for operator in graph.operators if operator.kind == "param"],
    }
    return makers[found[1]][int(found[2])]
