from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from aqueduct_provider.errors import ConfigError, CredentialsError
from aqueduct_provider.hooks.aqueduct import (
    AqueductHook,
    store_for,
    store_for_connector,
)
from aqueduct_provider.spec.compiled_facts import Compiled
from aqueduct_provider.spec.models import (
    ArtifactStore,
    ConnectionStore,
    ExtractOperator,
    FlowIdentity,
    FlowVersion,
    LoadOperator,
    S3ArtifactStore,
    WorkflowSpec,
)
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.spec.system_operators import GcsExtract, GcsLoad, S3Extract, S3Load
from aqueduct_provider.spec.types import ArtifactType
from aqueduct_provider.storage.s3 import S3Settings
from tests.data_servers.gcs import GcsServer, gcs_server

ID = UUID("00000000-0000-0000-0000-000000000001")
EXTRACT = ExtractOperator(
    id="read",
    name="read",
    task_id="read",
    type="extract",
    source=S3Extract(connector="S3", filepath="a.txt", artifact_type=ArtifactType.STRING),
)


def connection(
    monkeypatch: pytest.MonkeyPatch, extra: Any, conn_id: str = "aqueduct_default", **fields: Any
) -> None:
    value = {"conn_type": "aqueduct", "extra": extra, **fields}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(value))


def workflow(store: ArtifactStore, compiled: Compiled | None = None) -> WorkflowSpec:
    spec = WorkflowSpec(
        spec_version=1,
        flow=FlowIdentity(id=ID, name="flow"),
        version=FlowVersion(id=ID),
        dag_id="flow",
        artifact_store=store,
        operators=(EXTRACT,),
    )
    spec._compiled = compiled
    return spec


@pytest.fixture
def extra(s3_server: str, bucket: str, credentials_file: Path) -> dict[str, str]:
    return {
        "bucket": bucket,
        "region": "us-east-1",
        "root_dir": "root",
        "credentials_path": str(credentials_file),
        "credentials_profile": "research",
        "endpoint_url": s3_server,
    }


def test_settings_of_a_full_connection(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_CONNECT_TIMEOUT", "1.5")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_READ_TIMEOUT", "2.5")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__PARALLEL_REQUESTS", "3")
    connection(monkeypatch, extra)
    assert AqueductHook().settings() == S3Settings(
        **extra,
        max_attempts=7,
        retry_mode="adaptive",
        connect_timeout=1.5,
        read_timeout=2.5,
        max_connections=3,
    )


def test_fields_left_empty_in_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, {"bucket": "b-1", "region": "", "root_dir": None})
    assert AqueductHook().settings() == S3Settings(bucket="b-1")


def test_connection_as_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", "aqueduct://?bucket=s3%3A%2F%2Fb-1%2Fx&credentials_profile=p")
    assert AqueductHook("lake").settings() == S3Settings(bucket="s3://b-1/x", credentials_profile="p")


def test_all_problems_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"buckt": "b", "region": 3, "nothing_like_it": "x"}
    connection(monkeypatch, wrong, login="me", conn_type="aws")
    with pytest.raises(ConfigError) as caught:
        AqueductHook().settings()
    assert str(caught.value) == (
        "The Airflow connection 'aqueduct_default' has 6 problems: unknown field 'buckt', did you mean"
        " 'bucket'?; unknown field 'nothing_like_it'; region must be text; bucket is missing; its type is"
        " 'aws', not 'aqueduct'; login and password are not used: name an S3 credentials path instead."
    )


@pytest.mark.parametrize("text", ["[1]", '"text"'])
def test_extra_that_is_no_object(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(AqueductHook, "get_connection", lambda self, name: _Stored(text))
    with pytest.raises(ConfigError, match="1 problem: its extra is not a JSON object"):
        AqueductHook().settings()


class _Stored:
    """What a metadata database written by other means may hold; Airflow itself refuses to make it."""

    conn_type, login, password = "aqueduct", None, None

    def __init__(self, extra: str) -> None:
        self.extra = extra


def test_no_such_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"Airflow has no connection 'gone'.*Admin > Connections"):
        AqueductHook("gone").settings()
    monkeypatch.setenv("AIRFLOW_CONN_GONE", '{"conn_type": "aqueduct"')
    with pytest.raises(
        ConfigError, match=r"cannot read the connection 'gone', in the variable AIRFLOW_CONN_GONE"
    ):
        AqueductHook("gone").settings()


def test_the_test_button(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str], tmp_path: Path) -> None:
    connection(monkeypatch, extra)
    tool = str(tmp_path / "tool")
    Path(tool).write_text(
        "[default]\ncredential_process = /nope/tool\n"
        "[mfa]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\nmfa_serial = arn\n"
    )
    assert AqueductHook().test_connection() == (
        True,
        f"s3://{extra['bucket']}/root/ at {extra['endpoint_url']} can be listed.",
    )
    for change, message in (
        ({"bucket": "no-such-bucket"}, "The bucket 'no-such-bucket' does not exist"),
        ({"bucket": "not a bucket"}, "is not a valid bucket name"),
        ({"bucket": ""}, "bucket is missing"),
        ({"credentials_path": "/gone"}, "The credentials file /gone"),
        ({"credentials_profile": "gone"}, "it has: default, research"),
        ({"endpoint_url": "nonsense"}, "looks like https"),
        (
            {"credentials_path": tool, "credentials_profile": "default"},
            "its credential_process /nope/tool cannot be started: No such file",
        ),
        ({"credentials_path": tool, "credentials_profile": "mfa"}, "no one can type an MFA code"),
    ):
        connection(monkeypatch, {**extra, **change})
        passed, said = AqueductHook().test_connection()
        assert not passed
        assert message in said


def test_get_conn_is_the_client_of_the_store(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]) -> None:
    connection(monkeypatch, extra)
    hook = AqueductHook()
    hook.store().put("key", b"1")
    found = hook.get_conn().get_object(Bucket=extra["bucket"], Key="root/key")
    assert found["Body"].read() == b"1"


# What Airflow 2.11 imports to make the form's fields warns about itself.
@pytest.mark.filterwarnings("ignore")
def test_airflow_makes_the_hook_of_a_connection(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> None:
    connection(monkeypatch, extra, "lake")
    hook = AqueductHook.get_hook("lake")
    assert isinstance(hook, AqueductHook)
    assert hook.aqueduct_conn_id == "lake"


def test_store_of_a_native_spec(monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]) -> None:
    connection(monkeypatch, extra, "lake")
    store = store_for(workflow(ConnectionStore(type="connection", connection_id="lake")))
    store.put("key", b"1")
    direct = store_for(workflow(S3ArtifactStore(type="s3", **extra)))
    assert direct.get("key") == b"1"
    assert direct.url("key") == f"s3://{extra['bucket']}/root/key"


def test_keys_in_a_compiled_spec_beat_the_file(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> None:
    where = S3ArtifactStore(type="s3", **{**extra, "credentials_path": "/gone"})
    with pytest.raises(CredentialsError):
        store_for(workflow(where, Compiled({})))
    compiled = Compiled({}, access_keys=(SecretStr("key-id"), SecretStr("key-secret")))
    store_for(workflow(where, compiled)).check()


def test_endpoint_of_a_compiled_spec_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", extra.pop("endpoint_url"))
    store_for(workflow(S3ArtifactStore(type="s3", **extra), Compiled({}))).check()


def test_secrets_are_masked(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("aqueduct_provider.hooks.connections.mask_secret", seen.append)
    content = "[default]\naws_access_key_id = content-id\naws_secret_access_key = content-secret\n"
    connectors = {
        "read": {"type": "config_file_content", "bucket": extra["bucket"], "config_file_content": content}
    }
    compiled = Compiled({}, (SecretStr("key-id"), SecretStr("key-secret")), connectors)
    monkeypatch.setenv("AWS_ENDPOINT_URL", extra["endpoint_url"])
    with caplog.at_level(logging.DEBUG):
        flow = workflow(S3ArtifactStore(type="s3", **extra), compiled)
        redact = Redactor()
        store_for(flow, redact=redact).check()
        store_for_connector(flow, EXTRACT, redact=redact).check()
    secrets = {"key-id", "key-secret", "content-id", "content-secret"}
    assert {*secrets, content} <= set(seen)
    assert redact(" ".join(sorted(secrets))) == "*** *** *** ***"
    assert "content-secret" not in caplog.text


def test_where_connectors_read(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str], s3_client: Any
) -> None:
    s3_client.put_object(Bucket=extra["bucket"], Key="other/a.txt", Body=b"1")
    connection(monkeypatch, {**extra, "root_dir": "other"}, "other")
    flow = workflow(S3ArtifactStore(type="s3", **extra))
    assert store_for_connector(flow, EXTRACT).prefix == "root/"
    named = S3Extract(
        connector="S3", connection_id="other", filepath="a.txt", artifact_type=ArtifactType.STRING
    )
    assert store_for_connector(flow, EXTRACT.model_copy(update={"source": named})).get("a.txt") == b"1"
    load = LoadOperator(
        id="write",
        name="write",
        task_id="write",
        type="load",
        target=S3Load(connector="S3", connection_id="other", filepath="b.txt"),
    )
    store_for_connector(flow, load).put("b.txt", b"2")
    assert s3_client.get_object(Bucket=extra["bucket"], Key="other/b.txt")["Body"].read() == b"2"


@pytest.fixture(scope="module")
def gcs_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    with gcs_server(tmp_path_factory.mktemp("gcs") / "server") as server:
        yield server


GCS_EXTRACT = EXTRACT.model_copy(
    update={
        "source": GcsExtract(
            connector="GCS", connection_id="lake", filepath="a.txt", artifact_type=ArtifactType.STRING
        )
    }
)


def test_google_cloud_storage_of_a_compiled_spec(gcs_emulator: GcsServer) -> None:
    config = {"bucket": gcs_emulator.new_bucket(), "root_dir": "root", "endpoint": gcs_emulator.endpoint}
    flow = workflow(ConnectionStore(type="connection"), Compiled({}, None, {"read": config}))
    store = store_for_connector(flow, GCS_EXTRACT)
    store.put("a.txt", b"1")
    assert store.url("a.txt") == f"gs://{config['bucket']}/root/a.txt"
    assert store_for_connector(flow, GCS_EXTRACT).get("a.txt") == b"1"


def test_google_cloud_storage_of_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "type": "service_account",
        "client_email": "me@example.org",
        "private_key": pem,
        "token_uri": "https://example.org/token",
    }
    extra = {"bucket": "gs://lake-1/in", "keyfile_dict": account}
    connection(monkeypatch, extra, "lake", conn_type="google_cloud_platform")
    seen: list[str] = []
    monkeypatch.setattr("aqueduct_provider.hooks.connections.mask_secret", seen.append)
    flow = workflow(ConnectionStore(type="connection"))
    load = LoadOperator(
        id="write",
        name="write",
        task_id="write",
        type="load",
        target=GcsLoad(connector="GCS", connection_id="lake", filepath="b.txt"),
    )
    for operator in (GCS_EXTRACT, load):
        assert store_for_connector(flow, operator).url("x") == "gs://lake-1/in/x"
    assert pem in seen
    connection(
        monkeypatch,
        {**extra, "keyfile_dict": {"type": "service_account"}},
        "lake",
        conn_type="google_cloud_platform",
    )
    with pytest.raises(ConfigError, match="lacks private_key"):
        store_for_connector(flow, load)
