"""Two runs of a flow side by side."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.shared_options import (
    LATEST,
    add_flow,
    add_json,
    add_store,
    client_of,
    print_json,
    run_of,
)


def _compare_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("before", metavar="RUN", help=f"id of the run that is compared with, or {LATEST}")
    parser.add_argument("now", metavar="RUN", help=f"id of the run that is looked at, or {LATEST}")


def _compare(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    found = run_of(flow, chosen.now).compare(run_of(flow, chosen.before))
    if chosen.json:
        print_json(found.to_json())
        return 0
    from aqueduct_provider.sdk.console import console

    console().print(found)
    return 0


SUBCOMMANDS = {
    "compare": Subcommand(_compare, (add_flow, _compare_arguments, add_json, add_store)),
}
