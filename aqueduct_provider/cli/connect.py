"""Connected resources: connect, list, disconnect. Secrets are never arguments, which others could see."""

from __future__ import annotations

import getpass
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.shared_options import add_config, add_json, print_json, profile_of

# The fields of resources that are options, with what they mean; secrets are none.
_FIELDS = {
    "host": ("HOST", "Airflow: host:port or URL of its REST API; databases: their host"),
    "username": ("USER", "the user; the password is read from stdin, a variable or a prompt"),
    "connection_id": (
        "ID",
        "data systems: the Airflow connection by which runs reach it; Airflow: the one of type aqueduct by "
        "which workers reach the bucket, instead of a credentials file",
    ),
    "s3_credentials_path": ("FILE", "AWS credentials file on the Airflow machines"),
    "s3_credentials_profile": ("NAME", "profile in that file"),
    "dags_folder": ("DIR", "deliver specs into this folder of this machine, instead of the bucket"),
    "ca_file": ("FILE", "certificates to trust, PEM"),
    "python_versions": ("LIST", "Python versions of its workers, such as 3.11,3.12"),
    "url": ("URL", "of a data system, without a password: postgresql://user@host:5432/database"),
    "port": ("PORT", "of a database"),
    "database": ("NAME", "database; of SQLite the file; of BigQuery none"),
    "options": ("QUERY", "options of the driver, such as sslmode=require"),
    "account_identifier": ("NAME", "Snowflake"),
    "warehouse": ("NAME", "Snowflake"),
    "schema": ("NAME", "Snowflake; public"),
    "role": ("NAME", "Snowflake"),
    "project_id": ("NAME", "BigQuery"),
    "service_account_credentials_path": ("FILE", "JSON file of a Google service account on this machine"),
    "bucket": ("NAME", "S3, GCS; S3 without a bucket: the artifact store"),
    "root_dir": ("PREFIX", "S3: a prefix of every key"),
    "endpoint_url": ("URL", "S3-compatible stores"),
    "region": ("REGION", "S3, Athena"),
    "output_location": ("URL", "Athena: s3://... where it puts results"),
    "type": ("TYPE", "S3, Athena: access_key, config_file_path or config_file_content"),
    "access_key_id": ("ID", "S3, Athena; the secret key is read like a password"),
    "config_file_path": ("FILE", "S3, Athena: AWS credentials file on this machine"),
    "config_file_profile": ("NAME", "profile in it"),
}
_PATHS = ("dags_folder", "ca_file", "service_account_credentials_path", "config_file_path")
# Options that say that a secret is on stdin -> which one.
_ON_STDIN = {
    "password_stdin": "password",
    "token_stdin": "token",
    "url_stdin": "url",
    "secret_key_stdin": "secret_access_key",
    "credentials_stdin": "service_account_credentials",
}


# --- connect


def _connect_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the resource in flows")
    parser.add_argument("given", metavar="SERVICE", nargs="?", help="what it is; Airflow")
    parser.add_argument("--service", metavar="SERVICE", help="the same, such as Postgres or S3")
    for name, (metavar, help) in _FIELDS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, default="", help=help)
    secret = parser.add_mutually_exclusive_group()
    for option, field in _ON_STDIN.items():
        words = "a URL with its password" if field == "url" else f"the {field.replace('_', ' ')}"
        secret.add_argument(
            f"--{option.replace('_', '-')}", action="store_true", help=f"read {words} from stdin"
        )


def _connect(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.sdk.resources.services import service_of

    service = chosen.service or chosen.given or "Airflow"
    config = {name: value for name in _FIELDS if (value := getattr(chosen, name))}
    _check_url(config.get("url", ""))
    _check_options(chosen.name, config.get("options", ""))
    known = service_of(service)
    paths = (*_PATHS, "database") if known and known.name == "SQLite" else _PATHS
    for name in paths:
        if name in config and not config[name].startswith("~"):
            config[name] = str(Path(config[name]).absolute())
    secret = _secret(chosen, config, known.secrets if known else ())
    Client(config_path=chosen.config).connect_resource(chosen.name, service, {**config, **secret})
    return 0


def _check_url(url: str) -> None:
    if re.search(r"://[^@]*:[^@]*@", url):
        raise UsageError(
            "a password in --url could be seen by others on this machine: leave it out, it is asked for; or "
            "write the whole URL to stdin, with --url-stdin"
        )


def _check_options(resource: str, options: str) -> None:
    from aqueduct_provider.connectors.system import url_options
    from aqueduct_provider.sdk.resources.profile import variable_of
    from aqueduct_provider.spec.compiled_facts import is_secret_option

    if secrets := [name for name in url_options(options) if is_secret_option(name)]:
        raise UsageError(
            f"{', '.join(secrets)} in --options could be seen by others on this machine: give all options in"
            f" the variable {variable_of(resource, 'options')}"
        )


def _secret(chosen: Namespace, config: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Return the secret: from stdin, a variable, or whoever sits at the terminal.

    :param secrets: those that the service has.
    """
    from aqueduct_provider.sdk.resources.profile import variable_of

    for option, field in _ON_STDIN.items():
        if getattr(chosen, option):
            return {field: _from_stdin(field, option)}
    user = _user(config)
    wanted = [secret for secret in reversed(secrets) if secret != "password" or user]
    variables = {secret: variable_of(chosen.name, secret) for secret in wanted}
    for secret, variable in variables.items():
        if found := os.environ.get(variable):
            return {secret: found}
    if "password" not in wanted:
        return {}
    # Databases may let users in without one.
    needed = "token" in secrets
    if sys.stdin.isatty():
        password = _prompted("password", needed=needed)
        return {"password": password} if password else {}
    if needed:
        raise UsageError(
            f"the password of {user!r} is not known: give it with --password-stdin, or in the"
            f" variable {variables['password']}"
        )
    return {}


def _user(config: Mapping[str, str]) -> str:
    with suppress(ValueError):  # An invalid URL is reported later, when the fields are checked.
        return config.get("username") or urlsplit(config.get("url", "")).username or ""
    return ""


def _from_stdin(field: str, option: str) -> str:
    words = field.replace("_", " ")
    if sys.stdin.isatty():
        return _prompted(words)
    secret = sys.stdin.read().rstrip("\r\n")
    if not secret:
        raise UsageError(f"--{option.replace('_', '-')}: stdin is empty; write the {words} to it")
    return secret


def _prompted(kind: str, *, needed: bool = True) -> str:
    try:
        secret = getpass.getpass(f"{kind.capitalize()}: ")
    except EOFError:
        secret = ""
    if needed and not secret:
        raise UsageError(f"no {kind} was typed")
    return secret


# --- resources, disconnect


def _resources(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.resources.services import service_of
    from aqueduct_provider.sdk.resources.urls import public_options

    profile = profile_of(chosen)
    found: list[dict[str, Any]] = []
    for name, word in profile.services().items():
        service, fields = service_of(word), profile.resource(name).fields
        secrets, known = (service.secrets, service.fields) if service else ((), ())
        login = next((kind for kind in reversed(secrets) if kind in fields), None)
        public = {key: fields.get(key) for key in known if key not in (*secrets, "url")}
        if options := public.get("options"):
            public["options"] = public_options(options)
        if "python_versions" in public:
            public["python_versions"] = [one for one in fields.get("python_versions", "").split(",") if one]
        found.append({"name": name, "service": word, **public, "login": login})
    if chosen.json:
        print_json(found)
        return 0
    from aqueduct_provider.sdk.console import console, plain_table

    rows = [[_cell(one, key) for key in ("name", "service", "host", "username", "login")] for one in found]
    nothing = "No resource is connected. aqueduct-airflow connect NAME --host ... does it."
    columns = ("resource", "service", "host", "user", "login")
    console().print(plain_table(columns, rows) if rows else nothing)
    return 0


def _cell(resource: dict[str, Any], column: str) -> Any:
    if column != "host":
        return resource.get(column)
    places = ("host", "account_identifier", "project_id", "bucket", "database")
    return next((place for name in places if (place := resource.get(name))), None)


def _disconnect_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the resource")


def _disconnect(chosen: Namespace) -> int:
    profile_of(chosen).delete_resource(chosen.name)
    print(f"Disconnected {chosen.name!r}. Flows that were published with it go on.")
    return 0


SUBCOMMANDS = {
    "connect": Subcommand(_connect, (_connect_arguments, add_config)),
    "resources": Subcommand(_resources, (add_json, add_config)),
    "disconnect": Subcommand(_disconnect, (_disconnect_arguments, add_config)),
}
