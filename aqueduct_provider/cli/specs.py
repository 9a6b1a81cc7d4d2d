"""Specs as files: check them, and print their schema."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.errors import Problem, SpecError

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec

# --- lint


def _lint_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("specs", metavar="SPEC", type=Path, nargs="+", help="JSON file, or folder of them")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list of {file, path, message, level}"
    )


def _lint(chosen: Namespace) -> int:
    verdicts = {file: _verdict(file) for file in _spec_files(chosen.specs)}
    if chosen.json:
        found = [
            {"file": str(file), "path": problem.path, "message": problem.message, "level": level}
            for file, verdict in verdicts.items()
            for level, problems in (("error", verdict.errors), ("warning", verdict.warnings))
            for problem in problems
        ]
        print(json.dumps(found, indent=2))
    else:
        _print_verdicts(verdicts)
    return int(any(verdict.errors for verdict in verdicts.values()))


def _spec_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Return the files to check; of a folder those that Airflow would load, so none of its subfolders."""
    from aqueduct_provider.spec.spec_files import is_spec_name

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [file for file in sorted(path.iterdir()) if is_spec_name(file.name) and not _foreign(file)]
        if not found:
            raise UsageError(f"{path} holds no *.json file; name a folder of specs, or a spec")
        yield from found


def _foreign(file: Path) -> bool:
    from aqueduct_provider.spec.spec_files import is_foreign

    return file.is_file() and is_foreign(file.read_bytes())


@dataclass(frozen=True)
class _Verdict:
    """A problem of a spec.

    :param warnings: what does not stop the flow, or is wrong with this machine only.
    """

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def _verdict(file: Path) -> _Verdict:
    from aqueduct_provider.spec.loader import load

    try:
        spec = load(file)
        notices = spec.compiled.notices if spec.compiled else ()
        return _Verdict(warnings=(*notices, *_missing_drivers(spec)))
    except SpecError as error:
        return _Verdict(error.problems)


def _missing_drivers(spec: WorkflowSpec) -> Iterator[Problem]:
    from aqueduct_provider.connectors.registry import missing_driver
    from aqueduct_provider.spec.models import ExtractOperator, LoadOperator

    tasks: dict[str, list[str]] = {}
    for operator in spec.operators:
        if isinstance(operator, ExtractOperator):
            tasks.setdefault(operator.source.connector, []).append(operator.task_id)
        elif isinstance(operator, LoadOperator):
            tasks.setdefault(operator.target.connector, []).append(operator.task_id)
    for connector, task_ids in tasks.items():
        if missing := missing_driver(connector):
            yield Problem("$", f"{missing} Used by {', '.join(task_ids)}.")


def _print_verdicts(verdicts: dict[Path, _Verdict]) -> None:
    from aqueduct_provider.cli.problems import print_verdict
    from aqueduct_provider.sdk.console import console

    out = console()
    for file, verdict in verdicts.items():
        print_verdict(out, str(file), verdict.errors, verdict.warnings)
    failed = sum(bool(verdict.errors) for verdict in verdicts.values())
    count = sum(len(verdict.errors) for verdict in verdicts.values())
    out.print(f"checked: {len(verdicts)}, with problems: {failed}, problems in all: {count}")


# --- schema


def _schema(_chosen: Namespace) -> int:
    from aqueduct_provider.spec.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


SUBCOMMANDS = {
    "lint": Subcommand(_lint, (_lint_arguments,)),
    "schema": Subcommand(_schema),
}
