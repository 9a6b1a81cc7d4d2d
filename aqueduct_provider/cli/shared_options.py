"""Options that subcommands share: the configuration, the artifact store, and JSON for programs.

Options beat ``AQUEDUCT_*`` variables, which beat the configuration file.
"""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.errors import ConfigError, CredentialsError, NotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.resources.profile import Profile
    from aqueduct_provider.sdk.results.outcomes import OperatorRun
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

LATEST = "latest"
# How many missing objects are named.
_MISSING_SHOWN = 5
# The fields of a store's profile.
_STORE = {
    "bucket": ("NAME", "S3 bucket, or s3://bucket/some/prefix"),
    "folder": ("DIR", "a local folder instead of a bucket"),
    "region": ("REGION", "AWS region of the bucket"),
    "root_dir": ("PREFIX", "a further prefix of every key"),
    "endpoint_url": ("URL", "for S3-compatible stores such as MinIO"),
    "credentials_path": ("FILE", "AWS credentials file on this machine"),
    "credentials_profile": ("NAME", "profile in that file"),
}


def add_config(parser: ArgumentParser) -> None:
    """Add the option that names the configuration file."""
    parser.add_argument(
        "--config", metavar="PATH", type=Path, help="configuration file, instead of ~/.aqueduct/config.toml"
    )


def add_store(parser: ArgumentParser) -> None:
    """Add the options that name the configuration file and the artifact store."""
    add_config(parser)
    group = parser.add_argument_group("artifact store, where the configuration is not meant")
    for name, (metavar, help) in _STORE.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, default="", help=help)


def add_flow(parser: ArgumentParser) -> None:
    """Add the argument that names a flow."""
    parser.add_argument("flow", metavar="FLOW", help="name or id of a flow")


def add_run(parser: ArgumentParser, **how: Any) -> None:
    """Add the argument that names a run.

    :param how: further arguments of ``add_argument``.
    """
    parser.add_argument("run_id", metavar="RUN", help=f"id of a run, or {LATEST}", **how)


def run_of(flow: Flow, run_id: str) -> Run:
    """Return a run by its id, or the latest. Raise ``NotFound``."""
    if run_id != LATEST:
        return flow.fetch(run_id)
    run = flow.latest()
    if run is None:
        raise NotFound(f"{flow.name()!r} has not run yet. aqueduct-airflow trigger runs it once.")
    return run


def add_json(parser: ArgumentParser) -> None:
    """Add the option for output that programs read."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def store_options(chosen: Namespace) -> dict[str, str]:
    """Return the fields of the store that were typed."""
    return {name: value for name in _STORE if (value := getattr(chosen, name))}


def client_of(chosen: Namespace) -> Client:
    """Return the client that the options describe.

    :raises ConfigError: the configuration is wrong.
    """
    from aqueduct_provider.sdk.client import Client

    options: dict[str, Any] = store_options(chosen)
    return Client(config_path=chosen.config, **options)


def profile_of(chosen: Namespace) -> Profile:
    """Return the configuration in force.

    :raises ConfigError: it is wrong.
    """
    from aqueduct_provider.sdk.resources.profile import Profile

    options = store_options(chosen) if "bucket" in chosen else {}
    return Profile.load(chosen.config, overrides=options)


def store_for(spec: WorkflowSpec, chosen: Namespace) -> ObjectStore:
    """Return the store that was typed; else the spec's, if it can be reached; else the configuration's."""
    from aqueduct_provider.sdk.local.local_stores import store_of_spec

    given, profile = store_options(chosen), profile_of(chosen)
    if "folder" in given or "bucket" in given:
        store = profile.store.connect()
        if "folder" in given:
            _check_code(spec, store)
        return store
    try:
        return store_of_spec(spec, given)
    except (ConfigError, CredentialsError) as error:
        why = str(error)
    try:
        known = profile.store
    except ConfigError as error:
        raise ConfigError(
            f"{why} Nor is another store known. Name the one that holds the flow's code: --bucket NAME, with"
            " --credentials-path FILE; --folder DIR for a local copy; or the configuration"
            f" {profile.path}."
        ) from error
    return known.connect()


def _check_code(spec: WorkflowSpec, store: ObjectStore) -> None:
    """Check at once that a folder, which is a copy made by hand, holds the code of the flow."""
    from aqueduct_provider.spec.models import CallOperator

    keys = dict.fromkeys(one.code.key for one in spec.operators if isinstance(one, CallOperator))
    missing = [key for key in keys if not store.exists(key)]
    if missing:
        more = f" and {len(missing) - _MISSING_SHOWN} more" if len(missing) > _MISSING_SHOWN else ""
        raise UsageError(
            f"the folder must hold the flow's code, and lacks {', '.join(missing[:_MISSING_SHOWN])}{more};"
            " copy them from the artifact store, under the same keys"
        )


def add_trust_of_versions(parser: ArgumentParser) -> None:
    """Add the option that takes versions of which a flow's record has no digest."""
    parser.add_argument(
        "--trust-store",
        action="store_true",
        help="take a version, too, of which the flow's record has no digest, such as a very old one",
    )


def positive(text: str) -> int:
    """Parse an integer above 0, as a type of ``argparse``."""
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not an integer above 0")
    return int(text)


def operator_documents(operators: Sequence[OperatorRun]) -> list[dict[str, Any]]:
    """Return the operators of a run for programs."""
    return [
        {("type" if key == "kind" else key): value for key, value in asdict(operator).items()}
        for operator in operators
    ]


def print_json(value: Any) -> None:
    """Print a value as JSON: moments in ISO 8601, enums as their values, null for NaN and infinity.

    :raises UsageError: there is a value in it that is nested too deeply.
    """
    try:
        text = json.dumps(_finite(value), indent=2, default=_plain, allow_nan=False)
    except RecursionError as error:
        raise UsageError("a value is nested too deeply to be printed as JSON") from error
    print(text)


def _finite(value: Any) -> Any:
    """Return the value without the numbers that Python's JSON has and JSON has not."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else str(value)
