"""Who is notified when a check or a flow changes its state: Slack, mail, a webhook, or another notifier.

In: ids of Airflow connections and addresses. Out: the parts of the spec that name them. No secret is given
here: tokens and URLs of webhooks are in the connections, which whoever runs Airflow makes.

::

    client.publish_flow("churn", artifacts=[model], notify=[aq.notify.slack("ops", on="warning")])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.keywords import suggest_keywords
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.conditions import (
    ADDRESS_PATTERN,
    CLASS_PATTERN,
    CONDITIONS,
    CONNECTION_PATTERN,
    MAX_ADDRESSES,
    MAX_NOTIFICATIONS,
    Condition,
)

__all__ = ["email", "notifier", "slack", "webhook"]

# What ``on`` takes: one condition, or several.
On = str | Iterable[str] | None


@dataclass(frozen=True)
class Receiver:
    """One that is notified: made by :func:`slack`, :func:`email`, :func:`webhook` and
    :func:`notifier`.

    :param place: the fields of the spec that say where it is.
    :param on: when it is notified; None: whenever the state changes.
    """

    place: Mapping[str, Any]
    on: tuple[Condition, ...] | None

    def part(self, on: Sequence[Condition] = ()) -> dict[str, Any]:
        """Return the part of the spec.

        :param on: when it is notified, where its user said so elsewhere.
        """
        return {**self.place, "on": list(on or self.on or CONDITIONS)}


Receivers = Receiver | Iterable[Receiver] | None


@suggest_keywords
def slack(conn: str, on: On = None, channel: str = "") -> Receiver:
    """Tell a channel of Slack.

    :param conn: id of an Airflow connection of type ``slackwebhook`` (Slack Incoming Webhook), or ``slack``
        (Slack API).
    :param on: one or several of ``"warning"``, ``"failure"`` and ``"recovery"``; None: all.
    :param channel: for connections of type ``slack``, such as ``"#alerts"``; empty: ``#general``.
    :raises AuthoringError: an argument cannot be used.
    """
    if not isinstance(channel, str):
        raise AuthoringError(f"notify.slack: channel must be text such as '#alerts', not {channel!r}.")
    place = {"type": "slack", "connection_id": _connection("slack", conn)}
    return Receiver(place | ({"channel": channel} if channel else {}), _conditions("notify.slack", on))


@suggest_keywords
def email(to: str | Iterable[str], conn: str = "smtp_default", on: On = None) -> Receiver:
    """Send a mail.

    :param to: one address, or several.
    :param conn: id of an Airflow connection of type ``smtp``.
    :param on: as for :func:`slack`.
    :raises AuthoringError: an argument cannot be used.
    """
    place = {"type": "email", "connection_id": _connection("email", conn), "to": _addresses(to)}
    return Receiver(place, _conditions("notify.email", on))


@suggest_keywords
def webhook(conn: str, on: On = None) -> Receiver:
    """Send JSON to a URL, by a POST request; ``docs/notifications.md`` has its fields.

    :param conn: id of an Airflow connection of type ``http``: its host is the URL.
    :param on: as for :func:`slack`.
    :raises AuthoringError: an argument cannot be used.
    """
    place = {"type": "webhook", "connection_id": _connection("webhook", conn)}
    return Receiver(place, _conditions("notify.webhook", on))


@suggest_keywords
def notifier(path: str, conn: str, on: On = None) -> Receiver:
    """Send text by any notifier of Airflow that whoever runs Airflow allows.

    :param path: module and class, such as ``"my.module.Notifier"``;
        the option ``notifiers`` in the section ``[aqueduct]`` of ``airflow.cfg`` must name it.
    :param conn: id of an Airflow connection of the type that this option says.
    :param on: as for :func:`slack`.
    :raises AuthoringError: an argument cannot be used.
    """
    if not isinstance(path, str) or not re.fullmatch(CLASS_PATTERN, path) or len(path) > 200:
        raise AuthoringError(
            f"notify.notifier: path must be a module and a class, such as 'my.module.Notifier', not {path!r}."
        )
    place = {"type": "notifier", "notifier": path, "connection_id": _connection("notifier", conn)}
    return Receiver(place, _conditions("notify.notifier", on))


def notifications_of(where: str, notify: Receivers) -> tuple[Mapping[str, Any], ...]:
    """Return the part of the spec that says who is notified of a flow.

    :param where: begins every error.
    :raises AuthoringError: something else was given.
    """
    found = tuple(one.part() for one in _receivers(f"{where}: notify", notify))
    return _few(where, found)


def check_notifications(
    where: str, on_warning: Receivers, on_failure: Receivers, on_recovery: Receivers
) -> tuple[Mapping[str, Any], ...]:
    """Return the part of the spec that says who is notified of a check, beyond the flow's.

    :param where: begins every error.
    :raises AuthoringError: something else was given.
    """
    given: dict[Condition, Receivers] = {
        "warning": on_warning,
        "failure": on_failure,
        "recovery": on_recovery,
    }
    found = []
    for condition, receivers in given.items():
        argument = f"{where}: on_{condition}"
        for one in _receivers(argument, receivers):
            if one.on is not None:
                raise AuthoringError(
                    f"{argument} says itself when notify.{one.place['type']} is sent: leave its on=... out."
                )
            found.append(one.part([condition]))
    return _few(where, tuple(found))


def _receivers(argument: str, given: Any) -> tuple[Receiver, ...]:
    if given is None:
        return ()
    items = (given,) if isinstance(given, (Receiver, str)) or callable(given) else given
    if not isinstance(items, Iterable):
        items = (items,)
    receivers = tuple(items)
    for one in receivers:
        if not isinstance(one, Receiver):
            raise AuthoringError(
                f"{argument} takes what aq.notify.slack(...), aq.notify.email(...), aq.notify.webhook(...) "
                f"and aq.notify.notifier(...) return, one or a list of them, not {type(one).__name__}."
            )
    return receivers


def _few(where: str, found: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    if len(found) > MAX_NOTIFICATIONS:
        raise AuthoringError(f"{where}: {len(found)} notifications are more than {MAX_NOTIFICATIONS}.")
    return found


def _connection(kind: str, given: Any) -> str:
    if isinstance(given, str) and "://" in given:
        # It is not repeated: URLs of webhooks are secret.
        raise AuthoringError(
            f"notify.{kind}: conn is the id of an Airflow connection, not a URL, which may hold a secret. "
            "Put the URL into a connection, under Admin > Connections, and give its id."
        )
    if not isinstance(given, str) or not re.fullmatch(CONNECTION_PATTERN, given) or len(given) > 200:
        raise AuthoringError(
            f"notify.{kind}: conn must be the id of an Airflow connection, such as 'ops', not {given!r}."
        )
    return given


def _conditions(where: str, on: Any) -> tuple[Condition, ...] | None:
    if on is None:
        return None
    given = [on] if isinstance(on, str) else list(on) if isinstance(on, Iterable) else [on]
    if not given:
        raise AuthoringError(f"{where}: on is empty; name one of {_named()}, or leave it out for all.")
    for one in given:
        if one not in CONDITIONS:
            hint = suggestion(one, CONDITIONS) if isinstance(one, str) else ""
            raise AuthoringError(f"{where}: on is one or several of {_named()}, not {one!r}.{hint}")
    return tuple(one for one in CONDITIONS if one in given)


def _named() -> str:
    return ", ".join(map(repr, CONDITIONS))


def _addresses(to: Any) -> list[str]:
    given = [to] if isinstance(to, str) else list(to) if isinstance(to, Iterable) else [to]
    if not 0 < len(given) <= MAX_ADDRESSES:
        amount = f"{len(given)} addresses" if given else "no address"
        raise AuthoringError(f"notify.email: to has {amount}; give 1 to {MAX_ADDRESSES}.")
    for one in given:
        if not isinstance(one, str) or not re.fullmatch(ADDRESS_PATTERN, one):
            raise AuthoringError(
                f"notify.email: to must be mail addresses such as 'team@example.org', not {one!r}."
            )
    return list(dict.fromkeys(given))
