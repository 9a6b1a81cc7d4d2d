"""Files in buckets in a notebook, on a real S3 server and on the client's own store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound, ObjectNotFound, StorageError
from aqueduct_provider.sdk.resources.files_resource import FilesResource
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.s3 import S3Settings, connect

CSV = b"day,cups\nMon,120\nTue,135\n"


@pytest.fixture
def config(bucket: str, s3_server: str) -> dict[str, str]:
    keys = {"access_key_id": "key", "secret_access_key": "s3cret"}
    return {
        "bucket": bucket,
        "region": "us-east-1",
        "endpoint_url": s3_server,
        **keys,
        "connection_id": "lake",
    }


@pytest.fixture
def lake(bucket: str, s3_client: Any, config: dict[str, str], tmp_path: Path) -> FilesResource:
    for key, data in {
        "sales/1.csv": CSV,
        "sales/2.csv": b"day,cups\nWed,128\n",
        "note.json": b'{"a": 1}',
        "broken.json": b"{",
    }.items():
        s3_client.put_object(Bucket=bucket, Key=key, Body=data)
    return FilesResource(SERVICES["S3"], "lake", config, lambda: LocalStore(tmp_path))


def own(folder: Path) -> FilesResource:
    return FilesResource(SERVICES["S3"], "store", {}, lambda: LocalStore(folder))


# --- the bucket


def test_connecting(
    lake: FilesResource, config: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = aq.Client(config_path=tmp_path / "config.toml")
    client.connect_resource("lake", "s3", config)
    assert capsys.readouterr().out.startswith(
        f"Connected 'lake': s3://{config['bucket']}/ can be listed. Its"
    )
    again = aq.Client(config_path=tmp_path / "config.toml").resource("lake")
    assert again.discover() == ["broken.json", "note.json", "sales/1.csv", "sales/2.csv"]


def test_a_bucket_that_is_not_there(config: dict[str, str], tmp_path: Path) -> None:
    client = aq.Client(config_path=tmp_path / "config.toml")
    with pytest.raises(StorageError) as raised:
        client.connect_resource("lake", "S3", {**config, "bucket": "no-such-bucket"})
    assert "s3cret" not in str(raised.value)
    assert client.list_resources() == {}


def test_without_a_bucket_it_is_the_artifact_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = aq.Client(config_path=tmp_path / "config.toml", folder=str(tmp_path / "store"))
    LocalStore(tmp_path / "store").put("a.csv", CSV)
    client.connect_resource("store", "S3", {})
    store = client.resource("store")
    assert store.file("a.csv", "table", "csv").get()["cups"].tolist() == [120, 135]
    store.describe()
    assert "the flow's artifact store" in capsys.readouterr().out
    assert store.spec_place() == {"connector": "S3", "connection_id": None}


def test_a_bucket_of_its_own_needs_a_connection_in_runs(config: dict[str, str], tmp_path: Path) -> None:
    del config["connection_id"]
    lake = FilesResource(SERVICES["S3"], "lake", config, lambda: LocalStore(tmp_path))
    assert lake.spec_place() == {"connector": "S3"}


# --- reading


def test_one_file(lake: FilesResource) -> None:
    table = lake.file("sales/1.csv", aq.ArtifactType.TABLE, format="CSV", output="monday")
    assert table.get().values.tolist() == [["Mon", 120], ["Tue", 135]]
    assert (table.name(), table.type()) == ("monday", "table")
    assert table.number_of_rows().get() == 2  # type: ignore[attr-defined]
    assert json.loads(lake.file("note.json", "json").get()) == {"a": 1}
    assert table.node is not None
    assert table.node.producer.name == "lake query"
    assert table.node.producer.place == {
        "connector": "S3",
        "connection_id": "lake",
        "filepath": "sales/1.csv",
        "artifact_type": "table",
        "format": "CSV",
        "merge": False,
    }


def test_several_files(lake: FilesResource) -> None:
    for given in ("sales/", ["sales/1.csv", "sales/2.csv"]):
        pair = lake.file(given, "table", format="csv")
        assert pair.type() == "tuple"
        assert [len(table) for table in pair.get()] == [2, 1]
        merged = lake.file(given, "table", format="csv", merge=True)
        assert isinstance(merged.get(), pandas.DataFrame)
        assert merged.get()["cups"].tolist() == [120, 135, 128]
    assert isinstance(lake.file(["note.json"], "json").get(), tuple)


def test_what_is_not_there_or_something_else(lake: FilesResource) -> None:
    with pytest.raises(ObjectNotFound, match=r"nothing\.csv"):
        lake.file("nothing.csv", "table", format="csv")
    with pytest.raises(NotFound, match=r"No files found below .*/nothing/"):
        lake.file("nothing/", "table", format="csv")
    with pytest.raises(aq.OperatorFailed, match=r"The file s3://.*/broken\.json "):
        lake.file("broken.json", "json")


def test_lazy(lake: FilesResource) -> None:
    later = lake.file("later.csv", "table", format="csv", lazy=True)
    assert later.type() == "table"
    lake.store().put("later.csv", CSV)
    assert len(later.get()) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.csv", "table"), "Reading a table needs its format: one of csv, json, parquet"),
        (("a.csv", "table", "xml"), "Unknown format 'xml': use one of csv, json, parquet"),
        (("a", "string", "csv"), "format is for tables only, and this is of type string"),
        (("a", "untyped"), "artifact_type must be one of string, boolean"),
        (("a", None), "artifact_type must be one of string, boolean"),
        (([], "string"), "filepaths must be a key, or a list of keys"),
        (("", "string"), "filepaths must be a key, or a list of keys"),
        ((5, "string"), "filepaths must be a key, or a list of keys"),
        ((["a", "b/"], "string"), "'b/' is a prefix, and a list holds keys of files only"),
        (("a.csv", "table", "csv", True), "merge=True makes one table of several files"),
        (("a/", "string", None, True), "merge=True makes one table of several files"),
    ],
)
def test_arguments_that_do_not_fit(tmp_path: Path, arguments: Any, said: str) -> None:
    with pytest.raises(AuthoringError, match=said):
        own(tmp_path).file(*arguments, lazy=True)


# --- saving


def test_saving(lake: FilesResource) -> None:
    client = aq.Client(folder="/none")
    table, day = lake.file("sales/1.csv", "table", format="csv"), client.create_param("day", "Mon")
    lake.save(table, "out/{day}.parquet", "parquet", parameters=[day])
    lake.save(table, "out/all.csv", format="csv")
    lake.save(table, "out/all.csv", format="json")
    assert table.node is not None
    first, second = table.node.derived
    assert first.inputs == (day.node, table.node)
    assert first.place == {
        "connector": "S3",
        "connection_id": "lake",
        "filepath": "out/{day}.parquet",
        "format": "Parquet",
    }
    assert (second.place["filepath"], second.place["format"]) == ("out/all.csv", "JSON")
    with pytest.raises(ObjectNotFound):
        lake.store().get("out/all.csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("",), "filepath must be the key of a file"),
        (("out/",), "filepath must be the key of a file"),
        ((None,), "filepath must be the key of a file"),
        (("a",), "Saving a table needs its format"),
        (("a", "xml"), "Unknown format 'xml'"),
        (("{a}/{b}", "csv", ["x"]), "has 2 placeholders, but 1 parameters were given"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, arguments: Any, said: str) -> None:
    LocalStore(tmp_path).put("a.csv", CSV)
    table = own(tmp_path).file("a.csv", "table", "csv")
    with pytest.raises(AuthoringError, match=said):
        own(tmp_path).save(table, *arguments)


def test_other_values_need_no_format(tmp_path: Path) -> None:
    client = aq.Client(folder="/none")
    number = client.create_param("n", 5)
    own(tmp_path).save(number, "n")
    assert number.node is not None
    assert number.node.derived[0].place["format"] is None
    with pytest.raises(AuthoringError, match="format is for tables only, and this is of type numeric"):
        own(tmp_path).save(number, "n", "csv")


# --- where nothing is saved


def test_nothing_is_saved_where_workers_read_what_they_run(
    bucket: str, config: dict[str, str], s3_server: str, credentials_file: Path, tmp_path: Path
) -> None:
    store = connect(
        S3Settings(f"{bucket}/team", endpoint_url=s3_server, credentials_path=str(credentials_file))
    )
    lake = FilesResource(SERVICES["S3"], "lake", {**config, "root_dir": "Team"}, lambda: store)
    wide = FilesResource(SERVICES["S3"], "lake", config, lambda: store)
    text = aq.op(requirements=[])(lambda: "x")()
    day = aq.op(requirements=[])(lambda: "mon")()
    for files, path in ((lake, "specs/x"), (wide, "team/flows/x"), (own(tmp_path), "a/../bundles/x")):
        with pytest.raises(AuthoringError, match="of the artifact store, from which Airflow and its workers"):
            files.save(text, path)
    with pytest.raises(AuthoringError, match="is below functions/ of the artifact store"):
        lake.save(text, "functions/{day}", parameters=[day])
    wide.save(text, "specs/x")
    lake.save(text, "{day}/x", parameters=[day])


def test_where_the_artifact_store_is_not_known_the_worker_decides(config: dict[str, str]) -> None:
    def unknown() -> LocalStore:
        raise ConfigError("no store")

    lake = FilesResource(SERVICES["S3"], "lake", config, unknown)
    lake.save(aq.op(requirements=[])(lambda: "x")(), "specs/x")
