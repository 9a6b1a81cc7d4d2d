"""What a connection to each data system may hold beyond login, host and database: one declaration (pure).

SDK resources, Airflow connections and the connectors themselves go by it, so that an option that works in one
of them works in all. An option is used, passed on, or refused with what to do instead; none is dropped.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aqueduct_provider.storage.google_credentials import GOOGLE_OPTIONS


@dataclass(frozen=True)
class OptionRules:
    """The options of a data system.

    :param known: those that are used or passed to the driver; None: all but the refused ones are passed, and
        the driver or its connector refuses those that it does not know.
    :param refused: those that cannot be used -> what to do instead. Values that ask for nothing are let pass.
    :param fields: extras of an Airflow connection that are fields of the configuration -> the field.
    :param prefix: what the names of extras begin with where an old Airflow has saved them.
    """

    known: frozenset[str] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


_REMOVE = "remove it, for it is for other users of the connection"
_CURSOR = {"cursor": f"{_REMOVE}: rows are always read in batches"}
_SET_HERE = "remove it, for the connector sets it itself"
_NO_IAM = "give a password, for tokens of IAM are not fetched"
_IAM = dict.fromkeys(("iam", "aws_conn_id"), _NO_IAM)

_POSTGRES_IAM = ("redshift", "redshift-serverless", "cluster-identifier", "workgroup-name", "azure_conn_id")
_POSTGRES = OptionRules(
    refused={**_IAM, **_CURSOR, **dict.fromkeys(_POSTGRES_IAM, _NO_IAM)}, fields={"database": "database"}
)
_REDSHIFT = OptionRules(
    refused={
        **_CURSOR,
        "aws_conn_id": "name a profile of the worker in profile, or the keys in access_key_id and so on",
        "serverless_token_duration_seconds": "remove it, for Amazon's driver has no such option",
        "max_prepared_statements": _SET_HERE,
    },
    fields={"database": "database"},
)
_MYSQL = OptionRules(
    refused={
        **_IAM,
        **_CURSOR,
        "client": f"{_REMOVE}: the driver is always PyMySQL",
        "ssl_mode": "use ssl_ca, ssl_cert, ssl_key, ssl_verify_cert and ssl_verify_identity, or ssl_disabled",
        **dict.fromkeys(("init_command", "sql_mode", "cursorclass", "local_infile", "autocommit"), _SET_HERE),
    },
    fields={"database": "database"},
)
_SQL_SERVER = OptionRules(
    refused={
        "sqlalchemy_scheme": f"{_REMOVE}: the driver is always pymssql",
        **dict.fromkeys(("as_dict", "autocommit"), _SET_HERE),
    },
    fields={"database": "database"},
)
_OAUTH = "give a token with authenticator oauth, the driver's own oauth_client_id and so on, or a private key"
_SNOWFLAKE = OptionRules(
    refused={
        **dict.fromkeys(
            ("azure_conn_id", "grant_type", "refresh_token", "scope", "token_endpoint", "oauth_username"),
            _OAUTH,
        ),
        "oauth_password": _OAUTH,
        **dict.fromkeys(
            ("paramstyle", "arrow_number_to_decimal", "numpy", "converter_class", "autocommit"), _SET_HERE
        ),
    },
    fields={name: name for name in ("database", "warehouse", "role", "schema")}
    | {"account": "account_identifier"},
    prefix="extra__snowflake__",
)
_KEYFILE = "put the key itself into keyfile_dict, such as by a secrets backend of Airflow"
_ADC = "let the variable GOOGLE_APPLICATION_CREDENTIALS of the workers name that file, and give no key"
_GOOGLE_REFUSED = {
    **dict.fromkeys(("key_secret_name", "key_secret_project_id"), _KEYFILE),
    **dict.fromkeys(
        (
            *("credential_config_file", "idp_issuer_url", "client_id", "client_secret"),
            *("idp_extra_parameters", "idp_extra_params"),
        ),
        _ADC,
    ),
}
_GOOGLE_FIELDS = {
    **dict.fromkeys(("project", "project_id"), "project_id"),
    **dict.fromkeys(("keyfile_dict", "key_path", "keyfile_path"), "service_account_credentials"),
}
_BIGQUERY = OptionRules(
    known=frozenset({*GOOGLE_OPTIONS, "api_endpoint", "labels", "location", "priority"}),
    refused={
        **_GOOGLE_REFUSED,
        "use_legacy_sql": "write the query in GoogleSQL",
        "api_resource_configs": "remove it, and use location, labels and priority",
    },
    fields=_GOOGLE_FIELDS,
    prefix="extra__google_cloud_platform__",
)
_GCS = OptionRules(
    known=frozenset(GOOGLE_OPTIONS),
    refused=_GOOGLE_REFUSED,
    fields={**_GOOGLE_FIELDS, **{name: name for name in ("bucket", "root_dir", "endpoint")}},
    prefix="extra__google_cloud_platform__",
)
_PROFILE = "write it into a profile of an AWS config file of the workers, and name that in profile_name"
_ATHENA = OptionRules(
    known=frozenset(
        "work_group catalog_name poll_interval encryption_option kms_key result_reuse_enable "
        "result_reuse_minutes kill_on_interrupt glue_metadata_fallback".split()
    ),
    refused={
        **dict.fromkeys(
            (
                *("role_arn", "external_id", "assume_role_method", "assume_role_kwargs", "verify"),
                *("config_kwargs", "service_config", "s3_config_file", "s3_config_format", "profile"),
            ),
            _PROFILE,
        ),
        "session_kwargs": "write its parts as aws_access_key_id, profile_name and so on",
        "aws_domain": "give the whole address as endpoint_url",
        "driver": f"{_REMOVE}: results are always read from S3",
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
_SQLITE = OptionRules(
    known=frozenset({"types", "mode", "cache", "immutable", "nolock", "psow", "vfs"}),
    # Of an Airflow that saved the path there.
    fields={"database": "database"},
)
_MONGODB = OptionRules(
    # Options of the URI, which the connector checks with pymongo's own list.
    fields={"srv": "srv", "allow_insecure": "tlsAllowInvalidCertificates", "ssl": "tls"},
)

OPTIONS: Mapping[str, OptionRules] = {
    "Postgres": _POSTGRES,
    "Redshift": _REDSHIFT,
    "MySQL": _MYSQL,
    "MariaDB": _MYSQL,
    "SQLite": _SQLITE,
    "SQL Server": _SQL_SERVER,
    "AzureSQL": _SQL_SERVER,
    "Snowflake": _SNOWFLAKE,
    "BigQuery": _BIGQUERY,
    "Athena": _ATHENA,
    "MongoDB": _MONGODB,
    "S3": OptionRules(known=frozenset()),
    "GCS": _GCS,
}


def is_empty(value: Any) -> bool:
    """Check whether a value asks for nothing: forms save what was left empty."""
    return value is None or value == "" or value == {} or value == []


def option_text(value: Any) -> str:
    """Return an option as text: JSON, unless it is text already."""
    return value if isinstance(value, str) else json.dumps(value)


def option_problems(connector: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the options, each named, without their values.

    :param connector: name of the data system. :param options: by name, as the connector calls them.
    """
    rules = OPTIONS[connector]
    for name, value in options.items():
        if name in rules.refused:
            if not is_empty(value) and option_text(value).lower() not in ("false", "0"):
                yield f"{name} cannot be used: {rules.refused[name]}"
        elif rules.known is not None and name not in rules.known:
            close = difflib.get_close_matches(name, (*rules.known, *rules.fields), n=1)
            hint = f", did you mean {close[0]!r}?" if close else ": remove it"
            yield f"{name} is unknown{hint}"


def used_options(connector: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that the connector uses or passes on, as text, once none of them is a problem."""
    refused = OPTIONS[connector].refused
    return {
        name: option_text(value)
        for name, value in options.items()
        if name not in refused and not is_empty(value)
    }
