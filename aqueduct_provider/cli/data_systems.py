"""Connected data systems: test a connection, list tables, write the demo database."""

from __future__ import annotations

import json
import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.shared_options import add_json, add_store, client_of, print_json


def _named(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the resource; Demo always exists")


def _test(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.console import print_text

    print_text(client_of(chosen).resource(chosen.name).check_connection())
    return 0


def _tables(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.console import print_text
    from aqueduct_provider.sdk.resources.data_system import ConnectedSystem

    resource = client_of(chosen).resource(chosen.name)
    if not isinstance(resource, ConnectedSystem):
        raise UsageError(f"{chosen.name!r} is {resource.type()}, which has no tables: name a data system")
    found = resource.discover()
    if chosen.json:
        print_json(found)
    else:
        print_text("".join(f"{name}\n" for name in found), end="")
    return 0


def _demo_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help="the file to write, on the Airflow machines")
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def _demo(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.resources.demo import DEMO_CONNECTION, make_demo

    path = chosen.path.absolute()
    if path.exists() and not chosen.force:
        raise UsageError(f"{path} already exists; --force replaces it")
    make_demo(path)
    # With --conn-type, Airflow takes only types whose provider is installed.
    connection = shlex.quote(json.dumps({"conn_type": "sqlite", "host": str(path)}))
    print(f"Wrote {path}. Runs find it by the connection that this adds: ", end="")
    print(f"airflow connections add {DEMO_CONNECTION} --conn-json {connection}")
    return 0


# A resource may be the artifact store.
SUBCOMMANDS = {
    "test": Subcommand(_test, (_named, add_store)),
    "tables": Subcommand(_tables, (_named, add_json, add_store)),
    "demo-db": Subcommand(_demo, (_demo_arguments,)),
}
