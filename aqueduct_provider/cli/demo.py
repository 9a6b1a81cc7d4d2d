"""The demo: an S3 server, Airflow and the README's flow on this machine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aqueduct_provider.cli.command import Subcommand


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="keep the servers running until Ctrl-C")
    parser.add_argument(
        "--only-stack", action="store_true", help="start the servers until Ctrl-C, run nothing"
    )


def _demo(chosen: Namespace) -> int:
    from aqueduct_provider.demo.tour import Tour, readme_script

    only: bool = chosen.only_stack
    return 0 if Tour("" if only else readme_script(), keep=chosen.keep or only).run() else 1


SUBCOMMANDS = {"demo": Subcommand(_demo, (_arguments,))}
