from __future__ import annotations

import pytest

from aqueduct_provider.connectors.system import url_options
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.resources.urls import fields_of

LOGIN = {"username": "me", "password": "s3cret"}


@pytest.mark.parametrize(
    ("service", "url", "fields"),
    [
        (
            "Postgres",
            "postgresql+psycopg2://me:s3cret@db.example.com:5433/shop?sslmode=require",
            {
                **LOGIN,
                "host": "db.example.com",
                "port": "5433",
                "database": "shop",
                "options": "sslmode=require",
            },
        ),
        ("Postgres", "postgres://me@[::1]/shop", {"username": "me", "host": "::1", "database": "shop"}),
        ("Redshift", "redshift://me@h/d", {"username": "me", "host": "h", "database": "d"}),
        (
            "MySQL",
            "mysql+pymysql://me:s%40%2Fcret@h/my%20shop",
            {"username": "me", "password": "s@/cret", "host": "h", "database": "my shop"},
        ),
        (
            "MariaDB",
            "mariadb://me@h:3307/d",
            {"username": "me", "host": "h", "port": "3307", "database": "d"},
        ),
        ("AzureSQL", "mssql+pymssql://me@h/d", {"username": "me", "host": "h", "database": "d"}),
        ("SQLite", "sqlite:////data/shop.db", {"database": "/data/shop.db"}),
        ("SQLite", "sqlite:///shop.db", {"database": "shop.db"}),
        (
            "Snowflake",
            "snowflake://me:s3cret@AB12-XY/shop/sales?warehouse=small&role=reader&x=1",
            {
                **LOGIN,
                "account_identifier": "AB12-XY",
                "database": "shop",
                "schema": "sales",
                "warehouse": "small",
                "role": "reader",
                "options": "x=1",
            },
        ),
        ("BigQuery", "bigquery://my-project", {"project_id": "my-project"}),
        (
            "MongoDB",
            "mongodb+srv://me:s3cret@h/shop?retryWrites=true",
            {"auth_uri": "mongodb+srv://me:s3cret@h/shop?retryWrites=true", "database": "shop"},
        ),
    ],
)
def test_the_fields_of_a_url(service: str, url: str, fields: dict[str, str]) -> None:
    assert fields_of(url, SERVICES[service]) == fields


@pytest.mark.parametrize(
    ("service", "url", "problem"),
    [
        (
            "Postgres",
            "mysql://me:s3cret@h/d",
            "url: one of Postgres begins with postgresql:// or postgres://.",
        ),
        ("Postgres", "s3cret", "url: one of Postgres begins with"),
        ("Postgres", "postgresql://me:s3/cret@h/d", "url: cannot be read. Write / ? # @ :"),
        ("Postgres", "postgresql://me@h:s3cret/d", "url: cannot be read."),
        ("MongoDB", "mongodb+other://me:s3cret@h", "url: one of MongoDB begins with"),
    ],
)
def test_what_is_no_url_of_the_service(service: str, url: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        fields_of(url, SERVICES[service])
    assert str(raised.value).startswith(problem)
    error: BaseException | None = raised.value
    while error:
        assert "s3cret" not in str(error)
        error = error.__cause__


def test_options() -> None:
    assert url_options("sslmode=require&x=a%20b&empty=") == {"sslmode": "require", "x": "a b", "empty": ""}
