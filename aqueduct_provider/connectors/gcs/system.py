"""Declare Google Cloud Storage, whose files are read and written through ``storage/``."""

from __future__ import annotations

from aqueduct_provider.connectors.google import FIELDS, GOOGLE_OPTIONS, KEYS, PREFIX, REFUSED, GoogleSystem
from aqueduct_provider.connectors.system import OptionRules

SYSTEMS = (
    GoogleSystem(
        "GCS",
        family="files",
        needed=("bucket",),
        optional=(
            *("root_dir", "endpoint", "project_id", "options"),
            *("service_account_credentials_path", "connection_id"),
        ),
        secrets=(KEYS,),
        connection_types=("google_cloud_platform",),
        needed_of_connection=("bucket",),
        options=OptionRules(
            known=frozenset(GOOGLE_OPTIONS),
            refused=REFUSED,
            fields={**FIELDS, **{name: name for name in ("bucket", "root_dir", "endpoint")}},
            prefix=PREFIX,
        ),
        extra="gcs",
        drivers=("google.cloud.storage",),
        original_config="gcs",
    ),
)
