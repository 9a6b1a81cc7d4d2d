"""Check whether Airflow shows what was published, for terminals and for monitors: ``status``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.shared_options import add_json, add_store, client_of, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aqueduct_provider.sdk.results.flow_status import FlowStatus

_COLUMNS = ("flow", "state", "engine", "version", "published", "in Airflow", "behind since", "", "problem")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="FLOW", nargs="?", help="name or id of a flow; all")


def _run(chosen: Namespace) -> int:
    client = client_of(chosen)
    found = client.status() if chosen.flow is None else [client.flow(chosen.flow).status()]
    if chosen.json:
        print_json([_document(one) for one in found])
    else:
        _print(found)
    return 0 if all(one.is_fine for one in found) else 1


def _document(status: FlowStatus) -> dict[str, Any]:
    document = asdict(status)
    del document["terminal_problem"]
    return document


def _print(found: Sequence[FlowStatus]) -> None:
    from aqueduct_provider.sdk.console import console, plain_table

    rows = [
        (
            one.name,
            one.state,
            one.engine,
            one.version,
            one.published_at,
            one.airflow_version,
            one.stale_since,
            "paused" if one.paused else "",
            one.terminal_problem,
        )
        for one in found
    ]
    console().print(plain_table(_COLUMNS, rows) if rows else "No flow is published.")


SUBCOMMANDS = {"status": Subcommand(_run, (_arguments, add_json, add_store))}
