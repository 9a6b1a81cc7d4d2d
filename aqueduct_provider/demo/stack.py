"""The servers of the demo: an S3 server and an Airflow that finds its specs there, on 127.0.0.1 alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider import cli
from demo.local_s3 import BUCKET, PROFILE, REGION, local_s3
from tests.integration.stack import AirflowStack
from tests.integration.surroundings import CONNECTION, CONNECTION_VARIABLE, S3Place, demo_connection
from tools.environments import index_settings


@dataclass(frozen=True)
class Stack:
    """The running servers.

    :param home: a folder of the stack's own; everything in it goes with the stack.
    """

    home: Path
    airflow: AirflowStack
    store: S3Place

    @property
    def variables(self) -> Mapping[str, str]:
        """What the environment of a script must hold to publish to this Airflow."""
        return self.store.variables(self.airflow.login, self.home / "config.toml")

    def write_variables(self, path: Path) -> None:
        """Write a file that a shell can read with ``.``."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("\n".join([*lines, ""]))


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """Start both servers; they end with the context.

    :param home: a new folder.
    """
    with local_s3(home) as endpoint:
        store = S3Place(endpoint, BUCKET, home / "credentials", PROFILE, region=REGION)
        settings = {
            **index_settings(),
            CONNECTION_VARIABLE: store.connection(),
            # The database of the tutorial.
            **demo_connection(home),
        }
        with AirflowStack(home / "airflow", settings) as airflow:
            # What an admin does once.
            cli.main(["init", str(airflow.dags), "--connection", CONNECTION])
            yield Stack(home, airflow, store)
