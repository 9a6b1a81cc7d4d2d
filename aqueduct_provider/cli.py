"""The command line, ``aqueduct-airflow``: one ``Command`` for each subcommand, listed in ``COMMANDS``.

A command adds its arguments to a parser and runs with what was parsed; it returns the exit code: 0, or 1
when it found what it looks for (problems). Mistakes of the user are one line on stderr: code 2 for what
was typed, 1 for what was found. Must not import at module level: Airflow, rich.
"""

from __future__ import annotations

import io
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from aqueduct_provider.errors import AqueductError, Problem, SpecError

LOADER_FILE = "aqueduct_dags.py"
# Airflow opens only files that hold the words "airflow" and "dag".
LOADER = """\
from aqueduct_provider import DagFactory  # airflow: shows every Aqueduct spec of this folder as a DAG

globals().update(DagFactory.dags_in(__file__))
"""


class UsageError(Exception):
    """What was typed cannot be done; the message says why."""


@dataclass(frozen=True)
class Command:
    """One subcommand.

    :param arguments: adds its arguments to its parser.
    :param run: does it and returns the exit code.
    """

    name: str
    help: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    :param arguments: without the program's name; None: those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        # Names in specs may hold what the terminal's encoding lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader, such as ``head``, has gone; what is left in the buffer must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (UsageError, AqueductError) as error:
        print(f"aqueduct-airflow: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        "aqueduct-airflow", description="Aqueduct flows on Apache Airflow.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _version() -> str:
    # By name: an import statement would count as one of the rooms that the package's root names.
    return str(import_module("aqueduct_provider").__version__)


# --- lint


def _lint_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("specs", metavar="SPEC", type=Path, nargs="+", help="JSON file, or folder of them")
    parser.add_argument("--json", action="store_true", help="print a JSON list of {file, path, message}")


def _lint(chosen: Namespace) -> int:
    verdicts = {file: _verdict(file) for file in _spec_files(chosen.specs)}
    if chosen.json:
        found = [
            {"file": str(file), "path": problem.path, "message": problem.message}
            for file, problems in verdicts.items()
            for problem in problems
        ]
        print(json.dumps(found, indent=2))
    else:
        _print_verdicts(verdicts)
    return int(any(verdicts.values()))


def _spec_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to check; of a folder those that Airflow would load, so not those of folders below it."""
    from aqueduct_provider.spec.folder import is_spec_name

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [file for file in sorted(path.iterdir()) if is_spec_name(file.name) and not _foreign(file)]
        if not found:
            raise UsageError(f"{path} holds no *.json file; name a folder of specs, or a spec")
        yield from found


def _foreign(file: Path) -> bool:
    from aqueduct_provider.spec.folder import is_foreign

    return file.is_file() and is_foreign(file.read_bytes())


def _verdict(file: Path) -> tuple[Problem, ...]:
    from aqueduct_provider.spec.loader import load

    try:
        load(file)
    except SpecError as error:
        return error.problems
    return ()


def _print_verdicts(verdicts: dict[Path, tuple[Problem, ...]]) -> None:
    from rich.console import Console
    from rich.text import Text

    # Soft wrap: a path that is cut at the terminal's width cannot be copied.
    console = Console(soft_wrap=True, highlight=False)
    for file, problems in verdicts.items():
        console.print(
            Text("error" if problems else "ok   ", "bold red" if problems else "bold green"), Text(str(file))
        )
        for problem in problems:
            console.print(Text("  "), Text(problem.path, "cyan"), Text(f": {problem.message}"), sep="")
    bad = sum(bool(problems) for problems in verdicts.values())
    count = sum(map(len, verdicts.values()))
    console.print(Text(f"checked: {len(verdicts)}, with problems: {bad}, problems in all: {count}"))


# --- schema


def _schema(_chosen: Namespace) -> int:
    from aqueduct_provider.spec.schema import schema_text

    sys.stdout.write(schema_text())
    return 0


# --- init


def _init_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DAGS_FOLDER", type=Path, help="Airflow's DAG folder, or one in it")
    parser.add_argument("--force", action="store_true", help=f"replace a different {LOADER_FILE}")


def _init(chosen: Namespace) -> int:
    file: Path = chosen.folder / LOADER_FILE
    if not chosen.folder.is_dir():
        raise UsageError(f"{chosen.folder} is no folder; create it, or name Airflow's DAG folder")
    try:
        if file.exists() and file.read_text("utf-8", "replace") == LOADER:
            print(f"{file} is there already")
            return 0
        if file.exists() and not chosen.force:
            raise UsageError(f"{file} has other content; look at it, then repeat with --force to replace it")
        # Airflow may read the folder at any moment: the file appears whole.
        temporary = file.with_suffix(".tmp")
        temporary.write_text(LOADER, "utf-8")
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; check the permissions") from error
    print(f"wrote {file}; drop *.json specs beside it")
    return 0


def _no_arguments(_parser: ArgumentParser) -> None:
    pass


COMMANDS = (
    Command("lint", "Check specs and report every problem.", _lint_arguments, _lint),
    Command("schema", "Print the JSON Schema of native specs.", _no_arguments, _schema),
    Command("init", "Write the file that loads specs into Airflow.", _init_arguments, _init),
)
