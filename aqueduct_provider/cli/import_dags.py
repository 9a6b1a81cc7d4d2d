"""Import what others have: ``<flow>_airflow.py`` of the original -> a spec; an exported flow -> a version."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.cli.parameter_values import add_parameters
from aqueduct_provider.cli.publish_copy import add_target, publish_export
from aqueduct_provider.cli.shared_options import add_json, add_store, print_json
from aqueduct_provider.errors import Problem, SpecError

if TYPE_CHECKING:
    from aqueduct_provider.spec.airflow_file import Imported

_WANTED = "the <flow>_airflow.py that publish_flow of the original wrote"
_NEXT = """\
Put the specs where Airflow shows specs (aqueduct-airflow init). Remove the Python files from its DAG folder:
Airflow 3 cannot load them; on Airflow 2 each is a second DAG of the same id."""


@dataclass(frozen=True)
class _Result:
    """The result for one file.

    :param target: the file of the spec; None when no spec was made.
    """

    file: Path
    outcome: Literal["written", "unchanged", "refused"]
    target: Path | None = None
    imported: Imported | None = None
    errors: tuple[Problem, ...] = ()


def _arguments(parser: ArgumentParser) -> None:
    help = f"{_WANTED}; or the folder that aqueduct-airflow export wrote, to publish it"
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help=help)
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, help="where the specs go; otherwise next to each file"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file with other content")


def _import(chosen: Namespace) -> int:
    is_folder = len(chosen.files) == 1 and chosen.files[0].is_dir()
    if is_folder or any((file / "flow.json").is_file() for file in chosen.files):
        if len(chosen.files) > 1 or chosen.output or chosen.force:
            raise UsageError("an exported flow is imported alone, and without -o and --force")
        return publish_export(chosen, chosen.files[0])
    if chosen.output and not chosen.output.is_dir():
        raise UsageError(f"{chosen.output} is not a folder; create it, or name another one")
    taken: dict[Path, Path] = {}
    results = [_imported(file, chosen.output or file.parent, taken, chosen.force) for file in chosen.files]
    print_json([_as_json(result) for result in results]) if chosen.json else _print(results)
    return int(any(result.outcome == "refused" for result in results))


def _imported(file: Path, folder: Path, taken: dict[Path, Path], force: bool) -> _Result:
    """Import one file.

    :param taken: the files that this command has written, and what they were made of.
    """
    from aqueduct_provider.spec.airflow_file import convert
    from aqueduct_provider.spec.document import file_content

    try:
        if file.suffix.lower() == ".json":
            raise _refusal(file, "a spec already; check it with aqueduct-airflow lint")
        made = convert(file_content(file, _WANTED), file.name)
        target = folder / f"{made.spec.dag_id}.json"
        if target.name.startswith("."):
            raise _refusal(
                file, f"{target.name} would be a hidden file, which Airflow ignores; rename the DAG"
            )
        outcome = _write(made, target, force=force, other=taken.get(target))
    except SpecError as error:
        problems = (replace(one, path="" if one.path == "$" else one.path) for one in error.problems)
        return _Result(file, "refused", errors=tuple(problems))
    taken[target] = file
    return _Result(file, outcome, target, made)


def _refusal(file: Path, message: str) -> SpecError:
    return SpecError(file.name, [Problem("$", message)])


def _write(
    made: Imported, target: Path, *, force: bool, other: Path | None
) -> Literal["written", "unchanged"]:
    """Write the spec.

    :param force: replace a different file.
    :param other: the file for which this command has written there already.
    :raises SpecError: it cannot be written, or another file is there.
    """
    from aqueduct_provider.storage.files import replacing

    try:
        # Not exists(): a symbolic link that leads nowhere is there, too.
        if os.path.lexists(target):
            if target.is_file() and target.read_bytes() == made.data:
                return "unchanged"
            if other:
                raise _refusal(target, f"{other} has the same DAG id; import only the newer one of the two")
            if not force:
                message = f"{target} exists with other content; compare them, then repeat with --force"
                raise _refusal(target, message)
        with replacing(target) as file:
            file.write(made.data)
            # Airflow may run as another user; but credentials are for one only.
            os.fchmod(file.fileno(), 0o600 if made.has_secrets else 0o644)
    except OSError as error:
        raise _refusal(target, f"{target} cannot be written: {error.strerror}; check the folder") from error
    return "written"


def _print(results: list[_Result]) -> None:
    from aqueduct_provider.cli.problems import print_verdict
    from aqueduct_provider.sdk.console import console

    out = console()
    for result in results:
        warnings = result.imported.warnings if result.imported else ()
        print_verdict(out, _summary(result), result.errors, warnings)
    refused = sum(result.outcome == "refused" for result in results)
    out.print(f"imported: {len(results) - refused}, refused: {refused}")
    if refused < len(results):
        out.print(_NEXT)


def _summary(result: _Result) -> str:
    if result.imported is None:
        return str(result.file)
    if result.outcome == "unchanged":
        return f"{result.file}: {result.target} is unchanged"
    count = len(result.imported.spec.operators)
    mode = ", readable by its owner only (mode 0600)" if result.imported.has_secrets else ""
    return f"{result.file} -> {result.target} ({count} task{'' if count == 1 else 's'}{mode})"


def _as_json(result: _Result) -> dict[str, Any]:
    spec = result.imported.spec if result.imported else None
    warnings = result.imported.warnings if result.imported else ()
    problems = [("error", one) for one in result.errors] + [("warning", one) for one in warnings]
    return {
        "file": str(result.file),
        "outcome": result.outcome,
        "spec": str(result.target) if result.target else None,
        "dag_id": spec.dag_id if spec else None,
        "version_id": str(spec.version.id) if spec else None,
        "tasks": [operator.task_id for operator in spec.operators] if spec else [],
        "problems": [{"path": one.path, "message": one.message, "level": level} for level, one in problems],
    }


SUBCOMMANDS = {"import": Subcommand(_import, (_arguments, add_target, add_parameters, add_json, add_store))}
