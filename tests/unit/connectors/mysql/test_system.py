from __future__ import annotations

from aqueduct_provider.connectors.mysql.system import MYSQL, SYSTEMS


def test_mysql_and_mariadb_differ_in_names_only() -> None:
    mysql, mariadb = SYSTEMS
    assert (mysql.name, mariadb.name) == ("MySQL", "MariaDB")
    assert mysql.schemes == mariadb.schemes[::-1]
    assert mysql.dialect is mariadb.dialect is MYSQL
    assert mysql.table_uri({"host": "h", "database": "d"}, "s.t") == "mysql://h:3306/s/t"
