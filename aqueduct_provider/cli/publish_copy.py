"""What the commands have in common that publish a copy of a flow: show what would change, ask, publish."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.cli.parameter_values import values_of
from aqueduct_provider.cli.shared_options import print_json, profile_of

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy
    from aqueduct_provider.sdk.publishing.republish import Changes
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff
    from aqueduct_provider.sdk.versions.promotion import PublicationPlan


def add_target(parser: ArgumentParser) -> None:
    """Add the options that say where a copy of a flow goes, and what is different there."""
    parser.add_argument("--engine", metavar="NAME", help="the Airflow to publish to, where there are several")
    parser.add_argument(
        "--map",
        metavar="FILE",
        type=Path,
        help="TOML: [connections] of the flow -> those of the target; [parameters]: defaults there",
    )
    parser.add_argument("--message", metavar="TEXT", default="", help="why; kept with the version")
    parser.add_argument("--yes", action="store_true", help="publish without asking")
    parser.add_argument(
        "--check", action="store_true", help="publish nothing; exit with 1 when something would change"
    )


def publish_export(chosen: Namespace, folder: Path) -> int:
    """Publish what ``export`` has written into a folder."""
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.sdk.versions.export_folder import read_export

    return publish_copy(chosen, Session(profile_of(chosen)), read_export(folder))


def publish_copy(chosen: Namespace, session: Session, copy: FlowCopy) -> int:
    """Show what would change, ask, and publish."""
    from aqueduct_provider.sdk.console import confirmed
    from aqueduct_provider.sdk.versions.promotion import plan_publication

    engine = session.engine(chosen.engine)
    plan = plan_publication(session, copy, engine, _changes(chosen, copy), message=chosen.message)
    changed = report(chosen, [plan])
    if chosen.check or not changed:
        return int(changed)
    if not chosen.yes and not confirmed(f"Publish {copy.spec.flow.name!r} to {engine.name()!r}?"):
        raise UsageError("nothing was published; give --yes where no one is there to be asked")
    plan.publish()
    return 0


def _changes(chosen: Namespace, copy: FlowCopy) -> Changes:
    """Read the file of ``--map``, and the parameters that were typed, which beat it."""
    from aqueduct_provider.sdk.publishing.republish import Changes
    from aqueduct_provider.sdk.resources import profile_file

    found = profile_file.read(chosen.map, private=False) if chosen.map else {}
    if found.keys() - {"connections", "parameters"} or not all(
        isinstance(one, dict) for one in found.values()
    ):
        raise UsageError(f"{chosen.map}: it has the tables [connections] and [parameters], and nothing else")
    if chosen.map and not chosen.map.is_file():
        raise UsageError(f"{chosen.map} does not exist")
    typed = values_of(chosen.parameters, copy.spec.parameters)
    return Changes(found.get("connections", {}), {**found.get("parameters", {}), **typed})


def report(chosen: Namespace, plans: Sequence[PublicationPlan]) -> bool:
    """Print what publishing would change, and return whether anything would."""
    from aqueduct_provider.sdk.console import print_text

    found = [(plan, plan.diff()) for plan in plans]
    if chosen.json:
        print_json([_document(plan, diff) for plan, diff in found])
    for plan, diff in found if not chosen.json else ():
        name = plan.composition.spec.flow.name
        if diff is None:
            print_text(f"{name!r} is new.")
        elif diff.is_empty:
            print_text(f"{name!r}: nothing changes; {diff.before} is published.")
        else:
            print_text(f"{name!r}:")
            diff.describe()
        if plan.connections:
            pairs = plan.connections.items()
            ids = [repr(there) if one == there else f"{there!r} for {one!r}" for one, there in pairs]
            print_text(f"Its Airflow connections: {', '.join(ids)}.")
    return any(diff is None or not diff.is_empty for _, diff in found)


def _document(plan: PublicationPlan, diff: FlowDiff | None) -> dict[str, Any]:
    return {
        "flow": plan.composition.spec.flow.name,
        "is_new": diff is None,
        "changes": diff is None or not diff.is_empty,
        "diff": diff.to_json() if diff else None,
        "connections": dict(plan.connections),
    }
