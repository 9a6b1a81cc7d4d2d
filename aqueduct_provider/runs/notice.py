"""One message about a check or a flow: its facts, and as text, Slack's markup, HTML and JSON (pure).

In: facts, of which users have named most. Out: text in which nothing that they wrote is markup or a header.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from aqueduct_provider.artifacts.glance import shown_value
from aqueduct_provider.runner.codec_error import shortened
from aqueduct_provider.spec.bounds import bound_in
from aqueduct_provider.spec.conditions import Condition

VERSION = 1
_LONGEST_NAME = 200
_LONGEST_REASON = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_WORDS = {"warning": "warning", "failure": "failure", "recovery": "recovered"}


@dataclass(frozen=True)
class Notice:
    """The facts of one message.

    :param task_id: the Airflow task that sends it.
    :param check: name of the check; empty: it is about the flow.
    :param severity: of the check.
    :param metric: the number that the check reads; empty: it reads none.
    :param values: of the metric in the last runs, the newest last.
    :param reason: why it failed; empty for checks that did not pass.
    :param url: the page of the run; empty: Airflow does not know its own address.
    """

    event: Condition
    flow: str
    flow_id: str
    dag_id: str
    version: str
    run_id: str
    task_id: str
    check: str = ""
    severity: str = ""
    metric: str = ""
    value: int | float | None = None
    values: tuple[int | float, ...] = ()
    reason: str = ""
    url: str = ""

    @property
    def bound(self) -> str:
        """Return the bound that the check holds its metric to; empty: the check is another one."""
        found = bound_in(self.check) if self.metric else None
        return " ".join(found) if found else ""

    def masked(self, redact: Callable[[str], str]) -> Notice:
        """Return it with its strings in one line each, without the secrets that ``redact`` knows."""
        facts: dict[str, Any] = {
            name: _line(redact(text)) for name, text in asdict(self).items() if isinstance(text, str)
        }
        facts["reason"] = _reason(redact(self.reason).strip())
        # A number may be a PIN.
        if any(redact(str(number)) != str(number) for number in (self.value, *self.values)):
            facts |= {"value": None, "values": ()}
        return replace(self, **facts)


def title(notice: Notice) -> str:
    """Return one line: the subject of a mail."""
    return f"[{_WORDS[notice.event]}] {notice.flow}: {_what(notice)}"


def plain(notice: Notice) -> str:
    """Return the message as text."""
    return "\n".join([title(notice), *_details(notice), *([notice.url] if notice.url else [])])


def slack_text(notice: Notice) -> str:
    """Return the message in Slack's markup; what users wrote is none, and mentions nobody."""
    lines = [f"*{_slack(title(notice))}*", *map(_slack, _details(notice))]
    return "\n".join([*lines, *([f"<{_slack(notice.url)}|Open the run>"] if notice.url else [])])


def html_page(notice: Notice) -> str:
    """Return the message as HTML."""
    parts = [f"<p><strong>{html.escape(title(notice))}</strong></p>"]
    parts += [f"<p>{html.escape(line)}</p>" for line in _details(notice)]
    if notice.url:
        parts.append(f'<p><a href="{html.escape(notice.url)}">Open the run</a></p>')
    return "<html><body>\n" + "\n".join(parts) + "\n</body></html>"


def to_document(notice: Notice) -> dict[str, Any]:
    """Return what a webhook gets, after docs/notifications.md."""
    check = {"name": notice.check, "severity": notice.severity} if notice.check else None
    metric = {
        "name": notice.metric,
        "value": _in_json(notice.value),
        "bound": notice.bound or None,
        "last_values": list(notice.values),
    }
    return {
        "version": VERSION,
        "event": notice.event,
        "flow": {
            "id": notice.flow_id,
            "name": notice.flow,
            "dag_id": notice.dag_id,
            "version": notice.version,
        },
        "run_id": notice.run_id,
        "task_id": notice.task_id,
        "check": check,
        "metric": metric if notice.metric else None,
        "reason": notice.reason or None,
        "url": notice.url or None,
        "text": plain(notice),
    }


def _in_json(value: float | None) -> float | str | None:
    """Return a number; one that JSON has not, as a word."""
    return value if value is None or math.isfinite(value) else str(value)


def _what(notice: Notice) -> str:
    if not notice.check:
        return "the flow succeeds again" if notice.event == "recovery" else "the flow failed"
    name = f"{notice.metric} {notice.bound}" if notice.bound else notice.check
    if notice.event == "recovery":
        return f"check {name!r} passes again"
    return f"check {name!r} {'could not be computed' if notice.reason else 'did not pass'}"


def _details(notice: Notice) -> Iterator[str]:
    if notice.metric and notice.value is not None:
        bound = f" (must be {notice.bound})" if notice.bound else ""
        yield f"{notice.metric} = {shown_value(notice.value)}{bound}"
    if notice.reason:
        yield from notice.reason.splitlines()
    if notice.event != "recovery" and notice.severity:
        goes_on = "the flow goes on" if notice.severity == "warning" else "the flow fails"
        yield f"Severity: {notice.severity}, {goes_on}."
    if len(notice.values) > 1:
        yield f"Last values of {notice.metric}: {', '.join(map(shown_value, notice.values))}"
    yield f"Run {notice.run_id}, task {notice.task_id}, version {notice.version}"


def _slack(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text


def _line(text: str) -> str:
    return _cut(_CONTROL.sub(" ", text), _LONGEST_NAME if "://" not in text else _LONGEST_REASON)


def _reason(text: str) -> str:
    return shortened("\n".join(_CONTROL.sub(" ", line) for line in text.splitlines()), _LONGEST_REASON)


def _cut(clean: str, limit: int) -> str:
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"
