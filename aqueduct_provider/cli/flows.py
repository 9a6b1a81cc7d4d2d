"""Published flows and their runs: list, show, trigger, logs, artifacts, prune, delete.

The SDK's client does the work: this module parses and prints.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.parameter_values import add_parameters, values_of
from aqueduct_provider.cli.shared_options import (
    add_flow,
    add_json,
    add_run,
    add_store,
    client_of,
    operator_documents,
    positive,
    print_json,
    run_of,
)
from aqueduct_provider.spec.version_label import version_name

if TYPE_CHECKING:
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.run import Run
    from aqueduct_provider.spec.models import ArtifactSpec, Parameter, WorkflowSpec


# --- flows, runs, show


def _flows_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--retired", action="store_true", help="list those that were deleted")


def _flows(chosen: Namespace) -> int:
    found = client_of(chosen).list_flows(retired=chosen.retired)
    if chosen.json:
        print_json(found)
        return 0
    from aqueduct_provider.sdk.console import console, plain_table

    columns = ("name", "dag_id", "engine", "version", "created_at", "retired_at")
    for one in found:
        one["version"] = version_name(one["version_id"], one["number"])
    rows = [[one.get(column) for column in columns] for one in found]
    table = plain_table(("flow", "DAG", "engine", "version", "published", "deleted"), rows)
    console().print(table if rows else f"No flow is {'retired' if chosen.retired else 'published'}.")
    return 0


def _runs_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", metavar="N", type=positive, default=10, help="how many at most; 10")


def _runs(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    found = flow.list_runs(chosen.limit)
    if chosen.json:
        print_json(found)
        return 0
    from aqueduct_provider.sdk.console import console
    from aqueduct_provider.sdk.display.tables import runs_table

    console().print(runs_table(found) if found else f"{flow.name()!r} has not run yet.")
    return 0


def _show_arguments(parser: ArgumentParser) -> None:
    add_run(parser, nargs="?")


def _show(chosen: Namespace) -> int:
    flow = client_of(chosen).flow(chosen.flow)
    if chosen.run_id is None:
        print_json(_flow_document(flow)) if chosen.json else flow.describe()
        return 0
    run = run_of(flow, chosen.run_id)
    print_json(run_document(run)) if chosen.json else run.describe()
    return 0


def _flow_document(flow: Flow) -> dict[str, Any]:
    spec, record = flow.spec, asdict(flow.record)
    del record["spec_sha256"], record["earlier"]
    return {
        **record,
        "description": spec.flow.description,
        "schedule": spec.schedule and spec.schedule.model_dump(),
        "parameters": [_parameter_document(parameter) for parameter in spec.parameters],
        "operators": [
            {
                "name": operator.name,
                "task_id": operator.task_id,
                "type": operator.type,
                "reads": [spec.artifact(artifact).name for artifact in operator.inputs],
                "writes": [spec.artifact(artifact).name for artifact in operator.outputs],
            }
            for operator in spec.operators
        ],
    }


def _parameter_document(parameter: Parameter) -> dict[str, Any]:
    default = parameter.default.model_dump()
    return {
        "name": parameter.name,
        "type": parameter.type,
        # A default that is in the store cannot be shown.
        "default": default.get("value"),
        "description": parameter.description,
    }


def run_document(run: Run) -> dict[str, Any]:
    """Return a run for programs."""
    status, operators, lack = run.as_far_as_known()
    spec = run.spec
    return {
        "flow": run.record.name,
        "run_id": run.run_id,
        "version_id": str(spec.version.id),
        "version": version_name(str(spec.version.id), spec.version.number),
        "created_at": run.created_at(),
        "status": status,
        "airflow_error": lack or None,
        "operators": operator_documents(operators),
        "artifacts": [_artifact_document(spec, artifact) for artifact in spec.artifacts],
    }


def _artifact_document(spec: WorkflowSpec, artifact: ArtifactSpec) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "type": artifact.type,
        "operator": spec.producer(artifact.id).name,
    }


# --- trigger


def _trigger_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 when it fails")
    parser.add_argument("--timeout", metavar="SECONDS", type=positive, help="wait this long at most")
    parser.add_argument("--unpause", action="store_true", help="unpause the flow when it is paused")


def _trigger(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.console import print_text

    client = client_of(chosen)
    flow = client.flow(chosen.flow)
    values = values_of(chosen.parameters, flow.spec.parameters)
    run = client.trigger(flow.id(), values, unpause=chosen.unpause)
    if not chosen.wait:
        if chosen.json:
            print_json({"flow": flow.name(), "run_id": run.run_id, "url": run.url()})
        else:
            print_text(f"Triggered {flow.name()!r}: {run.run_id}\n{run.url()}")
        return 0
    print_text(f"{run.run_id}: {run.url()}", stderr=True)
    succeeded = run.wait(chosen.timeout, progress=not chosen.json).value == "succeeded"
    if chosen.json:
        print_json(run_document(run))
    elif succeeded:
        print_text(f"Run {run.run_id} of {flow.name()!r} has succeeded.")
    else:
        run.describe()
    return 0 if succeeded else 1


# --- logs, artifact, prune, delete


def _logs_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "operator", metavar="OPERATOR", nargs="?", help="name, or task id, of an operator; all of them"
    )
    parser.add_argument(
        "--try", metavar="N", dest="try_number", type=positive, help="which try; the last one"
    )


def _logs(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.console import print_text

    run = run_of(client_of(chosen).flow(chosen.flow), chosen.run_id)
    text = run.logs(chosen.operator, chosen.try_number)
    if chosen.json:
        print_json({"run_id": run.run_id, "operator": chosen.operator, "log": text})
    elif text:
        print_text(text.rstrip("\n"))
    else:
        what = repr(chosen.operator) if chosen.operator else "The run"
        print(f"{what} has not logged anything yet.", file=sys.stderr)
    return 0


def _artifact_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("name", metavar="NAME", help="name of an artifact")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to this file; - is stdout")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument(
        "--trust-store",
        action="store_true",
        help="also read what can run code where Airflow has no digest of it: everyone who can write to the "
        "bucket is trusted",
    )


def _artifact(chosen: Namespace) -> int:
    from aqueduct_provider.cli.artifact_output import check_target, document_of, file_of, text_of, write
    from aqueduct_provider.sdk.console import print_text

    if chosen.output:
        check_target(chosen.output, force=chosen.force)
    run = run_of(client_of(chosen).flow(chosen.flow), chosen.run_id)
    source = run.source(chosen.name)
    if chosen.trust_store:
        source.trust()
    # Read before the warning: what is refused is not shown.
    if chosen.output:
        data = file_of(source, PurePath(chosen.output).suffix.lower())
        show = partial(write, data, chosen.output)
    elif chosen.json:
        show = partial(print_json, document_of(source))
    else:
        show = partial(print_text, text_of(source))
    if source.unverified:
        warning = f"{source.name} is shown as the store has it, not verified. {source.unverified}"
        print_text(warning, stderr=True)
    show()
    return 0


def _prune_arguments(parser: ArgumentParser) -> None:
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


def _delete_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--artifacts", action="store_true", help="delete all that its runs left, too")
    parser.add_argument("--force", action="store_true", help="end active runs without asking")


def _delete(chosen: Namespace) -> int:
    client_of(chosen).delete_flow(chosen.flow, artifacts=chosen.artifacts, force=chosen.force)
    return 0


SUBCOMMANDS = {
    "flows": Subcommand(_flows, (_flows_arguments, add_json, add_store)),
    "runs": Subcommand(_runs, (add_flow, _runs_arguments, add_json, add_store)),
    "show": Subcommand(_show, (add_flow, _show_arguments, add_json, add_store)),
    "trigger": Subcommand(_trigger, (add_flow, add_parameters, _trigger_arguments, add_json, add_store)),
    "logs": Subcommand(_logs, (add_flow, _logs_arguments, add_json, add_store)),
    "artifact": Subcommand(_artifact, (add_flow, _artifact_arguments, add_json, add_store)),
    "prune": Subcommand(_prune, (add_flow, _prune_arguments, add_json, add_store)),
    "delete": Subcommand(_delete, (add_flow, _delete_arguments, add_store)),
}
