"""Read the configuration of an S3 connector (Aqueduct formats, section 6) as ``S3Settings`` (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.storage.s3_client import S3Settings

# What each way of giving credentials needs.
_NEEDED = {
    "access_key": ("access_key_id", "secret_access_key"),
    "config_file_path": ("config_file_path",),
    "config_file_content": ("config_file_content",),
}
_WAYS = "access_key_id and secret_access_key, config_file_path, or config_file_content"


def connector_settings(connector: Mapping[str, Any], called: str = "S3", **requests: Any) -> S3Settings:
    """Return the settings in the configuration of an S3 connector, or of another that has its credentials.

    :param called: what error messages call the connector.
    :param requests: how requests are sent: retries, timeouts and connections of ``S3Settings``.
    :raises ConfigError: fields are missing or no text; names all of them.
    """
    kind = connector.get("type")
    if not kind:
        raise ConfigError(f"The {called} connector has no credentials: give {_WAYS}.")
    if kind not in _NEEDED:
        raise ConfigError(
            f"The {called} connector has type {kind!r}; it must be one of: {', '.join(_NEEDED)}."
        )
    needed = ("bucket", *_NEEDED[kind])
    fields = {
        name: connector.get(name) or ""
        for name in (*needed, "region", "root_dir", "config_file_profile", "session_token")
    }
    problems = [f"{name} is missing" for name in needed if not fields[name]]
    problems += [f"{name} must be text" for name, value in fields.items() if not isinstance(value, str)]
    if problems:
        count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
        raise ConfigError(
            f"The {called} connector of type {kind} has {count}: {'; '.join(sorted(problems))}."
        )
    return S3Settings(
        bucket=fields["bucket"],
        region=fields["region"],
        root_dir=fields["root_dir"],
        credentials_path=fields.get("config_file_path", ""),
        credentials_text=fields.get("config_file_content", ""),
        credentials_profile=fields["config_file_profile"] if kind != "access_key" else "",
        access_keys=(fields["access_key_id"], fields["secret_access_key"]) if kind == "access_key" else None,
        session_token=fields["session_token"],
        **requests,
    )
