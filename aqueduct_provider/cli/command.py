"""The command line itself: its subcommands, the handling of errors and the exit code.

A subcommand names what adds its arguments to a parser, and runs with what was parsed; it returns the exit
code: 0, or 1 when it found what it looks for (problems, a failed run). Mistakes of the user are one message
on stderr: code 2 for what was typed, 1 for what was found.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from aqueduct_provider.errors import AqueductError

INTERRUPTED = 130
_PROGRAM = "aqueduct-airflow"


class UsageError(Exception):
    """The command line is wrong; the message says why."""


@dataclass(frozen=True)
class Subcommand:
    """A subcommand; each module has a dict ``SUBCOMMANDS`` of them by name.

    :param run: does it and returns the exit code.
    :param arguments: each adds some of its arguments to its parser.
    """

    run: Callable[[Namespace], int]
    arguments: tuple[Callable[[ArgumentParser], None], ...] = ()


@dataclass(frozen=True)
class ListedCommand:
    """How a subcommand is listed.

    :param module: the module of this package that has it.
    """

    name: str
    help: str
    module: str


COMMANDS = (
    ListedCommand("flows", "List the published flows.", "flows"),
    ListedCommand("runs", "List the newest runs of a flow.", "flows"),
    ListedCommand("status", "Report whether Airflow shows what was published last.", "status"),
    ListedCommand("show", "Show a flow, or one of its runs with its failures.", "flows"),
    ListedCommand("versions", "List the versions of a flow, and what each changed.", "versions"),
    ListedCommand("diff", "Show what differs between two versions of a flow.", "versions"),
    ListedCommand("rollback", "Put an earlier version of a flow back.", "versions"),
    ListedCommand("trigger", "Run a published flow once, on its Airflow.", "flows"),
    ListedCommand("logs", "Print the log of an operator in a run.", "flows"),
    ListedCommand("replay", "Run an operator of a run here, with the inputs it had.", "reruns"),
    ListedCommand("resume", "Let a failed run go on, on its Airflow.", "reruns"),
    ListedCommand("compare", "Show two runs of a flow side by side.", "compare"),
    ListedCommand("artifact", "Print an artifact of a run, or write it to a file.", "flows"),
    ListedCommand("publish", "Publish the flows of a script, or an exported flow.", "promote"),
    ListedCommand("promote", "Publish a version of a flow to another store and its Airflow.", "promote"),
    ListedCommand("export", "Write a version of a flow into a folder.", "promote"),
    ListedCommand("prune", "Delete the artifacts of older runs of a flow.", "flows"),
    ListedCommand("delete", "Delete a published flow.", "flows"),
    ListedCommand("run", "Run a spec here, without Airflow.", "run_local"),
    ListedCommand("connect", "Connect a resource under a name, and check the connection.", "connect"),
    ListedCommand("resources", "List the connected resources.", "connect"),
    ListedCommand("test", "Check the connection to a connected resource.", "data_systems"),
    ListedCommand("tables", "List the tables, collections or files of a data system.", "data_systems"),
    ListedCommand("disconnect", "Forget a resource and its secrets.", "connect"),
    ListedCommand("check", "Check whether the requirements of a flow can be resolved.", "check"),
    ListedCommand("lint", "Check specs and report every problem.", "specs"),
    ListedCommand("schema", "Print the JSON Schema of native specs.", "specs"),
    ListedCommand("import", "Publish an exported flow; or convert the original's files.", "import_dags"),
    ListedCommand("demo", "Try it out: start an S3 server and Airflow here, and run a flow.", "demo"),
    ListedCommand("demo-db", "Write the demo database, for runs on Airflow.", "data_systems"),
    ListedCommand("init", "Make Airflow show specs: a loader file, or a bundle.", "init"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    :param arguments: without the program's name; None: those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        # Names in specs may hold what the terminal's encoding lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_SafeFormatter())
    chosen = _parsed(sys.argv[1:] if arguments is None else list(arguments))
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader, such as ``head``, has gone; what is left in the buffer must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (UsageError, AqueductError) as error:
        _show_error(error)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print(f"{_PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parsed(typed: Sequence[str]) -> Namespace:
    """Parse what was typed, and load only the module of the subcommand in it."""
    # The program's own options take no value, so the first other word is the subcommand.
    place = next((place for place, word in enumerate(typed) if not word.startswith("-")), len(typed))
    name = _own_parser().parse_args(typed[: place + 1]).command
    command = next(command for command in COMMANDS if command.name == name)
    subcommand = _subcommand(command)
    parser = ArgumentParser(f"{_PROGRAM} {name}", description=command.help, allow_abbrev=False)
    for add in subcommand.arguments:
        add(parser)
    parser.set_defaults(run=subcommand.run)
    # Options may stand anywhere: before, between and after the other arguments.
    return parser.parse_intermixed_args(typed[place + 1 :])


def _own_parser() -> ArgumentParser:
    parser = ArgumentParser(_PROGRAM, description="Aqueduct flows on Apache Airflow.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS:
        subparsers.add_parser(command.name, help=command.help)
    return parser


def _subcommand(command: ListedCommand) -> Subcommand:
    module = import_module(f"aqueduct_provider.cli.{command.module}")
    found: Subcommand = module.SUBCOMMANDS[command.name]
    return found


class _SafeFormatter(logging.Formatter):
    """Warnings may repeat text of the store or of a server."""

    def format(self, record: logging.LogRecord) -> str:
        from aqueduct_provider.sdk.console import terminal_safe

        return terminal_safe(super().format(record))


def _show_error(error: Exception) -> None:
    from aqueduct_provider.sdk.console import print_text

    message = error.for_terminal() if isinstance(error, AqueductError) else str(error)
    print_text(f"{_PROGRAM}: {message}", stderr=True)


def _version() -> str:
    # By name: an import statement would count as one of the rooms that the package's root names.
    return str(import_module("aqueduct_provider").__version__)
