"""The command line, ``aqueduct-airflow``: one module for each group of subcommands.

A package, since one file would have more than one reason to change: specs and their folder, published flows
and their runs, connected resources, and running a spec here. ``command.py`` names all subcommands and loads
the module of the one that was typed, so that the others cost nothing.
"""

from aqueduct_provider.cli.command import main

__all__ = ["main"]
