from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.notify import check_notifications, notifications_of
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose

ALL = ["warning", "failure", "recovery"]


@aq.metric(requirements=[])
def rate(number: float) -> float:
    return number


def test_receivers_become_parts_of_the_spec() -> None:
    receivers = [
        aq.notify.slack("ops", on="warning", channel="#alerts"),
        aq.notify.email(["ada@example.org", "bob@example.org"], conn="mail", on=["recovery", "failure"]),
        aq.notify.email("ada@example.org"),
        aq.notify.webhook("hook"),
        aq.notify.notifier("my.module.Chat", "chat", on="failure"),
    ]
    assert notifications_of("publish_flow", receivers) == (
        {"type": "slack", "connection_id": "ops", "channel": "#alerts", "on": ["warning"]},
        {
            "type": "email",
            "connection_id": "mail",
            "to": ["ada@example.org", "bob@example.org"],
            "on": ["failure", "recovery"],
        },
        {"type": "email", "connection_id": "smtp_default", "to": ["ada@example.org"], "on": ALL},
        {"type": "webhook", "connection_id": "hook", "on": ALL},
        {"type": "notifier", "notifier": "my.module.Chat", "connection_id": "chat", "on": ["failure"]},
    )
    assert notifications_of("publish_flow", None) == ()
    assert len(notifications_of("publish_flow", receivers[0])) == 1


@pytest.mark.parametrize("path", ["Chat", "", "a.b c", "os.system('x')", None, "a." + "b" * 200])
def test_the_path_of_a_notifier_is_a_module_and_a_class(path: Any) -> None:
    with pytest.raises(AuthoringError, match=r"notify\.notifier: path must be a module and a class"):
        aq.notify.notifier(path, "chat")


def test_checks_and_bounds_have_receivers_of_their_own() -> None:
    hook = aq.notify.webhook("hook")

    @aq.check(requirements=[], severity="error", on_failure=hook, on_recovery=[hook])
    def is_low(rate: float) -> bool:
        return rate < 1

    number = rate.lazy(0.5)
    checks = [
        is_low.lazy(number),
        number.bound(upper=2, lazy=True, on_warning=hook),
        number.bound(lower=0, lazy=True),
    ]
    flow = FlowRequest(
        "flow",
        artifacts=[number.node],
        checks=[check.node for check in checks],
        notifications=notifications_of("publish_flow", aq.notify.slack("ops")),
    )
    spec = compose(flow, {"type": "connection"}).spec
    reported = {
        one.name: [each.on for each in one.notifications] for one in spec.operators if one.type == "check"
    }
    assert reported == {
        "is_low": [("failure",), ("recovery",)],
        "less than 2": [("warning",)],
        "greater than 0": [],
    }
    assert [one.connection_id for one in spec.notifications] == ["ops"]


def test_a_check_calls_its_function_as_before_here() -> None:
    @aq.check(requirements=[], on_warning=aq.notify.slack("ops"))
    def is_low(rate: float) -> bool:
        return rate < 1

    assert is_low.local(0.5) is True


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aq.notify.slack("ops", on="warnings"), "not 'warnings'. Did you mean 'warning'?"),
        (lambda: aq.notify.slack("ops", on=[]), "on is empty; name one of 'warning', 'failure', 'recovery'"),
        (lambda: aq.notify.slack("ops", on=3), "not 3"),
        (lambda: aq.notify.slack(""), "conn must be the id of an Airflow connection, such as 'ops', not ''"),
        (lambda: aq.notify.webhook(None), "conn must be the id of an Airflow connection"),
        (lambda: aq.notify.slack("ops", channel=1), "channel must be text such as '#alerts', not 1"),
        (lambda: aq.notify.email([]), "to has no address; give 1 to 100"),
        (lambda: aq.notify.email(["a@example.org"] * 101), "to has 101 addresses; give 1 to 100"),
        (lambda: aq.notify.email("Ada <ada@example.org>"), "not 'Ada <ada@example.org>'"),
        (lambda: aq.notify.email("a@example.org", con="x"), "Did you mean 'conn'?"),
        (lambda: notifications_of("publish_flow", "ops"), "publish_flow: notify takes what aq.notify.slack"),
        (lambda: notifications_of("publish_flow", [aq.notify.slack]), "one or a list of them, not function"),
        (lambda: notifications_of("publish_flow", 3), "not int"),
        (
            lambda: notifications_of("publish_flow", [aq.notify.slack("ops")] * 101),
            "101 notifications are more than 100",
        ),
        (
            lambda: check_notifications("bound", aq.notify.slack("ops", on="warning"), None, None),
            "bound: on_warning says itself when notify.slack is sent: leave its on=... out.",
        ),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        call()
    assert message in str(caught.value)


def test_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(AuthoringError, match="not a URL, which may hold a secret") as caught:
        aq.notify.slack("https://hooks.slack.com/services/T0/B0/secret")
    assert "secret/" not in str(caught.value)
    assert "T0" not in str(caught.value)
