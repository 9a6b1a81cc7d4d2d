"""Who is notified when a check or a flow changes its state: a part of the native spec.

It names Airflow connections, addresses and conditions. What opens a door, such as the URL of a webhook, is in
the connection and never in the spec.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aqueduct_provider.spec.conditions import (
    ADDRESS_PATTERN,
    CLASS_PATTERN,
    CONDITIONS,
    CONNECTION_PATTERN,
    MAX_ADDRESSES,
    MAX_NOTIFICATIONS,
    Condition,
)
from aqueduct_provider.spec.types import Model

_ConnectionId = Annotated[
    str, Field(max_length=200, pattern=CONNECTION_PATTERN, description="Id of the Airflow connection.")
]
_On = Annotated[
    tuple[Condition, ...],
    Field(
        min_length=1,
        max_length=len(CONDITIONS),
        description="warning: a check of severity warning does not pass any more; failure: a check of "
        "severity error does not, or the flow fails; recovery: it passes or succeeds again.",
    ),
]


class SlackNotification(Model):
    """A message to a channel of Slack."""

    type: Literal["slack"]
    connection_id: _ConnectionId
    channel: str = Field(
        "",
        max_length=200,
        description="For connections of type slack: the channel; those of type slackwebhook have their own.",
    )
    on: _On = CONDITIONS


class EmailNotification(Model):
    """A mail, as text and as HTML."""

    type: Literal["email"]
    connection_id: _ConnectionId = "smtp_default"
    to: Annotated[
        tuple[Annotated[str, Field(max_length=320, pattern=ADDRESS_PATTERN)], ...],
        Field(min_length=1, max_length=MAX_ADDRESSES, description="Addresses."),
    ]
    on: _On = CONDITIONS


class WebhookNotification(Model):
    """A POST request with JSON; docs/notifications.md has its fields."""

    type: Literal["webhook"]
    connection_id: _ConnectionId
    on: _On = CONDITIONS


class NotifierNotification(Model):
    """A message by a notifier of Airflow that the option ``notifiers`` in ``airflow.cfg`` allows."""

    type: Literal["notifier"]
    notifier: str = Field(max_length=200, pattern=CLASS_PATTERN, description="Module and class.")
    connection_id: _ConnectionId
    on: _On = CONDITIONS


Notification = Annotated[
    SlackNotification | EmailNotification | WebhookNotification | NotifierNotification,
    Field(discriminator="type"),
]
Notifications = Annotated[tuple[Notification, ...], Field(max_length=MAX_NOTIFICATIONS)]
