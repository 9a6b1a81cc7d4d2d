"""The servers of the demo: an S3 server, and an Airflow that finds its specs there, on 127.0.0.1 alone."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.demo.local_airflow import LocalAirflow, Login
from aqueduct_provider.demo.local_s3 import BUCKET, PROFILE, REGION, local_s3
from aqueduct_provider.errors import CommandNotStarted
from aqueduct_provider.sdk.resources.demo import DEMO_CONNECTION, make_demo
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION as CONNECTION

CONNECTION_VARIABLE = f"AIRFLOW_CONN_{CONNECTION.upper()}"


@dataclass(frozen=True)
class S3Place:
    """An artifact store in an S3 server of this machine."""

    endpoint: str
    bucket: str
    credentials_path: Path
    credentials_profile: str
    root_dir: str = ""
    region: str = "us-east-1"

    def connection(self) -> str:
        """Return the store as an Airflow connection, for :data:`CONNECTION_VARIABLE`."""
        extra = {
            "bucket": self.bucket,
            "region": self.region,
            "root_dir": self.root_dir,
            "endpoint_url": self.endpoint,
            "credentials_path": str(self.credentials_path),
            "credentials_profile": self.credentials_profile,
        }
        return json.dumps({"conn_type": "aqueduct", "extra": extra})

    def variables(self, airflow: Login, config: Path) -> dict[str, str]:
        """Return the variables of a script that publishes to an Airflow with this store.

        :param config: the client's configuration file; the user's own, and the keyring, are left alone.
        """
        return {
            "AIRFLOW_HOST": airflow.url,
            "AIRFLOW_PASSWORD": airflow.password,
            "AQUEDUCT_BUCKET": self.bucket,
            "AQUEDUCT_REGION": self.region,
            "AQUEDUCT_ROOT_DIR": self.root_dir,
            "AQUEDUCT_ENDPOINT_URL": self.endpoint,
            "AQUEDUCT_CREDENTIALS_PATH": str(self.credentials_path),
            "AQUEDUCT_CREDENTIALS_PROFILE": self.credentials_profile,
            "AQUEDUCT_CONFIG": str(config),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }


@dataclass(frozen=True)
class Stack:
    """The running servers.

    :param home: a folder of the stack's own; everything in it is deleted with the stack.
    """

    home: Path
    airflow: LocalAirflow
    store: S3Place

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables of a script that publishes to this Airflow."""
        return self.store.variables(self.airflow.login, self.home / "config.toml")

    def write_variables(self, path: Path) -> None:
        """Write a file that a shell can read with ``.``, for its owner alone: it holds a password."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("\n".join([*lines, ""]))


@contextmanager
def running_stack(home: Path, starting: Callable[[str], None]) -> Iterator[Stack]:
    """Start both servers; they end with the context.

    :param home: a new folder.
    :param starting: is called with the name of each server as it is started.
    :raises AqueductError: a server does not start; the message shows what it wrote.
    """
    starting("an S3 server")
    with local_s3(home) as endpoint:
        store = S3Place(endpoint, BUCKET, home / "credentials", PROFILE, region=REGION)
        settings = {
            CONNECTION_VARIABLE: store.connection(),
            # The database of the tutorial.
            **demo_connection(home),
        }
        starting("Airflow")
        airflow = LocalAirflow(home / "airflow", settings)
        airflow.dags.mkdir(parents=True)
        _write_loader(airflow.dags)
        with airflow:
            yield Stack(home, airflow, store)


def demo_connection(folder: Path) -> dict[str, str]:
    """Make the demo database in a folder, and return the variable of Airflow's processes that names it.

    An admin does the same with ``aqueduct-airflow demo-db`` and ``airflow connections add``.
    """
    path = folder / "demo.sqlite"
    make_demo(path)
    return {f"AIRFLOW_CONN_{DEMO_CONNECTION.upper()}": json.dumps({"conn_type": "sqlite", "host": str(path)})}


def _write_loader(dags: Path) -> None:
    """Do what an admin does once."""
    program = "import sys; from aqueduct_provider.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "init", str(dags), "--connection", CONNECTION]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CommandNotStarted(f"aqueduct-airflow init failed: {done.stderr.strip()}")
