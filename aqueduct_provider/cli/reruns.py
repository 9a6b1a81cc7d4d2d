"""Run again what has run: replay an operator here, resume a failed run on its Airflow."""

from __future__ import annotations

import sys
import traceback
from argparse import ArgumentParser, Namespace
from typing import Any

from aqueduct_provider.cli.command import Subcommand
from aqueduct_provider.cli.shared_options import (
    add_flow,
    add_json,
    add_run,
    add_store,
    client_of,
    positive,
    print_json,
    run_of,
)
from aqueduct_provider.errors import AqueductError


def _replay_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("operator", metavar="OPERATOR", help="name, or task id, of an operator")
    parser.add_argument("--debug", action="store_true", help="stop in pdb at the line that fails")
    parser.add_argument(
        "--isolated", action="store_true", help="in the operator's own environment, which uv builds here"
    )
    parser.add_argument(
        "--trust-store",
        action="store_true",
        help="also run code and read inputs that Airflow has no digest of: everyone who can write to the "
        "bucket is trusted",
    )


def _replay(chosen: Namespace) -> int:
    run = run_of(client_of(chosen).flow(chosen.flow), chosen.run_id)
    try:
        value = run.replay(
            chosen.operator,
            debug=chosen.debug,
            isolated=chosen.isolated,
            trust_store=chosen.trust_store,
        )
    except AqueductError:
        raise
    except Exception as error:
        print("".join(traceback.format_exception(_of_user(error))), end="", file=sys.stderr)
        return 1
    from aqueduct_provider.sdk.console import print_text

    print_text(_shown(value))
    return 0


def _of_user(error: Exception) -> Exception:
    """Return the error with a traceback that begins at the user's frame, after those of this package."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("aqueduct_provider."):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _resume_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "--latest", action="store_true", help="run all of it again, by the version that was published last"
    )
    parser.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 when it fails")
    parser.add_argument("--timeout", metavar="SECONDS", type=positive, help="wait this long at most")
    parser.add_argument("--unpause", action="store_true", help="unpause the flow when it is paused")


def _resume(chosen: Namespace) -> int:
    from aqueduct_provider.sdk.console import print_text

    run = run_of(client_of(chosen).flow(chosen.flow), chosen.run_id)
    run.resume(version="latest" if chosen.latest else None, unpause=chosen.unpause, progress=not chosen.json)
    if chosen.wait:
        succeeded = run.wait(chosen.timeout, progress=not chosen.json).value == "succeeded"
    if chosen.json:
        from aqueduct_provider.cli.flows import run_document

        print_json(run_document(run))
    else:
        print_text(f"Resumed {run.record.name!r}: {run.run_id}\n{run.url()}")
    return 0 if not chosen.wait or succeeded else 1


SUBCOMMANDS = {
    "replay": Subcommand(_replay, (add_flow, _replay_arguments, add_store)),
    "resume": Subcommand(_resume, (add_flow, _resume_arguments, add_json, add_store)),
}
