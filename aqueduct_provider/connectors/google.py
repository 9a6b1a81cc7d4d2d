"""Declare what the systems of Google Cloud share: their options, and how a connection leads to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aqueduct_provider.connectors.system import AirflowConnection, Config, DataSystem, Extra, option_text
from aqueduct_provider.errors import ConfigError

KEYS = "service_account_credentials"
# Options of a connection that say how its requests are signed and repeated; the values are text.
GOOGLE_OPTIONS = ("impersonation_chain", "is_anonymous", "num_retries", "quota_project_id", "scope")

_KEYFILE = "put the key itself into keyfile_dict, such as by a secrets backend of Airflow"
_ADC = "let the variable GOOGLE_APPLICATION_CREDENTIALS of the workers name that file, and give no key"
_OTHER_CREDENTIALS = (
    *("credential_config_file", "idp_issuer_url", "client_id", "client_secret"),
    *("idp_extra_parameters", "idp_extra_params"),
)
REFUSED = {
    **dict.fromkeys(("key_secret_name", "key_secret_project_id"), _KEYFILE),
    **dict.fromkeys(_OTHER_CREDENTIALS, _ADC),
}
FIELDS = {
    **dict.fromkeys(("project", "project_id"), "project_id"),
    **dict.fromkeys(("keyfile_dict", "key_path", "keyfile_path"), KEYS),
}
PREFIX = "extra__google_cloud_platform__"


class GoogleSystem(DataSystem):
    """A system that a service account's key opens."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        config = {name: str(value) for name, value in extra.fields.items() if name != KEYS}
        path = extra.plain.get("key_path") or extra.plain.get("keyfile_path")
        keys = extra.plain.get("keyfile_dict") or _file(connection, path)
        return {"project_id": "", "bucket": "", **config, KEYS: option_text(keys), **extra.option_field}


def _file(connection: AirflowConnection, path: Any) -> str:
    """Read a file on this worker that the extra names as Google's hook does; empty: it names none."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8") if path else ""
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} names a key file that this worker cannot read: "
            f"{error}."
        ) from error
