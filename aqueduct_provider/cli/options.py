"""What subcommands share: where the configuration and the artifact store are, and JSON for programs.

Options beat ``AQUEDUCT_*`` variables, which beat the configuration file. Must not import at module level: the
SDK.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.sdk.reading.outcomes import OperatorRun
    from aqueduct_provider.sdk.resources.profile import Profile

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
    """Which configuration file is used."""
    parser.add_argument(
        "--config", metavar="PATH", type=Path, help="configuration file, instead of ~/.aqueduct/config.toml"
    )


def add_store(parser: ArgumentParser) -> None:
    """Which configuration file and which artifact store are used."""
    add_config(parser)
    group = parser.add_argument_group("artifact store, where the configuration is not meant")
    for name, (metavar, help) in _STORE.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, default="", help=help)


def add_json(parser: ArgumentParser) -> None:
    """Whether the output is for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def store_options(chosen: Namespace) -> dict[str, str]:
    """The fields of the store that were typed."""
    return {name: value for name in _STORE if (value := getattr(chosen, name))}


def client_of(chosen: Namespace) -> Client:
    """The client that the options describe.

    :raises ConfigError: the configuration is wrong.
    """
    from aqueduct_provider.sdk.client import Client

    options: dict[str, Any] = store_options(chosen)
    return Client(config_path=chosen.config, **options)


def profile_of(chosen: Namespace) -> Profile:
    """The configuration in force.

    :raises ConfigError: it is wrong.
    """
    from aqueduct_provider.sdk.resources.profile import Profile

    options = store_options(chosen) if "bucket" in chosen else {}
    return Profile.load(chosen.config, overrides=options)


def positive(text: str) -> int:
    """A whole number above 0, as a type of ``argparse``."""
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def operator_documents(operators: Sequence[OperatorRun]) -> list[dict[str, Any]]:
    """The operators of a run for programs."""
    return [
        {("type" if key == "kind" else key): value for key, value in asdict(operator).items()}
        for operator in operators
    ]


def print_json(value: Any) -> None:
    """Print a value as JSON: moments in ISO 8601, choices as their texts."""
    print(json.dumps(value, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else str(value)
