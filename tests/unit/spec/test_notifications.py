from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import CheckOperator, WorkflowSpec
from aqueduct_provider.spec.notifications import (
    EmailNotification,
    NotifierNotification,
    SlackNotification,
    WebhookNotification,
)
from tests.support.example_specs import native_document


def _parsed(notifications: Any) -> WorkflowSpec:
    document = {**native_document(), "notifications": notifications}
    return parse(json.dumps(document).encode(), "flow.json")


def test_all_kinds_with_their_defaults() -> None:
    spec = _parsed(
        [
            {"type": "slack", "connection_id": "ops", "on": ["warning"]},
            {"type": "email", "to": ["ada@example.org"]},
            {"type": "webhook", "connection_id": "hook"},
            {"type": "notifier", "notifier": "a.b.Chat", "connection_id": "chat"},
        ]
    )
    slack, email, webhook, other = spec.notifications
    assert slack == SlackNotification(type="slack", connection_id="ops", channel="", on=("warning",))
    assert email == EmailNotification(type="email", connection_id="smtp_default", to=("ada@example.org",))
    assert webhook == WebhookNotification(type="webhook", connection_id="hook")
    assert other == NotifierNotification(type="notifier", notifier="a.b.Chat", connection_id="chat")
    assert webhook.on == ("warning", "failure", "recovery")


def test_flows_and_checks_tell_nobody_by_default() -> None:
    spec = parse(json.dumps(native_document()).encode(), "flow.json")
    assert spec.notifications == ()
    assert CheckOperator.model_fields["notifications"].default == ()


@pytest.mark.parametrize(
    ("notification", "problem"),
    [
        ({"type": "slack", "connection_id": "ops", "on": ["warnings"]}, "warning"),
        ({"type": "slack", "connection_id": "ops", "on": []}, "at least 1 entry"),
        ({"type": "slack", "connection_id": "https://h.example/x"}, "not a URL"),
        ({"type": "email", "to": []}, "at least 1 entry"),
        ({"type": "email", "to": ["ada"]}, "one mail address, such as team@example.org"),
        ({"type": "webhook"}, "connection_id"),
        ({"type": "notifier", "notifier": "os.system('x')", "connection_id": "c"}, "a module and a class"),
        ({"type": "notifier", "notifier": "Chat", "connection_id": "c"}, "a module and a class"),
        ({"type": "pager", "connection_id": "x"}, "slack"),
    ],
)
def test_what_cannot_be_is_one_clear_problem(notification: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        _parsed([notification])
    assert len(caught.value.problems) == 1
    assert problem in str(caught.value)
    assert "h.example" not in str(caught.value)
