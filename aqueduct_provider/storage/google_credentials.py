"""Credentials for Google's services, with the options that Google's connections of Airflow have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from aqueduct_provider.errors import ConfigError


def google_credentials(
    account: Mapping[str, Any] | None, options: Mapping[str, str], scopes: Sequence[str]
) -> tuple[Any, str | None]:
    """Return credentials, and the project that comes with them.

    :param account: what a service account's key file holds; None: application default credentials.
    :param options: of ``connectors/google.py``.
    :param scopes: those that are asked for where the options name none.
    :raises ConfigError: the options do not fit the credentials.
    :raises ValueError: the account's key is not a key. Its message may quote the key.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.oauth2.service_account import Credentials

    if options.get("is_anonymous", "").lower() in ("true", "1"):
        return AnonymousCredentials(), None
    scopes = names_in(options.get("scope", "")) or list(scopes)
    found: Any
    if account is None:
        found, project = google.auth.default(scopes=scopes)
    else:
        found, project = (
            Credentials.from_service_account_info(account, scopes=scopes),
            account.get("project_id"),
        )
    return _for_quota(_impersonated(found, options, scopes), options), project


def _impersonated(source: Any, options: Mapping[str, str], scopes: Sequence[str]) -> Any:
    from google.auth.impersonated_credentials import Credentials

    *delegates, target = [*names_in(options.get("impersonation_chain", ""))] or [""]
    if not target:
        return source
    return Credentials(source, target_principal=target, target_scopes=list(scopes), delegates=delegates)


def _for_quota(credentials: Any, options: Mapping[str, str]) -> Any:
    project = options.get("quota_project_id", "")
    if not project:
        return credentials
    if not hasattr(credentials, "with_quota_project"):
        raise ConfigError(
            "quota_project_id cannot be used with these Google credentials: remove it from the connection."
        )
    return credentials.with_quota_project(project)


def limited(retry: Any, options: Mapping[str, str]) -> Any:
    """Return a retry for one call that also ends after ``num_retries``.

    :param retry: of google-api-core.
    :raises ConfigError: the option is not a number.
    """
    text = options.get("num_retries", "")
    if not text:
        return retry
    if not text.isdecimal():
        raise ConfigError(f"num_retries is {text!r}: it must be a number of retries, such as 5.")
    is_passing, failures, most = retry._predicate, count(1), int(text)
    return retry.with_predicate(lambda error: is_passing(error) and next(failures) <= most)


def names_in(text: str) -> list[str]:
    """Return the names in a list that is separated by commas, or in JSON."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    names = found if isinstance(found, list) else text.split(",")
    return [name for one in names if (name := str(one).strip())]
