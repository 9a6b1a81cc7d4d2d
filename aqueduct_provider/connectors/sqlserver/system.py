"""Declare SQL Server and Azure SQL."""

from __future__ import annotations

from dataclasses import replace

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import REMOVE, SET_HERE, TABLE_MODULES, DatabaseServer, OptionRules

SQL_SERVER = Dialect(
    "SQL Server",
    quotes=("[", "]"),
    nested_comments=True,
    # As sp_executesql names values.
    placeholder="@p{n}",
    concat="CONCAT",
    types={
        **COMMON_TYPES,
        "bool": "BIT",
        "int32": "INT",
        "float64": "FLOAT",
        "text": "NVARCHAR(MAX)",
        "json": "NVARCHAR(MAX)",
        "binary": "VARBINARY(MAX)",
        "time": "TIME(6)",
        "timestamp": "DATETIME2(6)",
        "timestamptz": "DATETIMEOFFSET(6)",
    },
    decimal_digits=(38, 38),
    has_nan=False,
)

_SQL_SERVER = DatabaseServer(
    "SQL Server",
    __package__,
    aliases=("mssql",),
    schemes=("mssql",),
    connection_types=("mssql",),
    options=OptionRules(
        refused={
            "sqlalchemy_scheme": f"{REMOVE}: the driver is always pymssql",
            **dict.fromkeys(("as_dict", "autocommit"), SET_HERE),
        },
        fields={"database": "database"},
    ),
    extra="sqlserver",
    drivers=("pymssql", *TABLE_MODULES),
    dialect=SQL_SERVER,
    uri=("mssql", 1433, "dbo"),
)
SYSTEMS = (_SQL_SERVER, replace(_SQL_SERVER, name="AzureSQL", aliases=()))
