"""The bytes of a spec of either dialect -> ``WorkflowSpec``, or every problem at once.

In: bytes, or a file. Out: a spec that every later room may trust. The only exception is ``SpecError``,
each of its problems with the JSON path in the document and a hint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.spec import compiled, document, graph, semantic_checks, task_groups
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.validation import MAX_PROBLEMS, validated

SPEC_VERSION = 1

Reading = tuple[WorkflowSpec | None, graph.Locate, list[Problem]]


def load(path: Path) -> WorkflowSpec:
    """Read the spec in a file.

    :raises SpecError: the file cannot be read, or its content is not a valid spec.
    """
    return parse(document.file_content(path, "the JSON file of the spec"), path.name)


def parse(data: bytes, source: str) -> WorkflowSpec:
    """Read the spec in ``data``, native or compiled.

    :param source: the name that error messages give it, such as the file's.
    :raises SpecError: with all problems, each with its JSON path.
    """
    tree, problems = document.read(data, source)
    spec, locate, found = _read(data, tree)
    # What is wrong with the text makes the rest of it unreadable for pydantic: that says nothing new.
    problems += [problem for problem in found if not (problems and problem.path == "$")]
    if spec is not None:
        checks = chain(
            graph.check(spec, locate), task_groups.check(spec, locate), semantic_checks.check(spec, locate)
        )
        problems += islice(checks, MAX_PROBLEMS)
    if spec is None or problems:
        raise SpecError(source, bounded(problems))
    spec = task_groups.with_separate_loads(spec)
    spec._sha256 = hashlib.sha256(data).hexdigest()
    return spec


def _read(data: bytes, tree: Any) -> Reading:
    if not isinstance(tree, Mapping):
        return _refused("$", "a spec is a JSON object, in { }; publish the flow again")
    if tree.get("type") == compiled.TYPE:
        return compiled.read(data, tree)
    if "spec_version" not in tree:
        return _refused(
            "$",
            f'neither "spec_version": {SPEC_VERSION} (a native spec) nor "type": "{compiled.TYPE}" '
            "(a spec of the original Aqueduct) is here; add the one that applies",
        )
    if type(tree["spec_version"]) is not int or tree["spec_version"] != SPEC_VERSION:
        return _refused(
            "$.spec_version",
            f"this release reads version {SPEC_VERSION} only; publish the flow for it, or install the "
            "release of airflow-provider-aqueduct that reads this version",
        )
    spec, problems = validated(WorkflowSpec, data, tree)
    return spec, native_path, problems


def native_path(*parts: str | int) -> str:
    """Return where a field of the model is in a native spec."""
    return document.json_path(parts)


def _refused(path: str, message: str) -> Reading:
    return None, native_path, [Problem(path, message)]


def bounded(problems: list[Problem]) -> list[Problem]:
    """Return the problems, or the first ones and a note where there are too many to read."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    more = "more problems than these were found; fix these first"
    return [*problems[:MAX_PROBLEMS], Problem("$", more)]
