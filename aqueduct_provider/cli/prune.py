"""Delete the artifacts of a flow's older runs: prune.

The SDK does the work: this module parses and prints.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.shared_options import add_json, add_store, client_of, positive, print_json


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("flow", metavar="FLOW", help="name or id of a flow")
    parser.add_argument(
        "--keep",
        metavar="K",
        type=positive,
        help="how many of the newest successful runs keep their artifacts; the flow's k_latest_runs",
    )
    parser.add_argument("--dry-run", action="store_true", help="delete nothing, and show what would be")


def _prune(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    found = flow.prune(chosen.keep, dry_run=chosen.dry_run)
    if chosen.json:
        print_json(found)
        return 0
    if not found:
        print(f"{flow.name()!r}: no older run has artifacts to delete.")
        return 0
    from aqueduct_provider.runs.retention import Pruned, total
    from aqueduct_provider.sdk.console import console, plain_table

    rows = [(one["run_id"], f"{one['objects']}", f"{one['size']:,}") for one in found]
    console().print(plain_table(("run", "objects", "bytes"), rows))
    deleted = "would delete" if chosen.dry_run else "deleted"
    print(f"{flow.name()!r}: {deleted} {total([Pruned(**one) for one in found])}.")
    return 0


SUBCOMMANDS = {"prune": Subcommand(_prune, (_arguments, add_json, add_store))}
