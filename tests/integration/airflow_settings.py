"""Settings of Airflow for the tests' databases and bundles, as environment variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aqueduct_provider.demo.local_airflow import DATABASE_VARIABLE
from aqueduct_provider.demo.stack import S3Place
from tests.data_servers.postgres import PostgresServer


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


def notification_connections(url: str, smtp_port: int) -> dict[str, str]:
    """The connections ``alerts`` (a webhook) and ``smtp_default``, as environment variables."""
    extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True}
    hook = {"conn_type": "http", "host": f"{url}/hooks/of-the-integration-tests", "password": "s3cr3t-t0ken"}
    mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": smtp_port, "extra": extra}
    return {"AIRFLOW_CONN_ALERTS": json.dumps(hook), "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail)}
