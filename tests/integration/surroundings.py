"""What tells an SDK client, by environment variables alone, where Airflow and the artifact store are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.integration.client import Login

CONNECTION = "aqueduct_default"
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
