"""Make Airflow show specs: the loader in the DAG folder, or the bundle in airflow.cfg."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from aqueduct_provider.cli.command import Subcommand, UsageError
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION

LOADER_FILE = "aqueduct_dags.py"
# Airflow opens only files that hold the words "airflow" and "dag".
LOADER = """\
from aqueduct_provider import DagFactory  # airflow: shows every Aqueduct spec of this folder as a DAG

globals().update(DagFactory.dags_in(__file__))
"""
STORE_LOADER = """\
from aqueduct_provider import DagFactory  # airflow: shows the specs of this folder and a store as DAGs

globals().update(DagFactory.dags_in(__file__, connection_id={connection}))
"""
BUNDLE = """\
# For airflow.cfg, on every machine of this Airflow (3.0 or newer): set these options in the sections that it
# has already, for no section may be there twice. Or set variables, such as
# AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST. Other bundles stay in the list next to this one. Then
# restart all parts of Airflow, and remove a loader (aqueduct_dags.py) with the same connection.

[core]
# Above 0, a flow that is published twice within so many seconds runs its new code with its old list of tasks.
min_serialized_dag_update_interval = 0

[dag_processor]
dag_bundle_config_list = [
    {{"name": "dags-folder",
     "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
     "kwargs": {{}}}},
    {{"name": "aqueduct",
     "classpath": "aqueduct_provider.bundles.AqueductDagBundle",
     "kwargs": {kwargs}}}]
# Specs that change are parsed at once; with thousands of flows, the others need not be every 30 seconds.
min_file_process_interval = 300
"""


def _init_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        help="Airflow's DAG folder, or one in it; with --bundle: specs on disk, instead of --connection",
    )
    parser.add_argument(
        "--bundle",
        action="store_true",
        help="write nothing; print what airflow.cfg needs for a versioned bundle (Airflow 3)",
    )
    parser.add_argument(
        "--connection",
        metavar="ID",
        help="show the specs in the store of this Airflow connection too, such as aqueduct_default",
    )
    parser.add_argument("--force", action="store_true", help=f"replace a different {LOADER_FILE}")


def _init(chosen: Namespace) -> int:
    if chosen.bundle:
        print(_bundle(chosen), end="")
        return 0
    if chosen.folder is None:
        raise UsageError("name Airflow's DAG folder, or give --bundle")
    file: Path = chosen.folder / LOADER_FILE
    loader = _loader(chosen.connection)
    if not chosen.folder.is_dir():
        raise UsageError(f"{chosen.folder} is not a folder; create it, or name Airflow's DAG folder")
    try:
        if file.exists() and file.read_text("utf-8", "replace") == loader:
            print(f"{file} is unchanged")
            return 0
        if file.exists() and not chosen.force:
            raise UsageError(f"{file} has other content; look at it, then repeat with --force to replace it")
        # Airflow may read the folder at any moment: the file appears whole.
        temporary = file.with_suffix(".tmp")
        temporary.write_text(loader, "utf-8")
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; check the permissions") from error
    store = f", or deliver them to the store of {chosen.connection}" if chosen.connection else ""
    print(f"wrote {file}; drop *.json specs next to it{store}")
    return 0


def _bundle(chosen: Namespace) -> str:
    if chosen.folder and chosen.connection:
        raise UsageError("a bundle takes its specs from FOLDER or from the store of --connection, not both")
    where = (
        {"folder": str(chosen.folder.absolute())}
        if chosen.folder
        else {"connection_id": chosen.connection or DEFAULT_CONNECTION}
    )
    # airflow.cfg gives the percent sign a meaning of its own.
    kwargs = json.dumps({**where, "refresh_interval": 30}).replace("%", "%%")
    return BUNDLE.format(kwargs=kwargs)


def _loader(connection: str | None) -> str:
    if not connection:
        return LOADER
    return STORE_LOADER.format(connection=json.dumps(connection, ensure_ascii=False))


SUBCOMMANDS = {"init": Subcommand(_init, (_init_arguments,))}
