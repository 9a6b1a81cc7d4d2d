"""Connected resources: connect, list, disconnect. Secrets are never arguments, which others could see.

Must not import at module level: the SDK, rich.
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.options import add_config, add_json, print_json, profile_of

# The fields of a resource that are options.
_FIELDS = {
    "host": ("HOST", "host:port or URL of its REST API"),
    "username": ("USER", "user of Airflow; the password is read from stdin, a variable or a prompt"),
    "s3_credentials_path": ("FILE", "AWS credentials file on the Airflow machines"),
    "s3_credentials_profile": ("NAME", "profile in that file"),
    "connection_id": ("ID", "Airflow connection of type aqueduct, instead of a credentials file"),
    "dags_folder": ("DIR", "deliver specs into this folder of this machine, instead of the bucket"),
    "ca_file": ("FILE", "certificates to trust, PEM"),
    "python_versions": ("LIST", "Python versions of its workers, such as 3.11,3.12"),
}
_PATHS = ("dags_folder", "ca_file")


# --- connect


def _connect_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what flows are to call the resource")
    parser.add_argument(
        "service", metavar="SERVICE", nargs="?", default="Airflow", help="what it is; Airflow"
    )
    for name, (metavar, help) in _FIELDS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, metavar=metavar, default="", required=name == "host", help=help)
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password from stdin")
    secret.add_argument("--token-stdin", action="store_true", help="read a bearer token from stdin")
    add_config(parser)


def _connect(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.client import Client

    config = {name: value for name in _FIELDS if (value := getattr(chosen, name))}
    for name in _PATHS:
        if name in config and not config[name].startswith("~"):
            config[name] = str(Path(config[name]).absolute())
    Client(config_path=chosen.config).connect_resource(
        chosen.name, chosen.service, {**config, **_secret(chosen)}
    )
    return 0


def _secret(chosen: Namespace) -> dict[str, str]:
    """The password or the token: from stdin, a variable, or whoever sits at the terminal."""
    from aqueduct_provider.sdk.resources.profile import variable_of

    if chosen.password_stdin or chosen.token_stdin:
        kind = "password" if chosen.password_stdin else "token"
        return {kind: _from_stdin(kind)}
    wanted = ("token", "password") if chosen.username else ("token",)
    variables = {kind: variable_of(chosen.name, kind) for kind in wanted}
    for kind, variable in variables.items():
        if found := os.environ.get(variable):
            return {kind: found}
    if not chosen.username:
        return {}
    if not sys.stdin.isatty():
        raise UsageError(
            f"the password of {chosen.username!r} is not known: give it with --password-stdin, or in the"
            f" variable {variables['password']}"
        )
    return {"password": _prompted("password")}


def _from_stdin(kind: str) -> str:
    if sys.stdin.isatty():
        return _prompted(kind)
    secret = sys.stdin.read().rstrip("\r\n")
    if not secret:
        raise UsageError(f"--{kind}-stdin: there is nothing on stdin; write the {kind} to it")
    return secret


def _prompted(kind: str) -> str:
    try:
        secret = getpass.getpass(f"{kind.capitalize()}: ")
    except EOFError:
        secret = ""
    if not secret:
        raise UsageError(f"no {kind} was typed")
    return secret


# --- resources, disconnect


def _resources_arguments(parser: ArgumentParser) -> None:
    add_json(parser)
    add_config(parser)


def _resources(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.resources.profile import SECRETS

    profile = profile_of(chosen)
    found: list[dict[str, Any]] = []
    for name, service in profile.services().items():
        fields = profile.resource(name).fields
        login = next((kind for kind in SECRETS[::-1] if kind in fields), None)
        public = {key: fields.get(key) for key in _FIELDS}
        versions = public["python_versions"]
        public["python_versions"] = versions.split(",") if versions else []
        found.append({"name": name, "service": service, **public, "login": login})
    if chosen.json:
        print_json(found)
        return 0
    from aqueduct_provider.sdk.display.tables import console, plain_table

    rows = [[one[key] for key in ("name", "service", "host", "username", "login")] for one in found]
    nothing = "No resource is connected. aqueduct-airflow connect NAME --host ... does it."
    columns = ("resource", "service", "host", "user", "login")
    console().print(plain_table(columns, rows) if rows else nothing)
    return 0


def _disconnect_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the resource")
    add_config(parser)


def _disconnect(chosen: Namespace) -> int:
    profile_of(chosen).delete_resource(chosen.name)
    print(f"Disconnected {chosen.name!r}. Flows that were published with it go on.")
    return 0


SUBCOMMANDS = {
    "connect": Subcommand(_connect_arguments, _connect),
    "resources": Subcommand(_resources_arguments, _resources),
    "disconnect": Subcommand(_disconnect_arguments, _disconnect),
}
