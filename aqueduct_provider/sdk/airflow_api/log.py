"""Airflow 3's structured task logs as readable text (pure).

In: the ``content`` of a log's answer: events with ``timestamp``, ``level``, ``event`` and further keys, or
plain lines where Airflow could not parse them. Out: lines much like those of Airflow 2.11's logs. Must not
import: httpx.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# What every event repeats, and what the line's own words say already.
_PLUMBING = frozenset(
    "timestamp event level logger filename lineno chan error_detail exception exc_info stack"
    " dag_id run_id task_id ti_id try_number map_index".split()
)
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n"


def text_of(content: Iterable[Any]) -> str:
    """Return the text of all events, without the list of the places where Airflow looked for the log."""
    lines = [_line(event) for event in content]
    return "\n".join(without_sources(lines))


def without_sources(lines: list[str]) -> list[str]:
    """Return the lines after the group that lists where Airflow looked for the log."""
    # Before it, Airflow 2 writes the worker's host.
    if any(line.endswith("::group::Log message source details") for line in lines[:3]):
        ends = (number for number, line in enumerate(lines, 1) if line.endswith("::endgroup::"))
        return lines[next(ends, 0) :]
    return lines


def _line(event: Any) -> str:
    if not isinstance(event, Mapping):
        return str(event)
    parts = [_stamp(event), str(event.get("event", "")), *_extras(event)]
    lines = [" ".join(part for part in parts if part)]
    lines += [str(event[key]) for key in ("exception", "stack") if event.get(key)]
    if event.get("error_detail"):
        lines.append(traceback_of(event["error_detail"]))
    return "\n".join(lines)


def _stamp(event: Mapping[str, Any]) -> str:
    if not event.get("timestamp"):
        return ""
    level = str(event.get("level") or "").upper()
    return f"[{event['timestamp']}] {level} -" if level else f"[{event['timestamp']}]"


def _extras(event: Mapping[str, Any]) -> Iterator[str]:
    return (
        f"{key}={value}" for key, value in event.items() if key not in _PLUMBING and value not in (None, "")
    )


def traceback_of(stacks: Any) -> str:
    """Return a traceback in Python's form.

    :param stacks: the exception that was raised, then its cause or context, then that one's, ...; as
        structlog's ``ExceptionDictTransformer`` makes them. What has another form is shown as it is.
    """
    try:
        parts: list[str] = []
        for stack in reversed(stacks):
            parts.append(_stack(stack))
            if stack is not stacks[0]:
                parts.append(_CAUSE if stack.get("is_cause") else _CONTEXT)
        return "\n".join(parts)
    except (AttributeError, KeyError, TypeError):
        return str(stacks)


def _stack(stack: Mapping[str, Any]) -> str:
    frames = stack.get("frames") or ()
    lines = ["Traceback (most recent call last):"] if frames else []
    lines += [f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}' for frame in frames]
    if syntax := stack.get("syntax_error"):
        lines += [f'  File "{syntax["filename"]}", line {syntax["lineno"]}', f"    {syntax['line'].strip()}"]
    value = stack.get("exc_value")
    lines.append(f"{stack['exc_type']}: {value}" if value else stack["exc_type"])
    lines += stack.get("exc_notes") or ()
    for number, member in enumerate(stack.get("exceptions") or (), 1):
        lines.append(f"  +-- {number}")
        lines += [f"  | {line}" for line in traceback_of(member).splitlines()]
    return "\n".join(lines)
