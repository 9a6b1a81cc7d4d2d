"""What tells an SDK client, by environment variables alone, where Airflow and the artifact store are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.sdk.resources.demo import DEMO_CONNECTION, make_demo
from tests.data_servers.postgres import PostgresServer
from tests.integration.client import Login
from tests.integration.stack import DATABASE_VARIABLE

CONNECTION = "aqueduct_default"
CONNECTION_VARIABLE = f"AIRFLOW_CONN_{CONNECTION.upper()}"


def airflow_connection(conn_type: str, config: Mapping[str, Any]) -> str:
    """A database as an Airflow connection, for a variable of Airflow's processes.

    :param config: the fields of its connector (Aqueduct formats, section 6).
    """
    login = {"login": config["username"], "password": config["password"]}
    place = {"host": config["host"], "port": int(config["port"]), "schema": config["database"]}
    return json.dumps({"conn_type": conn_type, **login, **place})


def database_settings(server: PostgresServer) -> dict[str, str]:
    """The variable of Airflow's processes for a new, empty database of Airflow's own."""
    place = server.new_database()
    login = f"{place['username']}:{place['password']}@{place['host']}:{place['port']}"
    return {DATABASE_VARIABLE: f"postgresql+psycopg2://{login}/{place['database']}"}


def bundle_settings(place: S3Place) -> dict[str, str]:
    """The variables of Airflow 3 for a bundle of ours beside the DAG folder.

    :param place: its specs lie below ``specs/`` there.
    """
    local = {"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    ours = {
        "name": "aqueduct",
        "classpath": "aqueduct_provider.bundles.AqueductDagBundle",
        "kwargs": {"connection_id": "bundle", "refresh_interval": 1},
    }
    return {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([{**local, "kwargs": {}}, ours]),
        "AIRFLOW_CONN_BUNDLE": place.connection(),
    }


def demo_connection(folder: Path) -> dict[str, str]:
    """The variable of Airflow's processes for the demo database, which is made in a folder.

    An admin does the same with ``aqueduct-airflow demo-db`` and ``airflow connections add``.
    """
    path = folder / "demo.sqlite"
    make_demo(path)
    return {f"AIRFLOW_CONN_{DEMO_CONNECTION.upper()}": json.dumps({"conn_type": "sqlite", "host": str(path)})}


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
        """The store as an Airflow connection, for :data:`CONNECTION_VARIABLE` of Airflow's processes."""
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
        """The variables of a script that publishes to an Airflow with this store.

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
