from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from aqueduct_provider.errors import AirflowLoginFailed, ConfigError
from aqueduct_provider.sdk.enums import ServiceType
from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
from aqueduct_provider.sdk.resources.delivery import FolderDelivery, StoreDelivery
from aqueduct_provider.sdk.resources.profile import StoreProfile
from aqueduct_provider.spec.models import ArtifactStore
from aqueduct_provider.storage.local import LocalStore

HOST = "airflow.example.com:8080"
LOGIN = {"host": HOST, "username": "me", "password": "s3cret"}
STORE = StoreProfile("s3://bucket/a", "eu-west-1", "b", "http://minio:9000", "~/.aws/mine", "mine")


def resource(**config: Any) -> AirflowResource:
    return AirflowResource("cluster", {"host": HOST, **config})


# --- configuration


def test_the_fields_of_the_original() -> None:
    given = {
        **LOGIN,
        "s3_credentials_path": "/etc/aqueduct/credentials",
        "s3_credentials_profile": "research",
    }
    known = AirflowResource("cluster", given)
    assert (known.name(), known.service, known.host, known.username) == ("cluster", "Airflow", HOST, "me")
    assert (known.type(), known.place) == (ServiceType.AIRFLOW, HOST)
    assert known.python_versions == ()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"username": "me", "password": "p"},
        {"token": "t"},
        {"username": "me", "token": "t"},
        {"username": "", "password": None, "token": ""},
        {"ca_file": Path("/etc/ca.pem"), "dags_folder": Path("/dags")},
    ],
    ids=repr,
)
def test_what_is_enough(config: dict[str, Any]) -> None:
    assert resource(**config).host == HOST


@pytest.mark.parametrize(
    ("given", "versions"),
    [
        (["3.10", "3.13"], ("3.10", "3.13")),
        (("3.10",), ("3.10",)),
        ("3.10, 3.11,3.12", ("3.10", "3.11", "3.12")),
        ([], ()),
    ],
)
def test_python_versions(given: Any, versions: tuple[str, ...]) -> None:
    assert resource(python_versions=given).python_versions == versions


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"hots": "h"}, "hots: unknown. Did you mean 'host'?"),
        ({"host": ""}, "host: is missing, such as airflow.example.com:8080"),
        ({"host": 8080}, "host: must be text."),
        ({"host": "http://me:s3cret@airflow"}, "host: must not hold a user or a password. Give them as"),
        ({"token": "s3cret", "password": "s3cret"}, "token, password: give one of them, not both."),
        ({"password": "s3cret"}, "password: needs the username that it belongs to."),
        ({"username": "me"}, "username: needs a password, or a token."),
        ({"dags_folder": "dags"}, "dags_folder: must begin with / or ~."),
        ({"ca_file": "ca.pem"}, "ca_file: must begin with / or ~."),
        ({"python_versions": "3.10 3.11"}, "python_versions: must be a list of minor versions as text"),
        ({"python_versions": [3.10]}, "python_versions: must be a list of minor versions as text"),
        ({"python_versions": ["3.11.2"]}, "python_versions: must be a list of minor versions as text"),
        ({"python_versions": 3.10}, "python_versions: must be a list of minor versions as text"),
        ({"python_versions": ["2.7"]}, "python_versions: must be a list of minor versions as text"),
    ],
    ids=repr,
)
def test_a_problem_is_named(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        resource(**config)
    assert str(raised.value).startswith(f"The Airflow resource 'cluster': {problem}")
    assert "s3cret" not in str(raised.value)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        AirflowResource("my cluster", {"hst": "h", "username": "me"})
    first, *problems = str(raised.value).splitlines()
    assert first == "The Airflow resource 'my cluster' has 3 problems:"
    assert [line.split(":")[0].strip() for line in problems] == ["hst", "host", "username"]
    assert "AQUEDUCT_MY_CLUSTER_PASSWORD or AQUEDUCT_MY_CLUSTER_TOKEN" in problems[2]


# --- the artifact store


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, {"type": "connection", "connection_id": "aqueduct_default"}),
        (
            {"connection_id": "mine", "s3_credentials_path": "/etc/credentials"},
            {"type": "connection", "connection_id": "mine"},
        ),
        (
            {"s3_credentials_path": "/etc/credentials", "s3_credentials_profile": "research"},
            {
                "type": "s3",
                "bucket": "s3://bucket/a",
                "region": "eu-west-1",
                "root_dir": "b",
                "endpoint_url": "http://minio:9000",
                "credentials_path": "/etc/credentials",
                "credentials_profile": "research",
            },
        ),
    ],
    ids=["usual", "connection", "file"],
)
def test_how_workers_reach_the_store(config: dict[str, str], field: dict[str, str]) -> None:
    assert resource(**config).artifact_store(STORE) == field
    TypeAdapter(ArtifactStore).validate_python(field)


def test_what_is_empty_is_left_out() -> None:
    field = resource(s3_credentials_profile="research").artifact_store(StoreProfile("bucket"))
    assert field == {"type": "s3", "bucket": "bucket", "credentials_profile": "research"}
    TypeAdapter(ArtifactStore).validate_python(field)


def test_workers_cannot_reach_a_folder() -> None:
    with pytest.raises(ConfigError, match="'cluster' do not have: Airflow needs an S3 bucket"):
        resource(connection_id="mine").artifact_store(StoreProfile(folder="/data"))


# --- delivery


def test_specs_go_to_the_store_or_to_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = LocalStore(tmp_path)
    assert resource().delivery(store) == StoreDelivery(store)
    assert resource(dags_folder="/dags").delivery(store) == FolderDelivery(Path("/dags"))
    assert resource(dags_folder="~/dags").delivery(store) == FolderDelivery(tmp_path / "dags")


# --- Airflow


@pytest.fixture
def airflow() -> Iterator[tuple[str, list[str]]]:
    """The host of something that answers like Airflow 3 to the token ``s3cret``, and what it was sent."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            login = self.headers.get("Authorization", "")
            sent.append(f"{self.path.partition('?')[0]} {login}".strip())
            is_open = self.path.endswith("/version")
            self._answer(
                200 if is_open or login == "Bearer s3cret" else 401,
                {"version": "3.1.0"} if is_open else {"dags": [], "total_entries": 0},
            )

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_checking_a_connection(airflow: tuple[str, list[str]]) -> None:
    host, sent = airflow
    verdict = AirflowResource("cluster", {"host": host, "token": "s3cret"}).check_connection()
    assert verdict.startswith(f"Airflow 3.1.0 at http://{host} accepts")
    assert "/api/v2/dags Bearer s3cret" in sent
    assert "s3cret" not in verdict


def test_checking_a_connection_that_is_refused(airflow: tuple[str, list[str]]) -> None:
    with pytest.raises(AirflowLoginFailed) as raised:
        AirflowResource("cluster", {"host": airflow[0], "token": "wrong-t0ken"}).check_connection()
    assert "wrong-t0ken" not in str(raised.value)


def test_the_whole_login_reaches_airflow() -> None:
    with AirflowResource("cluster", {**LOGIN, "ca_file": "~/ca.pem"}).airflow() as client:
        login = client.login
    assert (login.host, login.username, login.password, login.token) == (HOST, "me", "s3cret", "")
    assert login.ca_file == "~/ca.pem"


# --- for people


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        (
            {"username": "me", "password": "s3cret", "python_versions": "3.10,3.11"},
            [
                "Resource 'cluster'",
                "  service:        Airflow",
                "  host:           airflow.example.com:8080",
                "  user:           me",
                "  login:          with a password",
                "  artifact store: Airflow connection 'aqueduct_default'",
                "  specs:          below specs/ in the artifact store",
                "  Python:         3.10, 3.11",
            ],
        ),
        (
            {"token": "s3cret", "s3_credentials_path": "/etc/c", "dags_folder": "/dags"},
            [
                "Resource 'cluster'",
                "  service:        Airflow",
                "  host:           airflow.example.com:8080",
                "  user:           -",
                "  login:          with a token",
                "  artifact store: credentials file /etc/c on the workers, profile default",
                "  specs:          /dags",
                "  Python:         any",
            ],
        ),
    ],
    ids=["password", "token"],
)
def test_description(config: dict[str, str], lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    resource(**config).describe()
    assert capsys.readouterr().out.splitlines() == lines


def test_no_secret_is_shown() -> None:
    for config in ({"token": "s3cret"}, {"username": "me", "password": "s3cret"}):
        known = resource(**config)
        assert "s3cret" not in f"{known} {known!r}"
    assert repr(resource()) == f"AirflowResource('cluster', host='{HOST}')"
