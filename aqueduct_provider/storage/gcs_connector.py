"""Read the configuration of a GCS connector (Aqueduct formats, section 6) as ``GcsSettings`` (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aqueduct_provider.errors import ConfigError

_CREDENTIALS = "service_account_credentials"
# What a service account's key file has that signing a request needs.
_KEY_FIELDS = ("client_email", "private_key", "token_uri")


@dataclass(frozen=True)
class GcsSettings:
    """The location of a store and how to reach it.

    :param bucket: name, or ``gs://bucket/some/prefix``.
    :param root_dir: a further prefix.
    :param service_account: what a service account's key file holds; None: application default credentials.
    :param endpoint: URL of an emulator; empty: Google's. Without a service account, it gets no credentials.
    :param timeout: seconds, for a connection and between two pieces of an answer.
    :param retry_seconds: how long a request that fails is repeated.
    :param max_connections: objects that are moved at once.
    :param options: of ``connectors/google.py``.
    :param project: what requests name as project; empty: that of the credentials.
    """

    bucket: str
    root_dir: str = ""
    service_account: Mapping[str, Any] | None = field(default=None, repr=False)
    endpoint: str = ""
    timeout: float = 60.0
    retry_seconds: float = 60.0
    max_connections: int = 10
    options: Mapping[str, str] = field(default_factory=dict)
    project: str = ""


def connector_settings(connector: Mapping[str, Any], **requests: Any) -> GcsSettings:
    """Return the settings in the configuration of a GCS connector.

    :param requests: how requests are sent: ``timeout``, ``retry_seconds``, ``max_connections``.
    :raises ConfigError: fields are missing or of the wrong kind; names all of them, and shows no value.
    """
    fields = {name: connector.get(name) or "" for name in ("bucket", "root_dir", "endpoint", "project_id")}
    problems = [f"{name} must be text" for name, value in fields.items() if not isinstance(value, str)]
    if not fields["bucket"]:
        problems.append("bucket is missing")
    account = connector.get(_CREDENTIALS) or None
    if isinstance(account, str):
        account = _parsed(account)
    problems += _account_problems(account)
    if problems:
        count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
        raise ConfigError(f"The GCS connector has {count}: {'; '.join(sorted(problems))}.")
    return GcsSettings(
        fields["bucket"],
        fields["root_dir"],
        account,
        endpoint=fields["endpoint"],
        options=connector.get("options") or {},
        project=fields["project_id"],
        **requests,
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _account_problems(account: Any) -> list[str]:
    if account is None:
        return []
    if not isinstance(account, Mapping):
        return [f"{_CREDENTIALS} must be the JSON object of a service account's key file"]
    if account.get("type") != "service_account":
        return [f"{_CREDENTIALS} must have the type service_account"]
    return [
        f"{_CREDENTIALS} lacks {name}"
        for name in _KEY_FIELDS
        if not isinstance(account.get(name), str) or not account[name]
    ]
