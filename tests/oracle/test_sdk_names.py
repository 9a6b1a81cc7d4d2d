"""What code of the original imports, and what its parameters read from local files, on both sides."""

from __future__ import annotations

import json
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk import error
from aqueduct_provider.sdk.resources import connect_config
from aqueduct_provider.sdk.resources.services import SERVICES
from tests.oracle.harness import Oracle

pytestmark = pytest.mark.oracle

PUBLIC = """
import importlib, inspect

module = importlib.import_module(name)
result = [
    one for one, kind in vars(module).items()
    if inspect.isclass(kind) and kind.__module__ == name and not one.startswith("_")
]
"""

MEMBERS = """
import aqueduct.constants.enums as enums
result = {name: {one.name: one.value for one in getattr(enums, name)} for name in names}
"""

FIELDS = """
import aqueduct.resources.connect_config as configs
result = {name: [field.alias for field in getattr(configs, name).__fields__.values()] for name in names}
"""

# Of services that cannot be connected here.
ABSENT = {"GithubMetadata", "InvalidGithubQueryError", "ResourceConnectionInProgress", "InvalidMetadataError"}
ABSENT |= {"NoDestinationResourceException"}
ENUMS = (
    *("ArtifactType", "CheckSeverity", "ExecutionStatus", "LoadUpdateMode"),
    *("LocalDataTableFormat", "S3TableFormat"),
)
SERVICE_OF = {
    **{"MySQLConfig": "MySQL", "PostgresConfig": "Postgres", "RedshiftConfig": "Redshift"},
    **{"SQLiteConfig": "SQLite", "SqlServerConfig": "SQL Server", "SnowflakeConfig": "Snowflake"},
    **{"AirflowConfig": "Airflow", "AthenaConfig": "Athena", "BigQueryConfig": "BigQuery"},
    **{"S3Config": "S3", "GCSConfig": "GCS", "MongoDBConfig": "MongoDB"},
}


def test_errors(oracle: Oracle) -> None:
    theirs = set(oracle.evaluate(PUBLIC, name="aqueduct.error"))
    assert len(theirs) > 20
    assert theirs - ABSENT <= set(error.__all__)


def test_choices(oracle: Oracle) -> None:
    for name, members in oracle.evaluate(MEMBERS, names=ENUMS).items():
        found = getattr(aq, name)
        assert {key: found[key].value for key in members} == members
        assert {key: getattr(found, key).value for key in members} == members


def test_configs(oracle: Oracle) -> None:
    assert {*SERVICE_OF, "AWSCredentialType"} == set(connect_config.__all__)
    for name, fields in oracle.evaluate(FIELDS, names=sorted(SERVICE_OF)).items():
        assert set(fields) - {"use_as_storage"} <= set(SERVICES[SERVICE_OF[name]].fields)


@pytest.mark.parametrize("name", ["decorator", "constants.enums", "error", "resources.connect_config"])
def test_modules_that_keep_their_name(oracle: Oracle, name: str) -> None:
    assert isinstance(oracle.evaluate(PUBLIC, name=f"aqueduct.{name}"), list)
    assert import_module(f"aqueduct_provider.sdk.{name}").__all__


# --- local files

LOCAL = """
import logging, warnings
import aqueduct.client, aqueduct.globals
from aqueduct.constants.enums import ArtifactType

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
client = aqueduct.client.Client.__new__(aqueduct.client.Client)
client._dag = aqueduct.globals.__GLOBAL_DAG__
client._connected_resources = {}
made = client.create_param("p", path, use_local=True, as_type=ArtifactType(kind), format=format)
value = made.get()
result = [made.type().value, value.to_dict("list") if kind == "table" else repr(value)]
"""

TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, None]})


@pytest.mark.parametrize(
    ("kind", "format", "data"),
    [
        ("table", "csv", TABLE.to_csv(index=False).encode()),
        ("table", "json", TABLE.to_json(orient="table", index=False).encode()),
        ("table", "Parquet", TABLE.to_parquet()),
        ("string", None, "hällo\n".encode()),
        ("string", None, b'{"a": 1}'),
        ("json", None, b'{"a": 1}'),
        ("bytes", None, b"\x00\xff"),
        ("dictionary", None, pickle.dumps({"a": (1, 2)}, protocol=4)),
        ("list", None, pickle.dumps([1, (2, 3)], protocol=4)),
        ("tuple", None, pickle.dumps((1, "x"), protocol=4)),
        ("picklable", None, pickle.dumps(frozenset([1]), protocol=4)),
        ("picklable", None, pickle.dumps(5, protocol=4)),
    ],
)
def test_local_files(oracle: Oracle, tmp_path: Path, kind: str, format: Any, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    theirs = oracle.evaluate(LOCAL, path=str(path), kind=kind, format=format)
    client = aq.Client(config_path=tmp_path / "config.toml")
    made = client.create_param("p", str(path), use_local=True, as_type=aq.ArtifactType(kind), format=format)
    value = made.get()
    mine = [made.type().value, value.to_dict("list") if kind == "table" else repr(value)]
    assert json.dumps(mine) == json.dumps(theirs)
