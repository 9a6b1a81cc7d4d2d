"""Send one message to one receiver, by the notifiers of Airflow's providers and by two of our own.

In: a receiver of the spec and a notice whose secrets are masked. Out: a message to Slack, a mail, a request.
Notifiers are not called but asked to ``notify``: called, they would take what users wrote for Jinja
templates, which can read connections.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aqueduct_provider import config
from aqueduct_provider.compat import AirflowNotFoundException, BaseHook, BaseNotifier
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.hooks.connections import mask, missing_connection
from aqueduct_provider.runs.notice import Notice, html_page, plain, slack_text, title, to_document
from aqueduct_provider.spec.compiled_facts import secrets_inside
from aqueduct_provider.spec.notifications import (
    EmailNotification,
    Notification,
    NotifierNotification,
    SlackNotification,
)
from aqueduct_provider.spec.redactor import Redactor

# Seconds that a server may take to answer.
TIMEOUT = 5
# Paths of URLs with fewer characters hold no token.
_TOKEN = 16
_TYPES: Mapping[str, Sequence[str]] = {
    "slack": ("slackwebhook", "slack"),
    "email": ("smtp",),
    "webhook": ("http",),
}
_SLACK = "apache-airflow-providers-slack"
_SMTP = "apache-airflow-providers-smtp"


class WebhookNotifier(BaseNotifier):
    """Send JSON to the URL of a connection, by a POST request.

    :param http_conn_id: id of an Airflow connection of type ``http``: its host is the URL; its password is
        sent as a bearer token, or, with a login, by basic authentication; its extra are further headers.
    :param document: the JSON.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, http_conn_id: str, document: Mapping[str, Any]) -> None:
        super().__init__()
        self.http_conn_id = http_conn_id
        self.document = document

    def notify(self, context: Any) -> None:  # noqa: ARG002 (Airflow gives it)
        """Send it.

        :raises ConfigError: the connection is not there, or has no usable URL.
        """
        import httpx

        connection = _connection(self.http_conn_id, _TYPES["webhook"])
        url = webhook_url(connection)
        headers = {name: str(value) for name, value in _extra(connection).items()}
        auth = None
        if connection.password and connection.login:
            auth = (connection.login, connection.password)
        elif connection.password:
            headers["Authorization"] = f"Bearer {connection.password}"
        # It logs each URL, which may hold a token.
        logger = logging.getLogger("httpx")
        level, was = max(logger.level, logging.WARNING), logger.level
        logger.setLevel(level)
        try:
            answer = httpx.post(url, json=self.document, headers=headers, auth=auth, timeout=TIMEOUT)
        except httpx.InvalidURL as error:
            raise ConfigError(f"The host of the connection {self.http_conn_id!r} is not a URL.") from error
        except httpx.HTTPError as error:
            raise ConfigError(
                f"The server of the connection {self.http_conn_id!r} cannot be reached: {error}."
            ) from error
        finally:
            logger.setLevel(was)
        if not answer.is_success:
            raise ConfigError(
                f"The server of the connection {self.http_conn_id!r} answered with {answer.status_code} "
                f"{answer.reason_phrase}."
            )


class MailNotifier(BaseNotifier):
    """Send a mail that is text and HTML; the provider's own notifier sends HTML alone.

    :param smtp_conn_id: id of an Airflow connection of type ``smtp``.
    :param to: addresses.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, smtp_conn_id: str, to: Sequence[str], subject: str, text: str, page: str) -> None:
        super().__init__()
        self.smtp_conn_id = smtp_conn_id
        self.to = to
        self.subject = subject
        self.text = text
        self.page = page

    def notify(self, context: Any) -> None:  # noqa: ARG002 (Airflow gives it)
        """Send it.

        :raises ConfigError: the provider is not installed, or the connection has no sender.
        """
        from email.message import EmailMessage
        from email.policy import SMTP
        from email.utils import localtime, make_msgid

        SmtpHook = _from_provider("airflow.providers.smtp.hooks.smtp", "SmtpHook", _SMTP)
        with SmtpHook(smtp_conn_id=self.smtp_conn_id) as hook:
            if not (sender := hook.from_email):
                raise ConfigError(
                    f"The Airflow connection {self.smtp_conn_id!r} names no sender: add from_email to its "
                    "extra."
                )
            mail = EmailMessage(SMTP)
            mail["Subject"], mail["From"], mail["To"] = self.subject, sender, ", ".join(self.to)
            mail["Date"], mail["Message-ID"] = localtime(), make_msgid(domain="aqueduct.invalid")
            mail.set_content(self.text)
            mail.add_alternative(self.page, subtype="html")
            # Its older releases call it otherwise.
            client = getattr(hook, "_smtp_client", None) or hook.smtp_client
            client.send_message(mail, sender, list(self.to))


def send(receiver: Notification, notice: Notice, context: Any, redact: Redactor) -> None:
    """Send a message to one receiver.

    :param notice: its secrets are masked.
    :param context: Airflow's, of the task that sends it.
    :param redact: learns the secrets of the connection.
    :raises ConfigError: a provider or a connection is missing or wrong.
    :raises Exception: what the provider's library raises.
    """
    if isinstance(receiver, NotifierNotification):
        rule = _rule(receiver)
        _connection(receiver.connection_id, [rule.connection_type], redact)
        _allowed(rule, receiver.connection_id, plain(notice)).notify(context)
        return
    connection = _connection(receiver.connection_id, _TYPES[receiver.type], redact)
    _notifier(receiver, notice, connection.conn_type).notify(context)


def name_of(receiver: Notification) -> str:
    """Return what a receiver is remembered by: without addresses, whose number may be large."""
    return f"{kind_of(receiver)}:{receiver.connection_id}"


def kind_of(receiver: Notification) -> str:
    """Return what a receiver is: ``slack``, or the class of a notifier."""
    return receiver.notifier if isinstance(receiver, NotifierNotification) else receiver.type


def _rule(receiver: NotifierNotification) -> config.NotifierRule:
    """Return the rule that allows a notifier: whoever publishes must not decide which code runs here.

    :raises ConfigError: there is none.
    """
    rule = config.notifiers().get(receiver.notifier)
    if rule is None:
        raise ConfigError(
            f"The notifier {receiver.notifier} is not allowed on this Airflow: add it to the option "
            f"notifiers in the section [{config.SECTION}] of airflow.cfg, or use Slack, a mail or a "
            "webhook."
        )
    return rule


def _allowed(rule: config.NotifierRule, connection_id: str, text: str) -> BaseNotifier:
    """Make the notifier of a rule. Raise ``ConfigError`` where that does not work."""
    from importlib import import_module

    module, _, name = rule.path.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"The notifier {rule.path} is not installed in the worker's Python ({error})."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, BaseNotifier)):
        raise ConfigError(f"{rule.path}, which the option notifiers names, is not a notifier of Airflow.")
    try:
        return kind(**{rule.argument: connection_id, rule.text: text})
    except TypeError as error:
        raise ConfigError(
            f"The notifier {rule.path} does not take {rule.argument} and {rule.text}, as the option "
            f"notifiers says: {error}."
        ) from error


def webhook_url(connection: Any) -> str:
    """Return the URL of a connection of type ``http``, built as Airflow's own hook does.

    :raises ConfigError: it has none that can be used.
    """
    host = (connection.host or "").strip()
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}" if host else ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} has no URL: give all of it as its host, such as "
            "https://example.org/hooks/aqueduct."
        )
    if connection.port and parts.port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return parts.geturl()


def _notifier(receiver: Notification, notice: Notice, conn_type: str) -> Any:
    if isinstance(receiver, EmailNotification):
        return MailNotifier(
            smtp_conn_id=receiver.connection_id,
            to=receiver.to,
            subject=title(notice),
            text=plain(notice),
            page=html_page(notice),
        )
    if not isinstance(receiver, SlackNotification):
        return WebhookNotifier(http_conn_id=receiver.connection_id, document=to_document(notice))
    given: dict[str, Any] = {"text": slack_text(notice), "timeout": TIMEOUT}
    package = "airflow.providers.slack.notifications"
    if conn_type == "slack":
        SlackNotifier = _from_provider(f"{package}.slack", "SlackNotifier", _SLACK)
        given |= {"channel": receiver.channel} if receiver.channel else {}
        return SlackNotifier(slack_conn_id=receiver.connection_id, **given)
    SlackWebhookNotifier = _from_provider(f"{package}.slack_webhook", "SlackWebhookNotifier", _SLACK)
    return SlackWebhookNotifier(slack_webhook_conn_id=receiver.connection_id, **given)


def _from_provider(module: str, name: str, package: str) -> Callable[..., Any]:
    from importlib import import_module

    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"This needs a provider that the worker's Python does not have: pip install {package}."
        ) from error
    return found


def _connection(connection_id: str, types: Sequence[str], redact: Redactor | None = None) -> Any:
    """Return a connection, whose secrets are masked from then on.

    :raises ConfigError: it is not there, or of another type: others are not for messages.
    """
    wanted = " or ".join(types)
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        raise missing_connection(connection_id, types, ", to which the flow sends notifications") from error
    if connection.conn_type not in types:
        raise ConfigError(
            f"The Airflow connection {connection_id!r} is of type {connection.conn_type!r}; for these "
            f"notifications it must be of type {wanted}."
        )
    mask(_secrets(connection), redact or Redactor())
    return connection


def _secrets(connection: Any) -> list[str]:
    """Return what must not be shown of a connection: its password, its extra, and where its URL leads.

    A host alone is not secret, nor is a short path; with them, every page of Airflow's would be masked.
    """
    found = [connection.password or "", *secrets_inside(connection.extra or "")]
    # Those of Slack and of mails have theirs in the password and the extra.
    if connection.conn_type not in ("slack", "slackwebhook", "smtp"):
        found += map(str, _extra(connection).values())
        host, _, path = (connection.host or "").rpartition("://")[2].partition("/")
        found += [f"{host}/{path}", path] if len(path) >= _TOKEN else []
    return [secret for secret in found if secret]


def _extra(connection: Any) -> dict[str, Any]:
    try:
        extra = json.loads(connection.extra or "{}")
    except (ValueError, RecursionError):
        extra = {}
    return extra if isinstance(extra, dict) else {}
