"""Declare S3, whose files are read and written through ``storage/``."""

from __future__ import annotations

from aqueduct_provider.connectors.aws import AWS_FIELDS, AWS_SECRETS
from aqueduct_provider.connectors.system import DataSystem, OptionRules

SYSTEMS = (
    DataSystem(
        "S3",
        family="files",
        optional=("bucket", "root_dir", "endpoint_url", *AWS_FIELDS),
        secrets=AWS_SECRETS,
        connection_types=("aqueduct",),
        options=OptionRules(known=frozenset()),
        original_config="s3",
    ),
)
