"""An artifact as text: what ``.describe()`` prints, and previews of values (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from aqueduct_provider.runner.frames import is_frame
from aqueduct_provider.sdk.authoring.table_rows import shown_rows

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource
    from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode

_ROWS = 5

_short = Repr()
_short.maxstring = _short.maxother = 200
_short.maxlist = _short.maxtuple = _short.maxdict = 10


def description(source: ArtifactSource) -> str:
    """Return the artifact in some lines; its value only when that is known already."""
    lines = [f"{source.name} ({source.type})"]
    if source.node is not None:
        lines += [f"  {label + ':':<10} {text}" for label, text in _facts(source.node)]
    lines.append(f"  {'value:':<10} {_value(source)}")
    return "\n".join(lines)


def preview(value: Any) -> str:
    """Return a value in few lines: the head of a table, a shortened text of others."""
    if is_frame(value):
        rows, shape = shown_rows(value, _ROWS)
        return f"{shape}\n{rows.to_string()}"
    return _short.repr(value)


def _facts(node: ArtifactNode) -> Iterator[tuple[str, str]]:
    producer = node.producer
    kind = f"{producer.kind}, severity {producer.severity}" if producer.kind == "check" else producer.kind
    yield "operator", f"{producer.name} ({kind.replace('_', ' ')})"
    if producer.description:
        yield "about", producer.description
    if producer.inputs:
        yield "inputs", ", ".join(artifact.name for artifact in producer.inputs)
    checks = [operator for operator in node.derived if operator.kind == "check"]
    metrics = [operator for operator in node.derived if operator.kind in ("metric", "system_metric")]
    loads = [operator for operator in node.derived if operator.kind == "load"]
    if metrics:
        yield "metrics", _names(metrics)
    if checks:
        yield "checks", _names(checks)
    if loads:
        yield "saved", _names(loads)
    yield "snapshot", "kept after a run" if node.keep_snapshot else "not kept after a run"


def _names(operators: Iterable[OperatorNode]) -> str:
    return ", ".join(operator.name for operator in operators)


def _value(source: ArtifactSource) -> str:
    if not source.ready:
        return "not computed yet; .get() does"
    # A summary is of use also where the value cannot be read.
    try:
        text = preview(source.value(None))
    except Exception as exc:
        return f"cannot be shown: {exc}"
    return text.replace("\n", "\n    ")
