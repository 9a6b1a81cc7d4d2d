"""Declare MySQL and MariaDB."""

from __future__ import annotations

from dataclasses import replace

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import (
    NO_CURSOR,
    NO_IAM,
    REMOVE,
    SET_HERE,
    TABLE_MODULES,
    DatabaseServer,
    OptionRules,
)

MYSQL = Dialect(
    "MySQL",
    quotes=("`", "`"),
    string_quotes="'\"",
    backslashes=True,
    hash_comments=True,
    spaced_dashes=True,
    placeholder="%s",
    concat="CONCAT",
    max_name=64,
    types={
        **COMMON_TYPES,
        "float32": "FLOAT",
        "float64": "DOUBLE",
        "text": "LONGTEXT",
        "json": "JSON",
        "binary": "LONGBLOB",
        "time": "TIME(6)",
        "timestamp": "DATETIME(6)",
        # In UTC. TIMESTAMP would end in 2038.
        "timestamptz": "DATETIME(6)",
    },
    decimal_digits=(65, 30),
    has_nan=False,
    has_zones=False,
)

_MYSQL = DatabaseServer(
    "MySQL",
    __package__,
    schemes=("mysql", "mariadb"),
    connection_types=("mysql",),
    options=OptionRules(
        refused={
            **dict.fromkeys(("iam", "aws_conn_id"), NO_IAM),
            **NO_CURSOR,
            "client": f"{REMOVE}: the driver is always PyMySQL",
            "ssl_mode": (
                "use ssl_ca, ssl_cert, ssl_key, ssl_verify_cert and ssl_verify_identity, or ssl_disabled"
            ),
            **dict.fromkeys(
                ("init_command", "sql_mode", "cursorclass", "local_infile", "autocommit"), SET_HERE
            ),
        },
        fields={"database": "database"},
    ),
    extra="mysql",
    drivers=("pymysql", "sqlalchemy", *TABLE_MODULES),
    dialect=MYSQL,
    uri=("mysql", 3306, ""),
)
SYSTEMS = (_MYSQL, replace(_MYSQL, name="MariaDB", schemes=("mariadb", "mysql")))
