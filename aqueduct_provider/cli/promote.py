"""Take flows from one store and Airflow to another, through a folder or at once, and publish scripts.

The SDK does the work: this module parses, shows what would change, asks and prints.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.parameter_values import add_parameters
from aqueduct_provider.cli.publish_copy import add_target, publish_copy, publish_export, report
from aqueduct_provider.cli.shared_options import (
    add_flow,
    add_json,
    add_store,
    add_trust_of_versions,
    client_of,
    profile_of,
)

if TYPE_CHECKING:
    from aqueduct_provider.sdk.session import Session


def _add_version(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--version", metavar="VERSION", default="latest", help="such as 12 or v12; the one published last"
    )
    add_trust_of_versions(parser)


# --- promote


def _promote_arguments(parser: ArgumentParser) -> None:
    where = "a configuration file, or NAME for NAME.toml next to the usual one"
    parser.add_argument("--from", dest="source", metavar="NAME", required=True, help=where)
    parser.add_argument("--to", dest="target", metavar="NAME", required=True, help=where)


def _promote(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.publishing.flow_copy import copy_of
    from aqueduct_provider.sdk.versions.promotion import refuse_same_store

    source, target = (_session(name) for name in (chosen.source, chosen.target))
    refuse_same_store(source, target)
    flow = Flow(source, source.registry.find(chosen.flow))
    copy = copy_of(
        source.registry, flow.record, flow.version(chosen.version).id, trust_store=chosen.trust_store
    )
    return publish_copy(chosen, target, copy)


def _session(name: str) -> Session:
    """Return the session of a configuration file. Variables that name a store would name it for both."""
    from aqueduct_provider.sdk.resources.profile import STORE_FIELDS, Profile
    from aqueduct_provider.sdk.resources.profile_file import config_path
    from aqueduct_provider.sdk.session import Session

    usual = config_path(os.environ)
    paths = [Path(name).expanduser(), usual.parent / f"{name}.toml"]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise UsageError(f"{name}: neither {paths[0]} nor {paths[1]} is a configuration file; name one")
    stores = {f"AQUEDUCT_{field.upper()}" for field in STORE_FIELDS}
    environ = {key: value for key, value in os.environ.items() if key not in stores}
    return Session(Profile.load(found, environ))


# --- export, import of an export


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("into", metavar="FOLDER", type=Path, help="new, empty, or an export of this flow")


def _export(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    flow.export(chosen.into, version=chosen.version, trust_store=chosen.trust_store)
    return 0


# --- publish


def _publish_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="SCRIPT_OR_FOLDER", type=Path, help="a script that publishes flows, or an export"
    )
    parser.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="what the script is called with")


def _publish(chosen: Namespace) -> int:
    if chosen.path.is_dir():
        if chosen.arguments:
            raise UsageError("an export takes no arguments; only a script does")
        return publish_export(chosen, chosen.path)
    given = [name for name in ("map", "engine", "message") if getattr(chosen, name)]
    if given:
        raise UsageError(f"--{given[0]} is for exports; a script says it in publish_flow(...)")
    return _check_script(chosen) if chosen.check else _run_script(chosen)


def _run_script(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.publishing.rehearsal import run_script

    run_script(chosen.path, chosen.arguments)
    return 0


def _check_script(chosen: Namespace) -> int:
    """Compare the flows of a script with what is published."""
    from aqueduct_provider.sdk.publishing.rehearsal import rehearse
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.sdk.versions.promotion import plan_of_script

    session = Session(profile_of(chosen))
    made = rehearse(chosen.path, chosen.arguments).compositions
    return int(report(chosen, [plan_of_script(session, one) for one in made]))


SUBCOMMANDS = {
    "promote": Subcommand(
        _promote, (add_flow, _promote_arguments, _add_version, add_target, add_parameters, add_json)
    ),
    "export": Subcommand(_export, (add_flow, _export_arguments, _add_version, add_store)),
    "publish": Subcommand(_publish, (_publish_arguments, add_target, add_parameters, add_json, add_store)),
}
