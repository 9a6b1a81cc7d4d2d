"""Messages of each kind, by Airflow's connections, to real servers on this machine."""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from aqueduct_provider.compat import BaseNotifier
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.operators.notifiers import name_of, send, webhook_url
from aqueduct_provider.runs.notice import Notice
from aqueduct_provider.spec.notifications import (
    EmailNotification,
    Notification,
    NotifierNotification,
    SlackNotification,
    WebhookNotification,
)
from aqueduct_provider.spec.redactor import Redactor
from tests.support.receivers import HttpReceiver, SmtpReceiver, http_receiver, smtp_receiver

NOTICE = Notice(
    "warning",
    flow="churn <!channel>",
    flow_id="flow-id",
    dag_id="churn",
    version="version-id",
    run_id="run-1",
    task_id="low",
    check="less than 0.1",
    severity="warning",
    metric="{{ conn.hook.password }}",
    value=0.13,
    values=(0.08, 0.13),
    url="https://airflow.example.org/aqueduct/dags/churn/runs/run-1",
)
WEBHOOK = WebhookNotification(type="webhook", connection_id="hook")
SLACK = SlackNotification(type="slack", connection_id="ops", channel="#alerts")
EMAIL = EmailNotification(type="email", to=("ada@example.org", "bob@example.org"))


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def smtp() -> Iterator[SmtpReceiver]:
    with smtp_receiver() as receiver:
        yield receiver


def _connect(patch: pytest.MonkeyPatch, connection_id: str, **fields: Any) -> None:
    patch.setenv(f"AIRFLOW_CONN_{connection_id.upper()}", json.dumps(fields))


def _send(receiver: Notification, redact: Redactor | None = None) -> None:
    send(receiver, NOTICE, {}, redact or Redactor())


def test_a_webhook_gets_json_with_the_connections_credentials(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"{http.url}/hooks/a-long-and-secret-path"
    _connect(monkeypatch, "hook", conn_type="http", host=host, password="p4ssw0rd", extra={"X-Team": "ops"})
    redact = Redactor()
    _send(WEBHOOK, redact)
    (request,) = http.requests
    assert request.path == "/hooks/a-long-and-secret-path"
    assert request.headers["Authorization"] == "Bearer p4ssw0rd"
    assert request.headers["X-Team"] == "ops"
    assert request.document["event"] == "warning"
    assert request.document["metric"]["last_values"] == [0.08, 0.13]
    assert request.document["metric"]["name"] == "{{ conn.hook.password }}", "it is not a template"
    for text in (host, "hooks/a-long-and-secret-path", "p4ssw0rd"):
        assert redact(f"said {text}") == f"said {redact(text)}"
        assert text not in redact(f"said {text}")


def test_a_webhook_with_a_login_uses_basic_authentication(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect(monkeypatch, "hook", conn_type="http", host=http.url, login="ada", password="p4ssw0rd")
    _send(WEBHOOK)
    assert http.requests[0].headers["Authorization"] == f"Basic {base64.b64encode(b'ada:p4ssw0rd').decode()}"


def test_the_library_does_not_log_the_url(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    level = logging.getLogger("httpx").level
    _connect(monkeypatch, "hook", conn_type="http", host=f"{http.url}/short")
    _send(WEBHOOK)
    assert "/short" not in caplog.text
    assert logging.getLogger("httpx").level == level


def test_a_server_that_refuses_is_an_error_without_its_address(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.status = 403
    _connect(monkeypatch, "hook", conn_type="http", host=http.url)
    with pytest.raises(ConfigError, match="'hook' answered with 403 Forbidden") as caught:
        _send(WEBHOOK)
    assert http.url not in str(caught.value)


def test_a_server_that_is_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _connect(monkeypatch, "hook", conn_type="http", host="http://127.0.0.1:1/x")
    with pytest.raises(ConfigError, match="'hook' cannot be reached"):
        _send(WEBHOOK)


def test_slack_by_a_webhook_escapes_what_users_wrote(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect(monkeypatch, "ops", conn_type="slackwebhook", host=http.url, password="T0/B0/secret")
    _send(SLACK)
    (request,) = http.requests
    assert request.path == "/T0/B0/secret"
    text = request.document["text"]
    assert "churn &lt;!channel&gt;" in text
    assert "{{ conn.hook.password }} = 0.13 (must be less than 0.1)" in text
    assert "<https://airflow.example.org/aqueduct/dags/churn/runs/run-1|Open the run>" in text


def test_slack_by_its_api_goes_to_the_channel(http: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    _connect(monkeypatch, "ops", conn_type="slack", password="xoxb-1", extra={"base_url": f"{http.url}/api/"})
    # It answers as no Slack does; what was asked is what counts.
    with pytest.raises(Exception, match=r"."):
        _send(SLACK)
    (request,) = http.requests
    assert request.path == "/api/chat.postMessage"
    assert request.headers["Authorization"] == "Bearer xoxb-1"
    assert request.document["channel"] == "#alerts"


def test_a_mail_is_text_and_html(smtp: SmtpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True}
    _connect(monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=smtp.port, extra=extra)
    _send(EMAIL)
    (mail,) = smtp.mails
    assert (mail.sender, mail.to) == ("airflow@example.org", ["ada@example.org", "bob@example.org"])
    assert mail.message["Subject"].startswith("[warning] churn <!channel>: check ")
    text, page = mail.message.get_body(("plain",)), mail.message.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "Last values of {{ conn.hook.password }}: 0.08, 0.13" in text.get_content()
    assert "churn &lt;!channel&gt;" in page.get_content()


def test_a_mail_needs_a_sender(smtp: SmtpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"disable_ssl": True, "disable_tls": True}
    _connect(monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=smtp.port, extra=extra)
    with pytest.raises(ConfigError, match="'smtp_default' names no sender: add from_email"):
        _send(EMAIL)


@pytest.mark.parametrize("receiver", [SLACK, EMAIL, WEBHOOK])
def test_a_missing_connection_says_which_to_add(receiver: Notification) -> None:
    with pytest.raises(ConfigError, match=f"Airflow has no connection '{receiver.connection_id}'.*Add one"):
        _send(receiver)


def test_a_connection_of_another_kind_is_not_used(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect(monkeypatch, "hook", conn_type="postgres", host=http.url)
    with pytest.raises(ConfigError, match=r"'hook' is of type 'postgres'; .* must be of type http"):
        _send(WEBHOOK)
    assert not http.requests


@pytest.mark.parametrize(
    ("receiver", "module", "package"),
    [
        (SLACK, "airflow.providers.slack.notifications.slack_webhook", "apache-airflow-providers-slack"),
        (EMAIL, "airflow.providers.smtp.hooks.smtp", "apache-airflow-providers-smtp"),
    ],
)
def test_a_missing_provider_says_what_to_install(
    receiver: Notification, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn_type = "smtp" if receiver is EMAIL else "slackwebhook"
    _connect(monkeypatch, receiver.connection_id, conn_type=conn_type, host="127.0.0.1", password="T0/B0/x")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=f"pip install {package}"):
        _send(receiver)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "https://example.org/x"}, "https://example.org/x"),
        ({"host": "example.org"}, "http://example.org"),
        ({"host": "example.org", "schema": "https", "port": 8443}, "https://example.org:8443"),
        ({"host": "http://example.org/x", "port": 8080}, "http://example.org:8080/x"),
    ],
)
def test_the_url_of_a_connection_is_that_of_airflows_own_hook(fields: dict[str, Any], url: str) -> None:
    assert webhook_url(_fields(**fields)) == url


@pytest.mark.parametrize("fields", [{"host": None}, {"host": "ftp://x"}, {"host": "x", "schema": "hooks"}])
def test_a_connection_without_a_url_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="'hook' has no URL: give all of it as its host"):
        webhook_url(_fields(**fields))


class _Chat(BaseNotifier):
    """Stands for the notifier of another provider."""

    template_fields = ("message",)
    sent: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, *, chat_conn_id: str, message: str) -> None:
        super().__init__()
        self.chat_conn_id = chat_conn_id
        self.message = message

    def notify(self, context: Any) -> None:
        self.sent.append((self.chat_conn_id, self.message))


CHAT = NotifierNotification(type="notifier", notifier="team.chat.Chat", connection_id="room")


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was sent by a notifier that is installed, and whose connection is there."""
    for name in ("team", "team.chat"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(Chat=_Chat, Other=dict))
    _connect(monkeypatch, "room", conn_type="chat", host="https://chat/a-long-secret-path", password="s3cret")
    _Chat.sent.clear()
    return _Chat.sent


def _allow(patch: pytest.MonkeyPatch, rule: str) -> None:
    patch.setenv("AIRFLOW__AQUEDUCT__NOTIFIERS", rule)


def test_a_notifier_that_is_allowed_sends_the_message_as_it_is(
    chat: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow(monkeypatch, "team.chat.Chat chat_conn_id:chat message")
    redact = Redactor()
    _send(CHAT, redact)
    ((connection_id, message),) = chat
    assert connection_id == "room"
    assert message.startswith("[warning] churn <!channel>: check '{{ conn.hook.password }} less than 0.1'")
    assert redact("s3cret at chat/a-long-secret-path") == "*** at ***"
    assert name_of(CHAT) == "team.chat.Chat:room"


def test_a_notifier_that_nobody_has_allowed_is_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    _allow(monkeypatch, "team.chat.Other conn_id:chat text")
    monkeypatch.setitem(sys.modules, "team.chat", None)
    with pytest.raises(
        ConfigError, match=r"team\.chat\.Chat is not allowed on this Airflow: add it to the option"
    ):
        _send(CHAT)


@pytest.mark.parametrize(
    ("notifier", "rule", "problem"),
    [
        (
            "team.chat.Chat",
            "chat_conn_id:slack message",
            "'room' is of type 'chat'; .* must be of type slack",
        ),
        ("team.chat.Chat", "conn:chat message", "does not take conn and message"),
        ("team.chat.Other", "conn:chat message", "is not a notifier of Airflow"),
        ("team.chat.Gone", "conn:chat message", "is not installed in the worker's Python"),
        ("not_there.Chat", "conn:chat message", "is not installed in the worker's Python"),
    ],
)
def test_a_rule_that_does_not_fit_says_what_is_wrong(
    chat: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, notifier: str, rule: str, problem: str
) -> None:
    _allow(monkeypatch, f"{notifier} {rule}")
    with pytest.raises(ConfigError, match=problem):
        _send(CHAT.model_copy(update={"notifier": notifier}))
    assert not chat


def test_receivers_are_remembered_without_addresses() -> None:
    assert [name_of(one) for one in (SLACK, EMAIL, WEBHOOK)] == [
        "slack:ops",
        "email:smtp_default",
        "webhook:hook",
    ]


def _fields(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"conn_id": "hook", "schema": None, "port": None, **fields})
