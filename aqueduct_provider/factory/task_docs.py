"""Describe a task where Airflow shows it: its name, owner and docs.

In: the operators of one Airflow task. Out: arguments of its Airflow operator. Names, descriptions and
requirements of a spec, never its code: that is in the store, and a spec only has its key. The docs lead to
the page that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from aqueduct_provider.factory.docs import code_span, markdown, one_line
from aqueduct_provider.operators.aqueduct import kind_of
from aqueduct_provider.spec.models import (
    ArtifactSpec,
    CallOperator,
    CheckOperator,
    ConnectionStore,
    Operator,
    WorkflowSpec,
)
from aqueduct_provider.spec.url_credentials import without_credentials

# Names in one line, and characters of requirements.
_NAMED = 20
_REQUIREMENTS = 1000
_SEVERITIES = {
    "error": "When the check does not pass, its task fails.",
    "warning": "When the check does not pass, the flow goes on.",
}
Artifacts = Mapping[str, ArtifactSpec]


def owner_options(spec: WorkflowSpec) -> dict[str, Any]:
    """Return the owner of the flow's tasks, of which Airflow makes that of the DAG; nothing: its default."""
    owner = one_line(spec.flow.owner)
    return {"owner": owner} if owner else {}


def page_link(spec: WorkflowSpec, operators: Sequence[Operator], page: str) -> str:
    """Return a link to the page of a task, which shows its newest run.

    :param page: its address.
    """
    # The store of other flows is not read for pages.
    is_read = spec.compiled is None and isinstance(spec.artifact_store, ConnectionStore)
    has_source = is_read and any(isinstance(one, CallOperator) for one in operators)
    return f"[{'Source, results and output' if has_source else 'Results'} of the newest run]({page})"


def label_options(operators: Sequence[Operator], artifacts: Artifacts, link: str = "") -> dict[str, Any]:
    """Return the name and the docs of the task that runs these operators.

    :param artifacts: those of the spec by their ids.
    :param link: to the task's page, as Markdown; empty: this Airflow has none.
    """
    first = operators[0]
    if first.fuse:
        return _labels_of_group(operators, artifacts, link)
    facts = "\n".join(f"- {fact}" for fact in [*_facts(first, artifacts), *_requirements(first)])
    options: dict[str, Any] = {"doc_md": markdown(first.description, facts, link)}
    if first.name != first.task_id:
        options["task_display_name"] = one_line(first.name)
    return options


def _labels_of_group(operators: Sequence[Operator], artifacts: Artifacts, link: str) -> dict[str, Any]:
    count = f"{len(operators)} operators" if len(operators) > 1 else "1 operator"
    lines = [f"{number}. {_line(operator, artifacts)}" for number, operator in enumerate(operators, 1)]
    requirements = dict.fromkeys(line for operator in operators for line in _requirements(operator))
    return {
        "task_display_name": f"{operators[0].fuse} ({count})",
        "doc_md": markdown(
            f"Runs {count}, one after the other:",
            "\n".join(lines),
            "\n".join(f"- {one}" for one in requirements),
            link,
        ),
    }


def _line(operator: Operator, artifacts: Artifacts) -> str:
    name = f"{one_line(operator.name)} ({code_span(operator.task_id)}, {kind_of([operator])})"
    parts = [one_line(operator.description), *_facts(operator, artifacts)]
    return f"{name}: {' '.join(filter(None, parts))}"


def _facts(operator: Operator, artifacts: Artifacts) -> list[str]:
    facts = []
    if operator.inputs:
        facts.append(f"Reads {_names([artifacts[one] for one in operator.inputs])}.")
    if operator.outputs:
        facts.append(f"Writes {_names([artifacts[one] for one in operator.outputs], types=True)}.")
    if isinstance(operator, CheckOperator):
        facts.append(_SEVERITIES[operator.severity])
    return facts


def _names(artifacts: Sequence[ArtifactSpec], *, types: bool = False) -> str:
    shown = [
        f"{code_span(one.name)} ({one.type.value})" if types else code_span(one.name)
        for one in artifacts[:_NAMED]
    ]
    more = [f"{len(artifacts) - _NAMED} more"] if len(artifacts) > _NAMED else []
    return ", ".join([*shown, *more])


def _requirements(operator: Operator) -> Sequence[str]:
    if not isinstance(operator, CallOperator):
        return ()
    return _requirement_lines(operator.code.requirements, operator.code.python_version)


@lru_cache(maxsize=128)
def _requirement_lines(requirements: tuple[str, ...] | None, python: str | None) -> Sequence[str]:
    """Return what the code needs; most operators of a flow need the same."""
    lines = [f"Python {python}."] if python else []
    if requirements:
        text = without_credentials(", ".join(requirements)[: 2 * _REQUIREMENTS])
        lines.append(f"Requirements: {code_span(text, _REQUIREMENTS)}.")
    return tuple(lines)
