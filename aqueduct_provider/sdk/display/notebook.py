"""Artifacts, runs and flows as notebooks show them.

In: the object. Out: HTML that inherits its colours, for light and dark themes; all text of the user is
escaped. Nothing is computed for it: a value is shown when it is known already. Nothing here raises, because
a cell that ends in an object must not fail when it is shown.
"""

from __future__ import annotations

import json
import math
import pprint
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from aqueduct_provider.artifacts.numbers import counted
from aqueduct_provider.errors import AqueductError, CheckFailed, OperatorFailed
from aqueduct_provider.sdk.authoring.table_rows import shown_rows
from aqueduct_provider.sdk.console import cell_text
from aqueduct_provider.sdk.display.graph_svg import NO_STATUS_COLOUR, STATUS_COLOURS, flow_svg
from aqueduct_provider.sdk.results.outcomes import labels

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource
    from aqueduct_provider.sdk.display.views import ArtifactView, FlowView, RunView
    from aqueduct_provider.sdk.results.outcomes import OperatorRun
    from aqueduct_provider.spec.models import Parameter

T = TypeVar("T")

_ROWS, _COLUMNS = 20, 30
_PIXELS = 400
_CHARACTERS = 2_000
# More items of nested containers do not fit into that.
_ITEMS = 1_000
_DEPTH = 20
# PNG knows them; all others are converted.
_PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})

_BIG = "font-size:1.8em;line-height:1.4"
_FAINT = "opacity:.7"
_SCROLLS = "overflow:auto;max-height:32em"

_plain = reprlib.Repr()
_plain.maxother, _plain.maxstring = _CHARACTERS, 200


def artifact_html(artifact: ArtifactView) -> str:
    """Show an artifact: its type, its maker, and its value when that is known already."""
    return _shown(artifact, _artifact)


def run_html(run: RunView) -> str:
    """Show a run as it is now: its status, its operators, and why some of them failed."""
    return _shown(run, _run)


def flow_html(flow: FlowView) -> str:
    """Show a flow: what was published last, its parameters and its graph."""
    return _shown(flow, _flow)


def _shown(thing: T, make: Callable[[T], str]) -> str:
    try:
        return make(thing)
    except Exception as error:
        reason = f"\n{error}" if isinstance(error, AqueductError) else ""
        return f"<pre>{escape(_plain.repr_instance(thing, 1) + reason)}</pre>"


# --- artifacts


def _artifact(artifact: ArtifactView) -> str:
    source = artifact.source
    facts = escape(f"{source.type}{_origin(source)}")
    head = f'<div><b>{escape(source.name)}</b> <span style="{_FAINT}">{facts}</span></div>'
    return f"<div>{head}{_value(source) if source.ready else _not_ready(source)}</div>"


def _origin(source: ArtifactSource) -> str:
    if source.node is None:
        return ", read from a run"
    producer = source.node.producer
    if producer.kind == "param":
        return ", a parameter"
    kind = f"{producer.kind} of severity {producer.severity}" if producer.kind == "check" else producer.kind
    return f", made by {producer.name} ({kind.replace('_', ' ')})"


def _not_ready(source: ArtifactSource) -> str:
    if source.node is None:
        return "<div>not read yet; .get() reads it</div>"
    inputs = ", ".join(artifact.name for artifact in source.node.producer.inputs)
    return f"<div>not computed yet; .get() computes it{escape(f', from: {inputs}') if inputs else ''}</div>"


def _value(source: ArtifactSource) -> str:
    try:
        value = source.value(None)
    except CheckFailed as error:
        return f"{_big(False)}<div>{escape(str(error))}</div>"
    except OperatorFailed as error:
        return _text(str(error))
    return _SHOWN_BY_TYPE.get(source.type, _other)(value)


def _table(table: Any) -> str:
    rows, shape = shown_rows(table, _ROWS)
    shown = rows.to_html(escape=True, border=0, max_cols=_COLUMNS)
    return f'<div style="overflow-x:auto">{shown}</div><div style="{_FAINT}">{shape}</div>'


def _image(image: Any) -> str:
    import base64
    import io

    small = image.copy()
    small.thumbnail((_PIXELS, _PIXELS))
    if image.mode not in _PNG_MODES:
        small = small.convert("I;16" if image.mode == "I" else "RGB")
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f"{image.width} x {image.height} pixels"
    return f'<img alt="{size}" src="data:image/png;base64,{data}"><div style="{_FAINT}">{size}</div>'


def _big(value: Any) -> str:
    return f'<div style="{_BIG}">{_cut(str(value))}</div>'


def _text(text: str, size: str = "") -> str:
    """Return text as it is.

    :param size: the full size, shown where the text is cut; empty: its length.
    """
    size = size or counted(len(text), "character")
    cut = f'<div style="{_FAINT}">cut; {size}</div>' if len(text) > _CHARACTERS else ""
    return f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{_cut(text)}</pre>{cut}'


def _json(text: Any) -> str:
    # What is shown of a long one is not worth reading it all.
    if not isinstance(text, str) or len(text) > 100 * _CHARACTERS:
        return _text(str(text))
    try:
        return _text(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return _text(text)


def _container(value: Any) -> str:
    budget = iter(range(_ITEMS))
    text = pprint.pformat(_head(value, budget, _DEPTH), width=100, sort_dicts=False)
    return _text(text, counted(len(value), "item"))


def _head(value: Any, budget: Iterator[int], depth: int) -> Any:
    """Return the first items of nested containers: to print a whole one may take minutes.

    :param budget: has as many items left as may be taken.
    """
    kind = type(value)
    if kind not in (dict, list, tuple):
        return value[:_CHARACTERS] if kind in (str, bytes) else value
    if depth == 0:
        return "..."
    if kind is dict:
        pairs = zip(value.items(), budget, strict=False)
        return {key: _head(item, budget, depth - 1) for (key, item), _ in pairs}
    return kind(_head(item, budget, depth - 1) for item, _ in zip(value, budget, strict=False))


def _bytes(value: Any) -> str:
    power = min(3, int(math.log(max(len(value), 1), 1000)))
    number = f"{len(value) / 1000**power:.3g}" if power else str(len(value))
    return f"<div>{number} {('bytes', 'kB', 'MB', 'GB')[power]}</div>"


def _other(value: Any) -> str:
    return f"<div>{escape(_type_name(value))}</div>{_text(_plain.repr_instance(value, 1))}"


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_SHOWN_BY_TYPE: dict[str, Callable[[Any], str]] = {
    "table": _table,
    "image": _image,
    "numeric": _big,
    "boolean": _big,
    "string": _text,
    "json": _json,
    "dictionary": _container,
    "list": _container,
    "tuple": _container,
    "bytes": _bytes,
}


def _cut(text: str) -> str:
    return escape(text) if len(text) <= _CHARACTERS else f"{escape(text[:_CHARACTERS])}…"


# --- runs


def _run(run: RunView) -> str:
    status, operators, lack = run.as_far_as_known()
    created = run.created_at()
    about = f"{_status(status.value)}{f', created {_cell(created)}' if created else ''}"
    names = labels(operators)
    columns = ("operator", "type", "status", "seconds", "")
    rows = [
        # Failures are shown in full below.
        (name, one.kind.replace("_", " "), _Status(one.word), one.duration, "" if one.has_failed else one.tip)
        for name, one in zip(names, operators, strict=True)
    ]
    parts = [
        f"<div><b>{escape(run.record.name)}</b>, run {escape(run.run_id)}: {about}</div>",
        f"<div>What follows is from the store alone: {escape(lack)}</div>" if lack else "",
        _graph(flow_svg(run.spec, {one.task_id: one.word for one in operators})),
        html_table(columns, rows),
        *(_failure(name, one) for name, one in zip(names, operators, strict=True) if one.has_failed),
    ]
    return f"<div>{''.join(parts)}</div>"


def _failure(name: str, operator: OperatorRun) -> str:
    traceback = operator.traceback.rstrip()
    shown = f"<pre>{escape(traceback)}</pre>" if traceback else ""
    return f"<div><b>{escape(name)}</b>: {escape(operator.tip or operator.word)}</div>{shown}"


# --- flows


def _flow(flow: FlowView) -> str:
    from aqueduct_provider.sdk.display.tables import flow_facts

    spec, record = flow.spec, flow.record
    parameters = [(one.name, one.type.value, _default(one), one.description) for one in spec.parameters]
    parts = [
        f"<div><b>{escape(record.name)}</b></div>",
        f"<div>{escape(spec.flow.description)}</div>" if spec.flow.description else "",
        html_table((), flow_facts(flow)),
        html_table(("parameter", "type", "default", "description"), parameters) if parameters else "",
        _graph(flow_svg(spec)),
    ]
    return f"<div>{''.join(parts)}</div>"


def _default(parameter: Parameter) -> str:
    from aqueduct_provider.spec.models import InlineDefault

    if isinstance(parameter.default, InlineDefault):
        return _plain.repr(parameter.default.value)
    return "(a stored value)"


# --- what they share


class _Status(str):
    """A status word, which is shown in its colour."""

    __slots__ = ()


def _status(word: str) -> str:
    return f'<b style="color:{STATUS_COLOURS.get(word, NO_STATUS_COLOUR)}">{escape(word)}</b>'


def _graph(svg: str) -> str:
    return f'<div style="{_SCROLLS}">{svg}</div>'


def html_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table aligned to the left; Jupyter would align text to the right."""
    head = "".join(f'<th style="text-align:left">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{_cell(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f'<div style="{_SCROLLS}"><table>{f"<tr>{head}</tr>" if head else ""}{body}</table></div>'


def _cell(value: Any) -> str:
    return _status(value) if isinstance(value, _Status) else escape(cell_text(value))
