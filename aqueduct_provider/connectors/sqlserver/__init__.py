"""SQL Server and Azure SQL via pymssql."""
