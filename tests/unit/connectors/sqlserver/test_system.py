from __future__ import annotations

from aqueduct_provider.connectors.registry import find_typed
from aqueduct_provider.connectors.sqlserver.system import SYSTEMS


def test_sql_server_and_azure_sql_differ_in_names_only() -> None:
    server, azure = SYSTEMS
    assert server.dialect is azure.dialect
    assert azure.table_uri({"host": "h", "database": "d"}, "t") == "mssql://h:1433/d/dbo/t"
    assert (find_typed("mssql"), find_typed("azure-sql")) == (server, azure)
