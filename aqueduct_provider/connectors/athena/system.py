"""Declare Athena, which is only read."""

from __future__ import annotations

from aqueduct_provider.connectors.aws import AWS_FIELDS, AWS_SECRETS
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.system import (
    REMOVE,
    TABLE_MODULES,
    AirflowConnection,
    Config,
    DataSystem,
    Extra,
    OptionRules,
)
from aqueduct_provider.errors import ConfigError

ATHENA = Dialect("Athena", strict_types=True, max_name=255)

_PROFILE = "write it into a profile of an AWS config file of the workers, and name that in profile_name"
_PROFILE_EXTRAS = (
    *("role_arn", "external_id", "assume_role_method", "assume_role_kwargs", "verify"),
    *("config_kwargs", "service_config", "s3_config_file", "s3_config_format", "profile"),
)
_OPTIONS = OptionRules(
    known=frozenset(
        "work_group catalog_name poll_interval encryption_option kms_key result_reuse_enable "
        "result_reuse_minutes kill_on_interrupt glue_metadata_fallback".split()
    ),
    refused={
        **dict.fromkeys(_PROFILE_EXTRAS, _PROFILE),
        "session_kwargs": "write its parts as aws_access_key_id, profile_name and so on",
        "aws_domain": "give the whole address as endpoint_url",
        "driver": f"{REMOVE}: results are always read from S3",
    },
    fields={
        "aws_access_key_id": "access_key_id",
        "aws_secret_access_key": "secret_access_key",
        "aws_session_token": "session_token",
        "profile_name": "config_file_profile",
        "region_name": "region",
        "s3_staging_dir": "output_location",
        "schema_name": "database",
        **{name: name for name in ("database", "output_location", "endpoint_url")},
    },
)


class Athena(DataSystem):
    """A database of Athena's, and the bucket for its results."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        fields = {name: str(value) for name, value in extra.fields.items()}
        if connection.login and fields.get("config_file_profile"):
            raise ConfigError(
                f"The Airflow connection {connection.conn_id!r} has keys and a profile_name, of which only "
                "one can be used. Remove the other."
            )
        return {
            "type": "access_key",
            "database": connection.schema or "",
            "region": "",
            **fields,
            "access_key_id": connection.login or fields.get("access_key_id", ""),
            "secret_access_key": connection.password or fields.get("secret_access_key", ""),
            **extra.option_field,
        }


SYSTEMS = (
    Athena(
        "Athena",
        __package__,
        needed=("database", "output_location"),
        optional=("endpoint_url", "options", *AWS_FIELDS),
        secrets=AWS_SECRETS,
        connection_types=("aws", "athena"),
        needed_of_connection=("database", "output_location"),
        options=_OPTIONS,
        extra="athena",
        drivers=("pyathena", *TABLE_MODULES),
        dialect=ATHENA,
        is_written=False,
        original_config="athena",
    ),
)
