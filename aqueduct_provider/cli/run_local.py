"""Run a spec here, without Airflow: the store, the progress and the results."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.parameter_values import add_parameters, values_of
from aqueduct_provider.cli.shared_options import (
    add_json,
    add_store,
    operator_documents,
    positive,
    print_json,
    profile_of,
    store_for,
)
from aqueduct_provider.runner.codecs import PLAIN, plain_value

if TYPE_CHECKING:
    from aqueduct_provider.sdk.local.run_flow import LocalOutcome

# Values that are at most this long are shown.
_VALUE_BYTES = 200


def _run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", type=Path, help="JSON file of a spec, of either dialect")
    add_parameters(parser)
    parser.add_argument("--run-id", metavar="ID", help="id of the run, a part of its keys; local__<time>")
    parser.add_argument(
        "--isolation",
        choices=("auto", "always", "never"),
        default="auto",
        help="in this Python when it has all that is asked for (auto), in environments, or in this Python",
    )
    parser.add_argument(
        "--missing-python",
        choices=("fail", "worker", "download"),
        default="fail",
        help="when this machine lacks an operator's Python: fail, use this one, or download it",
    )
    parser.add_argument("--jobs", metavar="N", type=positive, default=1, help="operators at once; 1")
    parser.add_argument("--no-retries", action="store_true", help="do not try failed operators again")


def _run(chosen: Namespace) -> int:
    from aqueduct_provider.cli.run_progress import shown
    from aqueduct_provider.sdk.local.run_flow import run_spec
    from aqueduct_provider.sdk.local.systems import systems_of
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.loader import load

    spec = load(chosen.spec)
    values = values_of(chosen.parameters, spec.parameters)
    store = store_for(spec, chosen)
    find = systems_of(Session(profile_of(chosen)))
    with shown(spec) as on_event:
        outcome = run_spec(
            spec,
            store,
            parameters=values,
            run_id=chosen.run_id,
            isolation=chosen.isolation,
            missing_python=chosen.missing_python,
            retries=not chosen.no_retries,
            jobs=chosen.jobs,
            find=find,
            on_event=on_event,
        )
    print_json(_document(outcome)) if chosen.json else _print(outcome)
    return 0 if outcome.status.value == "succeeded" else 1


# --- what came of it


def _print(outcome: LocalOutcome) -> None:
    from aqueduct_provider.sdk.console import console, plain_table
    from aqueduct_provider.sdk.display.tables import operators_table_of
    from aqueduct_provider.sdk.results.outcomes import labels

    out = console()
    out.print(f"{outcome.spec.flow.name}, run {outcome.run_id}: {outcome.status.value}", style="bold")
    out.print()
    out.print(operators_table_of(outcome.operators))
    rows = [
        (one["name"], one["type"], one["size"], _shown_value(one["value"]), one["url"])
        for one in _artifacts(outcome)
    ]
    if rows:
        out.print()
        out.print(plain_table(("artifact", "type", "bytes", "value", "where"), rows, right=("bytes",)))
    for label, one in zip(labels(outcome.operators), outcome.operators, strict=True):
        if one.has_failed:
            text = f"{label}: {one.tip}"
            out.print("\n".join(filter(None, ["\n" + text, one.traceback.rstrip()])))


def _shown_value(value: Any) -> str:
    return "" if value is None else str(value)


def _document(outcome: LocalOutcome) -> dict[str, Any]:
    return {
        "flow": outcome.spec.flow.name,
        "run_id": outcome.run_id,
        "version_id": str(outcome.spec.version.id),
        "status": outcome.status,
        "operators": operator_documents(outcome.operators),
        "artifacts": _artifacts(outcome),
    }


def _artifacts(outcome: LocalOutcome) -> list[dict[str, Any]]:
    """Return the artifacts that were written, in the order of the spec."""
    written = [artifact for artifact in outcome.spec.artifacts if artifact.id in outcome.artifacts]
    return [_artifact(outcome, artifact.id, artifact.name) for artifact in written]


def _artifact(outcome: LocalOutcome, artifact_id: str, name: str) -> dict[str, Any]:
    ref = outcome.artifacts[artifact_id]
    value: Any = None
    if ref.size <= _VALUE_BYTES and ref.serialization_type in PLAIN:
        value = plain_value(outcome.store.get(ref.key), ref.serialization_type)
    return {
        "name": name,
        "type": ref.artifact_type,
        "operator": outcome.spec.producer(artifact_id).name,
        "size": ref.size,
        "url": outcome.store.url(ref.key),
        "value": value,
    }


SUBCOMMANDS = {"run": Subcommand(_run, (_run_arguments, add_json, add_store))}
