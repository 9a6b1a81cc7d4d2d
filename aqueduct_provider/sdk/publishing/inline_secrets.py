"""Secrets that would end in a spec or an archive, which many people may read (pure).

Messages name the place, never the secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import OperatorNode

# Names of credentials, not of the files and profiles where they lie.
_SECRET_FIELD = re.compile(r"secret|password|token|access_key(?!.*(path|profile))", re.IGNORECASE)
# The part of a URL before the host: user, user:password, or a token alone.
_USER_INFO = re.compile(r"(?P<scheme>[\w+.-]+)://(?P<user>[^\s/?#@:]*)(?::(?P<password>[^\s/?#]*))?@")
# Filled in by the worker from its own environment.
_VARIABLE = re.compile(r"\$\{\w+\}")


def refuse_secrets(artifact_store: Mapping[str, Any], operators: Iterable[OperatorNode]) -> None:
    """Raises ``AuthoringError`` when the store's description or a requirement holds credentials."""
    for field, value in artifact_store.items():
        if (_SECRET_FIELD.search(field) and value) or (isinstance(value, str) and has_credentials(value)):
            raise AuthoringError(
                f"The artifact store's {field} holds credentials, and a spec is read by many. Name an AWS "
                "credentials file on the worker (s3_credentials_path) or an Airflow connection "
                "(connection_id) in the resource."
            )
    for operator in operators:
        for line in operator.function.requirements if operator.function else ():
            if has_credentials(line):
                raise AuthoringError(
                    f"A requirement of {operator.name!r} holds credentials: {without_credentials(line)}. "
                    "Write the URL without them; they belong to the worker, such as in its netrc file."
                )


def has_credentials(text: str) -> bool:
    """Whether a URL in ``text`` holds a password or a token."""
    return any(map(_is_secret, _USER_INFO.finditer(text)))


def without_credentials(text: str) -> str:
    """``text`` with ``***`` in place of the user and password of each URL that holds a secret."""
    return _USER_INFO.sub(lambda found: f"{found['scheme']}://***@" if _is_secret(found) else found[0], text)


def _is_secret(found: re.Match[str]) -> bool:
    if found["password"] is not None:
        return bool(_VARIABLE.sub("", found["password"]))
    # A lone user name is needed for SSH and means a token elsewhere.
    return not found["scheme"].endswith("ssh") and bool(_VARIABLE.sub("", found["user"]))
