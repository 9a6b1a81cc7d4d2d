"""The bundle as Airflow 3 uses it: made by name and kwargs, in the DAG processor and on workers."""

from __future__ import annotations

import importlib
import json
import logging
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, StorageError
from aqueduct_provider.storage.layout import PINNED_SPECS_PREFIX, PINNED_VERSIONS_PREFIX
from tests.unit.bundles.conftest import flow

pytest.importorskip("airflow.dag_processing.bundles.base", reason="Airflow 2.11 has no bundles")

Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the bundle as another process would, with a storage path of the machine's own."""
    from airflow.dag_processing.bundles import base

    monkeypatch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "0")

    def make_bundle(machine: str = "processor", version: str | None = None, **kwargs: Any) -> Any:
        root = tmp_path / machine
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(root))
        monkeypatch.setattr(base, "STALE_BUNDLE_TRACKING_FOLDER", root / "_tracking")
        kind = importlib.import_module("aqueduct_provider.bundles").AqueductDagBundle
        given = kwargs or {"connection_id": "team"}
        return kind(name="aq", version=version, refresh_interval=30, **given)

    return make_bundle


@pytest.fixture
def put(connect: Any, s3_client: Any, bucket: str) -> Callable[[str, Any], None]:
    """Put a document below ``specs/`` of the store; None deletes it."""

    def put_object(name: str, content: Any) -> None:
        if content is None:
            s3_client.delete_object(Bucket=bucket, Key=f"specs/{name}")
        else:
            s3_client.put_object(Bucket=bucket, Key=f"specs/{name}", Body=json.dumps(content).encode())

    return put_object


def version_of(bundle: Any) -> str:
    found = bundle.get_current_version()
    return getattr(found, "version", found)


def dags_of(bundle: Any, *names: str) -> dict[str, Any]:
    """What Airflow finds in the bundle, or in some files of it; errors are among it, as texts."""
    found: dict[str, Any] = {}
    for path in sorted(bundle.path.glob("*.py")):
        if not names or path.name in names:
            bag = bag_of(path, bundle.path)
            # Before Airflow 3.2 by absolute paths.
            errors = {Path(name).name: error for name, error in bag.import_errors.items()}
            found |= bag.dags | errors
    return found


def bag_of(path: Path, bundle_path: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import BundleDagBag
    except ImportError:
        # Before Airflow 3.2.
        from airflow.models.dagbag import DagBag

        return DagBag(str(path), include_examples=False, safe_mode=True, bundle_path=bundle_path)
    return BundleDagBag(dag_folder=str(path), bundle_path=bundle_path, bundle_name="aq", safe_mode=True)


def descriptions(dags: dict[str, Any]) -> dict[str, str]:
    return {dag_id: dag.doc_md.partition("\n")[0] for dag_id, dag in dags.items()}


def described(name: str, text: str) -> dict[str, Any]:
    document = flow(name)
    document["flow"]["description"] = text
    return document


def test_nothing_is_read_or_written_before_it_is_initialized(make: Make, tmp_path: Path) -> None:
    bundle = make(connection_id="nowhere")
    assert bundle.get_current_version() is None
    assert not bundle.path.exists()
    assert bundle.view_url_template() is None
    with pytest.raises(ConfigError, match="not both"):
        make(connection_id="team", folder="/specs")


def test_specs_come_change_and_go(make: Make, put: Any, bucket: str) -> None:
    bundle = make()
    bundle.initialize()
    empty = version_of(bundle)
    put("a.json", flow("a"))
    put("b.json", flow("b"))
    bundle.refresh()
    dags = dags_of(bundle)
    assert set(dags) == {"a", "b"}
    assert f"from `s3://{bucket}/specs/a.json`" in dags["a"].doc_md
    first = version_of(bundle)
    put("b.json", None)
    bundle.refresh()
    assert set(dags_of(bundle)) == {"a"}
    assert len({empty, first, version_of(bundle)}) == 3
    put("b.json", flow("b"))
    bundle.refresh()
    assert version_of(bundle) == first


def test_a_broken_spec_is_the_import_error_of_its_own_stub(make: Make, put: Any) -> None:
    put("a.json", flow("a"))
    put("b.json", {**flow("b"), "flwo": 1})
    bundle = make()
    bundle.initialize()
    found = dags_of(bundle)
    assert found.keys() == {"a", "b.json.py"}
    assert "b.json has 1 problem" in found["b.json.py"]
    assert "did you mean 'flow'" in found["b.json.py"]
    put("b.json", flow("b"))
    bundle.refresh()
    assert set(dags_of(bundle)) == {"a", "b"}


def test_a_run_keeps_its_version_on_any_machine(
    make: Make, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.json", described("a", "old"))
    put("b.json", flow("b"))
    bundle = make()
    bundle.initialize()
    old = version_of(bundle)
    put("a.json", described("a", "new"))
    bundle.refresh()
    assert descriptions(dags_of(bundle))["a"] == "new"

    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "a")
    for machine in ("processor", "worker"):
        pinned = make(machine, old)
        pinned.initialize()
        assert version_of(pinned) == old
        assert [path.name for path in pinned.path.glob("*.py")] == ["a.json.py"]
        assert descriptions(dags_of(pinned)) == {"a": "old"}
        with pytest.raises(RuntimeError, match="pinned"):
            pinned.refresh()
    assert not (pinned.base_dir / "tracking").exists()
    assert descriptions(dags_of(make()))["a"] == "new"


def test_a_version_that_never_was(make: Make, connect: Any) -> None:
    with pytest.raises(StorageError, match="older than keep_versions_days"):
        make("worker", "0" * 64).initialize()


def test_the_last_good_state_outlives_s3(
    make: Make, put: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    put("a.json", flow("a"))
    bundle = make()
    bundle.initialize()
    before = version_of(bundle)
    connect(endpoint_url="http://127.0.0.1:1")
    bundle.refresh()
    again = make()
    again.initialize()
    assert version_of(again) == before
    assert set(dags_of(again)) == {"a"}
    assert "the specs are shown as they last were" in caplog.text


def test_a_full_disk_leaves_the_last_state_and_is_named(
    make: Make, tmp_path: Path, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "a.json").write_text(json.dumps(flow("a")))
    bundle = make(str(small_disk / "bundles"), folder=str(specs))
    bundle.initialize()
    before = version_of(bundle)
    (small_disk / "filling").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 8192))
    (specs / "b.json").write_text(json.dumps(described("b", "x" * 100_000)))
    bundle.refresh()
    assert version_of(bundle) == before
    assert "No space left on device" in caplog.text
    assert "dag_bundle_storage_path" in caplog.text


def test_a_store_that_was_never_read_is_an_import_error_until_it_is(
    make: Make, put: Any, connect: Any
) -> None:
    put("a.json", flow("a"))
    connect(endpoint_url="http://127.0.0.1:1")
    bundle = make()
    bundle.initialize()
    (error,) = dags_of(bundle).values()
    assert "http://127.0.0.1:1" in error
    assert bundle.get_current_version() is None
    connect()
    bundle.refresh()
    assert set(dags_of(bundle)) == {"a"}


def test_pins_that_cannot_be_written_leave_the_last_state(
    make: Make, put: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put("a.json", described("a", "old"))
    bundle = make()
    bundle.initialize()
    put("a.json", described("a", "new"))

    def refuse(*_: Any) -> None:
        raise StorageError("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr("aqueduct_provider.bundles.pins.pin", refuse)
        bundle.refresh()
    assert descriptions(dags_of(bundle)) == {"a": "old"}
    assert "AccessDenied" in caplog.text
    bundle.refresh()
    assert descriptions(dags_of(bundle)) == {"a": "new"}


def test_without_versions_nothing_is_written_to_the_store(
    make: Make, put: Any, s3_client: Any, bucket: str
) -> None:
    put("a.json", flow("a"))
    bundle = make(connection_id="team", versioned=False)
    bundle.initialize()
    assert bundle.supports_versioning is False
    assert bundle.get_current_version() is None
    assert set(dags_of(bundle)) == {"a"}
    keys = [item["Key"] for item in s3_client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["specs/a.json"]
    versioned = make()
    versioned.initialize()
    keys = [item["Key"] for item in s3_client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert sum(key.startswith((PINNED_SPECS_PREFIX, PINNED_VERSIONS_PREFIX)) for key in keys) == 2


def test_another_bucket_gets_pins_of_its_own(
    make: Make, put: Any, connect: Any, s3_client: Any, bucket: str
) -> None:
    put("a.json", flow("a"))
    make().initialize()
    s3_client.copy_object(Bucket=bucket, Key="other/specs/a.json", CopySource=f"{bucket}/specs/a.json")
    connect(root_dir="other")
    bundle = make()
    bundle.initialize()
    s3_client.head_object(Bucket=bucket, Key=f"other/bundles/versions/{version_of(bundle)}.json")


def test_a_folder_of_specs(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(described("a", "old")))
    bundle = make(folder=str(folder))
    bundle.initialize()
    old = version_of(bundle)
    (folder / "a.json").write_text(json.dumps(described("a", "new")))
    bundle.refresh()
    pinned = make("worker", old, folder=str(folder))
    pinned.initialize()
    assert descriptions(dags_of(bundle) | {}) == {"a": "new"}
    assert descriptions(dags_of(pinned)) == {"a": "old"}


def test_several_processes_at_once(make: Make, put: Any) -> None:
    for number in range(8):
        put(f"f{number}.json", flow(f"f{number}"))
    bundles = [make() for _ in range(4)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=bundle.initialize) for bundle in bundles]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert len({version_of(bundle) for bundle in bundles}) == 1
    assert len(dags_of(bundles[0])) == 8
    others = {path.name for path in bundles[0].path.iterdir() if not path.name.endswith(".json.py")}
    assert others <= {"__pycache__"}


@pytest.mark.parametrize("age", [31, -86_400], ids=["long ago", "the clock was set back"])
def test_a_task_without_a_version_looks_only_when_nobody_has(
    make: Make, put: Any, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    put("a.json", described("a", "old"))
    make().initialize()
    put("a.json", described("a", "new"))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "a")
    bundle = make()
    bundle.initialize()
    assert descriptions(dags_of(bundle)) == {"a": "old"}
    os.utime(bundle.base_dir / ".aqueduct-looked", (time.time() - age,) * 2)
    make().initialize()
    assert descriptions(dags_of(bundle)) == {"a": "new"}


def test_a_folder_that_others_can_write_to_is_refused(make: Make, put: Any) -> None:
    bundle = make()
    bundle.initialize()
    bundle.base_dir.chmod(0o777)
    with pytest.raises(ConfigError, match="others could change what Airflow runs"):
        make().initialize()


def test_the_write_interval_of_airflow_is_reported(
    make: Make, put: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "30")
    bundle = make()
    bundle.initialize()
    bundle.refresh()
    told = [
        record for record in caplog.records if "min_serialized_dag_update_interval is 30" in record.message
    ]
    assert [record.levelno for record in told] == [logging.ERROR]
    caplog.clear()
    make(connection_id="team", versioned=False).initialize()
    assert "min_serialized_dag_update_interval" not in caplog.text


def test_secrets_of_specs_are_in_no_stub(make: Make, put: Any) -> None:
    from tests.support.example_specs import compiled_document

    document = compiled_document()
    document["storage_config"] = {**document.get("storage_config", {}), "note": "hunter2"}
    put("a.json", document)
    bundle = make()
    bundle.initialize()
    assert all("hunter2" not in path.read_text() for path in bundle.path.glob("*.py"))


def test_old_versions_are_cleaned_away(make: Make, put: Any, s3_client: Any, bucket: str) -> None:
    put("a.json", described("a", "old"))
    bundle = make(connection_id="team", keep_versions_days=-1)
    bundle.initialize()
    old = version_of(bundle)
    put("a.json", described("a", "new"))
    again = make(connection_id="team", keep_versions_days=-1)
    again.initialize()
    keys = [
        item["Key"]
        for item in s3_client.list_objects_v2(Bucket=bucket, Prefix="bundles/versions/")["Contents"]
    ]
    assert keys == [f"bundles/versions/{version_of(again)}.json"]
    assert old != version_of(again)
