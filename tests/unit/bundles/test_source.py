from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.bundles.source import (
    BundleFolder,
    BundleStore,
    keep_source,
    make_source,
    origin_of,
    source_of,
)
from aqueduct_provider.errors import ConfigError, StorageError, StorageUnavailable
from aqueduct_provider.hooks.aqueduct import AqueductHook


def test_the_source_that_the_kwargs_name() -> None:
    assert make_source("", "specs/", "") == BundleStore("aqueduct_default", "specs/")
    assert make_source("team", "specs", "") == BundleStore("team", "specs/")
    assert make_source("team", "", "") == BundleStore("team", "")
    assert make_source("", "specs/", "/specs") == BundleFolder("/specs")
    with pytest.raises(ConfigError, match="not both"):
        make_source("team", "specs/", "/specs")
    with pytest.raises(ConfigError, match="must begin with /"):
        make_source("", "specs/", "specs")


@pytest.mark.parametrize("source", [BundleStore("team", "specs/"), BundleFolder("/specs")])
def test_stubs_find_the_source_again(base: Path, source: Any) -> None:
    keep_source(base, source)
    assert source_of(base) == source
    assert origin_of(base) == ""
    keep_source(base, source, "s3://bucket/")
    keep_source(base, source)
    assert source_of(base) == source
    assert origin_of(base) == "s3://bucket/"


def test_no_folder_of_a_bundle(base: Path) -> None:
    assert origin_of(base) == ""
    with pytest.raises(StorageError, match="is missing"):
        source_of(base)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be listed"):
        BundleFolder(str(tmp_path / "gone")).specs(tmp_path)


def test_pins_of_a_folder_are_no_specs(specs: Path, base: Path) -> None:
    source = BundleFolder(str(specs))
    source.pins().put("bundles/versions/1.json", b"{}")
    (specs / "a.json").touch()
    assert source.specs(base).names == ("a.json",)


def test_specs_of_a_store_are_mirrored(connect: Any, base: Path, s3_client: Any, bucket: str) -> None:
    connect(root_dir="root")
    s3_client.put_object(Bucket=bucket, Key="root/specs/a.json", Body=b"{}")
    found = BundleStore("team", "specs/").specs(base)
    assert found.origin == f"s3://{bucket}/root/specs/"
    assert found.names == ("a.json",)
    assert (found.folder / "a.json").read_bytes() == b"{}"
    assert found.problems == {}
    assert BundleStore("team", "specs/").pins().url("x") == f"s3://{bucket}/root/x"


def test_a_connection_is_looked_up_outside_of_the_database_session_of_the_thread(
    connect: Any, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow 3.0 has one open while it refreshes a bundle, and a lookup closes that of its thread."""
    connect()
    threads = []
    settings = AqueductHook.settings

    def watched(hook: AqueductHook) -> Any:
        threads.append(threading.get_ident())
        return settings(hook)

    monkeypatch.setattr(AqueductHook, "settings", watched)
    source = BundleStore("team", "specs/")
    source.specs(base)
    source.pins()
    source.console_url()
    assert len(threads) == 3
    assert threading.get_ident() not in threads


def test_a_store_that_is_away(connect: Any, base: Path) -> None:
    connect(endpoint_url="http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable):
        BundleStore("team", "specs/").specs(base)


def test_where_the_aws_console_shows_a_version(connect: Any, bucket: str) -> None:
    source = BundleStore("team", "specs/")
    assert source.console_url() is None
    connect(endpoint_url="", root_dir="my root")
    assert source.console_url() == (
        f"https://us-east-1.console.aws.amazon.com/s3/object/{bucket}"
        "?prefix=my%20root/bundles/versions/{version}.json"
    )
