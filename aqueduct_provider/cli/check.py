"""Check whether the requirements of a flow's operators can be resolved: of a script, or of a spec."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.shared_options import add_json, add_store, print_json, store_for

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.requirement_check import OperatorCheck


def _check_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FLOW_SCRIPT_OR_SPEC",
        type=Path,
        help="a Python script that publishes flows, or the JSON file of a spec",
    )
    parser.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="what the script is called with")


def _check(chosen: Namespace) -> int:
    suffix = chosen.file.suffix.lower()
    if suffix == ".ipynb":
        raise UsageError(f"{chosen.file} is a notebook; write it as a script: jupyter nbconvert --to script")
    if suffix == ".json" and chosen.arguments:
        raise UsageError("a spec takes no arguments; only a script does")
    checks = _of_spec(chosen) if suffix == ".json" else _of_script(chosen)
    print_json([asdict(check) for check in checks]) if chosen.json else _print(checks)
    return int(any(check.problem for check in checks))


def _of_spec(chosen: Namespace) -> list[OperatorCheck]:
    from aqueduct_provider.sdk.publishing.requirement_check import check_requirements
    from aqueduct_provider.spec.loader import load

    spec = load(chosen.file)
    # Only where the spec does not say itself what its functions need.
    store = cache(lambda: store_for(spec, chosen))
    return check_requirements(spec, lambda code: store().get(code.key))


def _of_script(chosen: Namespace) -> list[OperatorCheck]:
    from aqueduct_provider.sdk.console import print_text
    from aqueduct_provider.sdk.publishing.rehearsal import rehearse
    from aqueduct_provider.sdk.publishing.requirement_check import check_composition

    rehearsal = rehearse(chosen.file, chosen.arguments)
    if rehearsal.ended_early:
        print_text(
            f"Note: nothing was published, and what follows was not run: {rehearsal.ended_early}", stderr=True
        )
    return [check for one in rehearsal.compositions for check in check_composition(one)]


def _print(checks: list[OperatorCheck]) -> None:
    from rich.text import Text

    from aqueduct_provider.sdk.console import console

    out = console()
    for check in checks:
        bad = bool(check.problem)
        style = "bold red" if bad else "bold green"
        what = f" {check.flow} / {check.operator}"
        if not bad:
            packages = f"{len(check.packages)} package{'' if len(check.packages) == 1 else 's'}"
            what += f": {packages} for Python {check.python_version}"
        out.print(Text("error" if bad else "ok   ", style), Text(what), sep="")
        for line in check.problem.splitlines():
            out.print(Text(f"      {line}"))
    failed = sum(bool(check.problem) for check in checks)
    out.print(Text(f"checked: {len(checks)}, cannot be resolved: {failed}"))


SUBCOMMANDS = {"check": Subcommand(_check, (_check_arguments, add_json, add_store))}
