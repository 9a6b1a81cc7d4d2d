"""Compare two specs of a flow: operators, code, parameters, artifacts, edges and settings (pure).

In: two specs, and a function that reads the text of code. Out: one frozen value. Operators are compared by
their labels and artifacts by their names: ids, which compiled specs make again each time, do not count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.results.outcomes import labels
from aqueduct_provider.sdk.versions.code_text import code_difference, code_text
from aqueduct_provider.sdk.versions.differences import Change, Differences, OperatorChange, OperatorCode
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.versions.code_text import ReadSource
    from aqueduct_provider.spec.models import Code, Operator, Parameter, WorkflowSpec

# Fields of an operator that are ids, or are compared as something else.
_ELSEWHERE = frozenset({"id", "inputs", "outputs", "after"})
# Of code, whose archive is compared by its text and its requirements.
_IN_ARCHIVE = frozenset({"key", "sha256", "requirements"})
# Fields of a spec that are compared as something else, or are not part of what the flow does.
_NOT_SETTINGS = frozenset(
    {"spec_version", "flow", "version", "dag_id", "schedule", "artifacts", "parameters", "operators"}
)
_FLOW_SETTINGS = frozenset({"description", "tags", "owner"})


class FlowDiff(Differences):
    """What differs between two versions of a flow; ``flow.diff(a, b)`` gives it.

    Example::

        print(flow.diff(11, 12))
        flow.diff("v11").to_json()
    """

    def __str__(self) -> str:
        from aqueduct_provider.sdk.display.flow_diffs import diff_text

        return diff_text(self).plain

    def __repr__(self) -> str:
        return f"<FlowDiff {self.before} -> {self.after}: {'; '.join(self.summary()) or 'nothing differs'}>"

    def describe(self) -> None:
        """Print it."""
        from aqueduct_provider.sdk.display.flow_diffs import print_diff

        print_diff(self)

    def _repr_html_(self) -> str:
        from aqueduct_provider.sdk.display.flow_diffs import diff_html

        return diff_html(self)


def flow_diff(
    old: WorkflowSpec,
    new: WorkflowSpec,
    names: tuple[str, str] = ("before", "after"),
    read: ReadSource | None = None,
) -> FlowDiff:
    """Compare two versions.

    :param names: what the versions are called.
    :param read: reads the text of code; None: code is compared by its digest alone.
    """
    before, after = (_sides(spec) for spec in (old, new))
    compare = [
        partial(_operator_change, label, before[label], after[label], names, read)
        for label in after
        if label in before
    ]
    added = [label for label in after if label not in before]
    removed = [label for label in before if label not in after]
    (schedule,) = _changes(_schedule(old), _schedule(new)) or (None,)
    return FlowDiff(
        *names,
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(change for change in together(compare) if change is not None),
        schedule=schedule,
        parameters=_changes(_parameters(old), _parameters(new)),
        artifacts=_changes(_artifacts(old), _artifacts(new)),
        edges=_changes(_edges(old), _edges(new)),
        settings=_changes(_settings(old), _settings(new)),
        added_code=_codes({label: after[label] for label in added}, names, read, "+"),
        removed_code=_codes({label: before[label] for label in removed}, names, read, "-"),
    )


def _labelled(spec: WorkflowSpec) -> Iterator[tuple[str, Operator]]:
    return zip(labels(spec.operators), spec.operators, strict=True)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the entries that differ."""
    names = dict.fromkeys([*before, *after])
    pairs = (Change(name, before.get(name), after.get(name)) for name in names)
    return tuple(pair for pair in pairs if _written(pair.before) != _written(pair.after))


def _written(value: Any) -> str:
    # To Python, 1 and True are equal.
    return json.dumps(value, sort_keys=True)


# --- the flow


def _schedule(spec: WorkflowSpec) -> dict[str, Any]:
    return {"schedule": spec.schedule.model_dump(mode="json") if spec.schedule else None}


def _settings(spec: WorkflowSpec) -> dict[str, Any]:
    return {
        **spec.flow.model_dump(mode="json", include={*_FLOW_SETTINGS}),
        **spec.model_dump(mode="json", exclude={*_NOT_SETTINGS}),
    }


def _parameters(spec: WorkflowSpec) -> dict[str, Any]:
    from aqueduct_provider.spec.models import InlineDefault

    def default(parameter: Parameter) -> Any:
        one = parameter.default
        # Of a stored one only this can be compared without unpickling it.
        return one.value if isinstance(one, InlineDefault) else {"sha256": one.sha256}

    return {
        one.name: {"type": one.type.value, "default": default(one), "description": one.description}
        for one in spec.parameters
    }


def _artifacts(spec: WorkflowSpec) -> dict[str, Any]:
    names = _artifact_names(spec)
    return {
        names[one.id]: {"type": one.type.value, "keep_snapshot": one.keep_snapshot} for one in spec.artifacts
    }


def _artifact_names(spec: WorkflowSpec) -> dict[str, str]:
    """Return the name of each artifact by its id; with its id where several have this name."""
    count = Counter(one.name for one in spec.artifacts)
    return {one.id: one.name if count[one.name] == 1 else f"{one.name} ({one.id})" for one in spec.artifacts}


def _edges(spec: WorkflowSpec) -> dict[str, str]:
    """Return what each operator takes from each other one."""
    names, found = _artifact_names(spec), dict[str, list[str]]()
    makers = {artifact: label for label, one in _labelled(spec) for artifact in one.outputs}
    tasks = {one.task_id: label for label, one in _labelled(spec)}
    for label, one in _labelled(spec):
        for place, artifact in enumerate(one.inputs, 1):
            edge = f"{makers[artifact]} -> {label}"
            found.setdefault(edge, []).append(f"{names[artifact]} as input {place}")
        for task_id in one.after:
            found.setdefault(f"{tasks[task_id]} -> {label}", []).append("runs after it")
    return {edge: ", ".join(what) for edge, what in found.items()}


# --- an operator


@dataclass(frozen=True)
class _Side:
    """An operator in one of the versions.

    :param outputs: the names of its artifacts.
    """

    operator: Operator
    outputs: Sequence[str]

    @property
    def code(self) -> Code | None:
        return getattr(self.operator, "code", None)

    def options(self) -> dict[str, Any]:
        """Return its fields, those of its code, its source and its target next to the others."""
        fields = self.operator.model_dump(mode="json", exclude={*_ELSEWHERE})
        found: dict[str, Any] = {"outputs": [*self.outputs]}
        for name, value in fields.items():
            inner = value if isinstance(value, dict) else None
            if inner is None:
                found[name] = value
            elif name == "code":
                found |= {key: item for key, item in inner.items() if key not in _IN_ARCHIVE}
            else:
                found |= {f"{name}.{key}": item for key, item in inner.items()}
        return found


def _sides(spec: WorkflowSpec) -> dict[str, _Side]:
    names = _artifact_names(spec)
    return {
        label: _Side(one, [names[artifact] for artifact in one.outputs]) for label, one in _labelled(spec)
    }


def _operator_change(
    label: str, old: _Side, new: _Side, names: tuple[str, str], read: ReadSource | None
) -> OperatorChange | None:
    """Return what differs in an operator; None: nothing."""
    options = _changes(old.options(), new.options())
    first, second = old.code, new.code
    found = code_difference(first, second, names, read)
    requirements = _changes(*found.requirements)
    changed = (first and first.sha256) != (second and second.sha256)
    if not (options or requirements or changed):
        return None
    repackaged = found.is_repackaged and not (options or requirements)
    return OperatorChange(label, found.source, requirements, options, changed, found.note, repackaged)


def _codes(
    sides: Mapping[str, _Side], names: tuple[str, str], read: ReadSource | None, sign: str
) -> tuple[OperatorCode, ...]:
    """Return the code of operators that one version alone has.

    :param sign: ``+`` or ``-``.
    """
    if read is None:
        return ()
    codes = {label: side.code for label, side in sides.items()}
    some = {label: code for label, code in codes.items() if code is not None}
    found = together([partial(code_text, code, names, read, sign) for code in some.values()])
    return tuple(OperatorCode(label, *one) for label, one in zip(some, found, strict=True))
