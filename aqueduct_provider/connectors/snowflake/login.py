"""Log in to Snowflake with a password, a private key or a token, and check the other options.

The options are those of Airflow's Snowflake connections and of Snowflake's own connector.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping
from typing import Any

from aqueduct_provider.errors import ConfigError, DataSystemLoginFailed

# Airflow's, which the driver calls otherwise.
_KEY_TEXT, _KEY_FILE, _INSECURE = "private_key_content", "private_key_file", "insecure_mode"
_PHRASES = ("private_key_passphrase", "private_key_file_pwd")
_TOKEN_LOGIN = "programmatic_access_token"


def refuse_unknown(connector: str, options: Mapping[str, Any]) -> None:
    """Raise ``ConfigError`` for an option that the driver would ignore."""
    from snowflake.connector.connection import DEFAULT_CONFIGURATION

    known = (*DEFAULT_CONFIGURATION, _KEY_TEXT, _INSECURE, "private_key_passphrase")
    unknown = [name for name in options if name not in known]
    if unknown:
        found = {name: difflib.get_close_matches(name, known, n=1) for name in unknown}
        hints = [
            f"{name} is unknown" + (f", did you mean {close[0]!r}?" if close else "")
            for name, close in found.items()
        ]
        raise ConfigError(f"The options of {connector}: {'; '.join(hints)}. Correct or remove them.")


def session_parameters(what: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of the session. Raises ``ConfigError`` when they are not an object."""
    given = options.get("session_parameters") or {}
    if not isinstance(given, Mapping):
        raise ConfigError(f'{what}: session_parameters must be a JSON object such as {{"QUERY_TAG": "x"}}.')
    return given


def login_of(what: str, password: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the driver's settings for the login, and take those of Airflow out of the options.

    :param what: what errors call the database.
    :param password: with a private key, its passphrase.
    :raises ConfigError: options contradict each other.
    :raises DataSystemLoginFailed: the key is not a key.
    """
    text, file = options.pop(_KEY_TEXT, ""), options.get(_KEY_FILE, "")
    insecure = options.pop(_INSECURE, False)
    # As they were typed: a phrase of digits is text.
    phrase = next((str(found) for name in _PHRASES if (found := options.pop(name, ""))), password)
    login: dict[str, Any] = {"disable_ocsp_checks": True} if insecure else {}
    if text and file:
        raise ConfigError(f"{what}: {_KEY_TEXT} and {_KEY_FILE} are both given. Remove one of them.")
    if text:
        return {**login, "private_key": _key(what, str(text), phrase)}
    if file:
        return {**login, **({"private_key_file_pwd": phrase} if phrase else {})}
    if str(options.get("authenticator", "")).lower() == _TOKEN_LOGIN and password:
        login["token"] = password
    return {**login, "password": password}


def _key(what: str, text: str, phrase: str) -> bytes:
    from cryptography.hazmat.primitives import serialization

    try:
        pem = text.encode() if "-----BEGIN" in text else base64.b64decode(text, validate=True)
        key = serialization.load_pem_private_key(pem, phrase.encode() if phrase else None)
        return key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    except (ValueError, TypeError):
        # Not `from error`: it may show what the key holds.
        raise DataSystemLoginFailed(
            f"{what}: {_KEY_TEXT} is not a private key in PEM form, or its passphrase, the password of the"
            " connection, is wrong, missing or not needed. Correct them."
        ) from None
