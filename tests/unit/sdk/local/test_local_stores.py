"""The stores of a local run: the spec's own, and those of S3 extracts and loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, CredentialsError
from aqueduct_provider.sdk.local.local_stores import connector_store, store_of_spec
from aqueduct_provider.sdk.local.run_flow import run_spec
from aqueduct_provider.sdk.local.systems import nothing, systems_of
from aqueduct_provider.sdk.resources.profile import Profile, ResourceProfile
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.s3 import S3Store
from tests.support.example_specs import S3_CONNECTOR, compiled_document, extract_task
from tests.support.stored_flows import Flows, call

ONE = "def predict(): return 1"


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flows:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Flows(tmp_path / "store")


def s3(**fields: Any) -> dict[str, Any]:
    return {"type": "s3", "bucket": "spec-bucket", "region": "eu-west-1", **fields}


def test_the_store_of_a_native_spec(
    flows: Flows, bucket: str, s3_server: str, credentials_file: Path
) -> None:
    where = s3(bucket=bucket, root_dir="r", endpoint_url=s3_server, credentials_path=str(credentials_file))
    store = store_of_spec(flows.spec(call("f", ONE), artifact_store=where))
    store.put("x", b"1")
    assert store.url("x") == f"s3://{bucket}/r/x"


def test_what_is_given_beats_what_the_spec_says(flows: Flows, credentials_file: Path) -> None:
    spec = flows.spec(call("f", ONE), artifact_store=s3(credentials_path="/on/the/worker"))
    with pytest.raises(CredentialsError, match="credentials file /on/the/worker"):
        store_of_spec(spec)
    overrides = {"credentials_path": str(credentials_file), "bucket": "other", "endpoint_url": "http://x"}
    store = store_of_spec(spec, overrides)
    assert isinstance(store, S3Store)
    assert (store.bucket, store.client.meta.region_name) == ("other", "eu-west-1")
    assert store.client.meta.endpoint_url == "http://x"


def test_the_store_of_a_compiled_spec(flows: Flows, credentials_file: Path) -> None:
    spec = flows.compiled({}, ONE)
    store = store_of_spec(spec)
    assert isinstance(store, S3Store)
    assert key_of(store) == "example-key"
    # Keys in the spec are the worker's; a file that is named here is meant.
    named = store_of_spec(spec, {"credentials_path": str(credentials_file)})
    assert isinstance(named, S3Store)
    assert key_of(named) == "default-key"


def key_of(store: S3Store) -> str:
    key: str = store.client._request_signer._credentials.access_key  # type: ignore[attr-defined]
    return key


def test_a_connection_is_airflows(flows: Flows) -> None:
    with pytest.raises(ConfigError, match="'small' is that of the Airflow connection 'aqueduct_default'"):
        store_of_spec(flows.spec(call("f", ONE)))


# --- extracts and loads


def reading(flows: Flows, connection: str | None, **fields: Any) -> WorkflowSpec:
    source = {
        "connector": "S3",
        "filepath": "in/a.bin",
        "artifact_type": "bytes",
        "connection_id": connection,
    }
    operator = {"task_id": "read", "type": "extract", "outputs": ["read"], "kind": "bytes"}
    document = flows.document(operator, **fields)
    document["operators"][0]["source"] = source
    return parse(json.dumps(document).encode(), "small.json")


def test_without_a_connection_it_is_the_flows_own_store(flows: Flows) -> None:
    flows.store.put("in/a.bin", b"data")
    assert run_spec(reading(flows, None), flows.store).artifact("read").get() == b"data"
    # As is the connection that the flow's own store has.
    assert run_spec(reading(flows, "aqueduct_default"), flows.store).artifact("read").get() == b"data"


def test_another_connection_is_not_there_without_airflow(flows: Flows) -> None:
    outcome = run_spec(reading(flows, "other"), flows.store)
    assert outcome.operators[0].word == "failed"
    assert "The Airflow connection 'other' is not there without Airflow" in outcome.operators[0].tip


def test_a_resource_stands_for_a_connection(
    flows: Flows, bucket: str, s3_server: str, s3_client: Any, tmp_path: Path
) -> None:
    s3_client.put_object(Bucket=bucket, Key="in/a.bin", Body=b"data")
    fields = {"bucket": bucket, "region": "us-east-1", "endpoint_url": s3_server, "connection_id": "other"}
    fields |= {"access_key_id": "key", "secret_access_key": "secret"}
    session = Session(Profile.load(tmp_path / "config.toml", {}))
    session.profile.save_resource(ResourceProfile("lake", "S3", fields))
    outcome = run_spec(reading(flows, "other"), flows.store, find=systems_of(session))
    assert outcome.artifact("read").get() == b"data"


def test_the_connector_of_a_compiled_spec(flows: Flows, credentials_file: Path) -> None:
    connector = {**S3_CONNECTOR, "root_dir": "data"}
    task = extract_task("read", connector_config={"conf": connector})
    document = compiled_document(task_specs={"read": task}, task_edges={})
    spec = parse(json.dumps(document).encode(), "compiled.json")
    (operator,) = spec.operators
    store = connector_store(spec, flows.store, nothing, operator)  # type: ignore[arg-type]
    assert isinstance(store, S3Store)
    assert store.url("x") == "s3://data/x"
    assert key_of(store) == S3_CONNECTOR["access_key_id"]
