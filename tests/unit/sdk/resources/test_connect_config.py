from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources import connect_config
from aqueduct_provider.sdk.resources.connect_config import SnowflakeConfig, SQLiteConfig
from aqueduct_provider.sdk.resources.data_system import normalised
from aqueduct_provider.sdk.resources.services import SERVICES


@pytest.fixture
def client(tmp_path: Path) -> aq.Client:
    return aq.Client(config_path=tmp_path / "config.toml")


def test_a_resource_is_connected_with_it(client: aq.Client, tmp_path: Path) -> None:
    client.connect_resource("shop", aq.ServiceType.SQLITE, SQLiteConfig(database=str(tmp_path / "shop.db")))
    assert client.resource("shop").sql("SELECT 1 AS one").get()["one"].tolist() == [1]


@pytest.mark.parametrize("name", [name for name in connect_config.__all__ if name.endswith("Config")])
def test_each_is_at_the_top_and_stands_for_its_fields(name: str) -> None:
    kind = getattr(aq, name)
    made = kind(host="h", port=None, password="s3cret")
    assert made == {"host": "h", "password": "s3cret"}
    assert (made.host, getattr(made, "port", "none")) == ("h", "none")
    assert repr(made) == f"<{name}: host, password>"


@pytest.mark.parametrize("field", ["schema", "db_schema"])
def test_the_schema_of_snowflake_has_two_names(field: str) -> None:
    given: dict[str, Any] = {"account_identifier": "a", "database": "d", "warehouse": "w", "username": "u"}
    config = SnowflakeConfig(**given, **{field: "s"}, role=None)
    assert normalised(SERVICES["Snowflake"], "sf", config)["schema"] == "s"


def test_a_resource_of_the_original_that_was_no_artifact_store(client: aq.Client, tmp_path: Path) -> None:
    config = {"database": str(tmp_path / "a.db"), "use_as_storage": "false"}
    client.connect_resource("a", "SQLite", config)
    assert client.resource("a").fields == {"database": config["database"]}
    with pytest.raises(ConfigError, match="'a' cannot be made the artifact store by use_as_storage"):
        client.connect_resource("a", "S3", connect_config.S3Config(bucket="b", use_as_storage="true"))


def test_what_it_was_not_given_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="SQLiteConfig was given no 'host'"):
        SQLiteConfig(database="/x").host  # noqa: B018
