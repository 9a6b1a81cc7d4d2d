from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from aqueduct_provider.errors import AirflowLoginFailed, AirflowUnreachable, ConfigError
from aqueduct_provider.sdk.airflow_api.http_client import PAUSES, HttpClient
from aqueduct_provider.testing import FakeAirflow
from tests.support.certificates import Authority, authority

TRIES = len(PAUSES) + 1
VERSION = ("GET", "/api/v2/version")
POST = ("POST", "/api/v2/dags/d/dagRuns")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def fake() -> Iterator[FakeAirflow]:
    with FakeAirflow() as fake:
        yield fake


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def http(fake: FakeAirflow, pauses: list[float]) -> Iterator[HttpClient]:
    http = HttpClient(fake.url, sleep=pauses.append)
    yield http
    http.close()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_answer_whatever_its_status(http: HttpClient) -> None:
    assert http.send(*VERSION).json()["version"] == "3.3.2"
    assert http.send("GET", "/api/v2/dags").status_code == 401


def test_what_is_sent(fake: FakeAirflow, http: HttpClient) -> None:
    parts = {"params": [("x", "1"), ("x", "ü&")], "headers": {"accept": "text/plain"}, "content": b'{"a": 1}'}
    http.send("PUT", "/api/v2/a%2Fb", **parts)
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("PUT", "/api/v2/a/b")
    assert asked.query == {"x": ["1", "ü&"]}
    assert asked.headers["accept"] == "text/plain"
    assert asked.body == {"a": 1}


def test_it_can_be_used_again_after_closing(fake: FakeAirflow, http: HttpClient) -> None:
    http.send(*VERSION)
    http.close()
    http.close()
    assert http.send(*VERSION).status_code == 200


# --- repeats


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_servers_are_asked_again(
    fake: FakeAirflow, http: HttpClient, pauses: list[float], status: int
) -> None:
    fake.fail(status, TRIES - 1)
    assert http.send(*VERSION).status_code == 200
    assert len(fake.asked) == TRIES
    assert pauses == sorted(pauses)
    assert all(0 < pause < 1 for pause in pauses)


def test_in_the_end_the_answer_counts(fake: FakeAirflow, http: HttpClient) -> None:
    fake.fail(503, TRIES)
    assert http.send(*VERSION).status_code == 503
    assert len(fake.asked) == TRIES


def test_dropped_connections_are_tried_again(
    fake: FakeAirflow, http: HttpClient, pauses: list[float]
) -> None:
    fake.drop(TRIES - 1)
    assert http.send(*VERSION).status_code == 200
    fake.drop(TRIES)
    with pytest.raises(AirflowUnreachable, match=r"the answer is not HTTP"):
        http.send(*VERSION)
    assert len(fake.asked) == 2 * TRIES
    assert len(pauses) == 2 * (TRIES - 1)


@pytest.mark.parametrize(
    "fault", [lambda fake: fake.drop(), lambda fake: fake.fail(503), lambda fake: fake.fail(429)]
)
def test_what_may_have_happened_is_not_repeated(
    fake: FakeAirflow, http: HttpClient, fault: Callable[[FakeAirflow], None]
) -> None:
    fault(fake)
    with contextlib.suppress(AirflowUnreachable):
        assert http.send(*POST).status_code in (429, 503)
    assert len(fake.asked) == 1


def test_posts_that_only_read_are_repeated(fake: FakeAirflow, http: HttpClient) -> None:
    fake.fail(503)
    http.send(*POST, reads=True)
    assert len(fake.asked) == 2


@pytest.mark.parametrize("request_", [VERSION, POST], ids=["GET", "POST"])
def test_refused_connections_are_tried_again(pauses: list[float], request_: tuple[str, str]) -> None:
    http = HttpClient(f"http://127.0.0.1:{free_port()}", sleep=pauses.append)
    with pytest.raises(AirflowUnreachable, match=r"127\.0\.0\.1:\d+ cannot be reached: .*nothing listens"):
        http.send(*request_)
    assert len(pauses) == TRIES - 1


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [
        ("3", 3, 3),
        ("0", 0, 0),
        ("120", 10, 10),
        ("soon", 0.1, 1),
        (format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True), 10, 10),
        (format_datetime(datetime.now(timezone.utc) - timedelta(hours=1), usegmt=True), 0, 0),
    ],
)
def test_the_pause_that_the_server_wishes(
    fake: FakeAirflow, http: HttpClient, pauses: list[float], wish: str, least: float, most: float
) -> None:
    fake.fail(429, headers={"Retry-After": wish})
    assert http.send(*VERSION).status_code == 200
    (pause,) = pauses
    assert least <= pause <= most


def test_slow_answers_are_not_waited_for_twice(fake: FakeAirflow) -> None:
    fake.slow(2, TRIES)
    http = HttpClient(fake.url, read_seconds=0.1)
    with pytest.raises(AirflowUnreachable, match="did not answer within the time limit"):
        http.send(*VERSION)
    http.close()
    assert len(fake.asked) == 1


# --- redirects


def test_redirects_on_the_same_host_are_followed(fake: FakeAirflow) -> None:
    fake.redirect("/api/v2/version", path="/old")
    http = HttpClient(fake.url, token="x")
    answer = http.send("GET", "/old")
    http.close()
    assert answer.json()["version"] == "3.3.2"
    assert fake.asked[-1].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize("location", ["/login/?next=x", "https://accounts.example.com/authorize"])
def test_redirects_to_a_login(fake: FakeAirflow, http: HttpClient, location: str) -> None:
    fake.redirect(location)
    with pytest.raises(AirflowLoginFailed, match="wants a login: it redirects to") as failure:
        http.send(*VERSION)
    assert fake.url in str(failure.value)
    assert len(fake.asked) == 1


def test_no_password_of_a_redirect_is_shown(fake: FakeAirflow, http: HttpClient) -> None:
    fake.redirect("http://u:secret@elsewhere.example.com/x")
    with pytest.raises(AirflowLoginFailed) as failure:
        http.send(*VERSION)
    assert "secret" not in str(failure.value)


def test_redirected_posts(fake: FakeAirflow, http: HttpClient) -> None:
    fake.redirect("/elsewhere", status=308)
    with pytest.raises(
        AirflowUnreachable, match=r"redirects to .*/elsewhere\. Give the address there as host"
    ):
        http.send(*POST)
    assert len(fake.asked) == 1


def test_redirects_to_another_port(fake: FakeAirflow, http: HttpClient) -> None:
    fake.redirect("http://127.0.0.1:1/x")
    with pytest.raises(AirflowUnreachable, match=r"redirects to http://127\.0\.0\.1:1/x"):
        http.send(*VERSION)


def test_redirects_without_end(fake: FakeAirflow, http: HttpClient) -> None:
    fake.redirect("/api/v2/version", 100)
    with pytest.raises(AirflowUnreachable, match="redirects do not end"):
        http.send(*VERSION)


# --- TLS


@pytest.mark.parametrize("folder", ["~", "{home}"])
def test_a_ca_of_ones_own(ca: Authority, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    home = ca.certificate.parent
    monkeypatch.setenv("HOME", str(home))
    with FakeAirflow(certificate=ca.server) as fake:
        http = HttpClient(fake.url, f"{folder.format(home=home)}/{ca.certificate.name}")
        assert http.send(*VERSION).status_code == 200
        http.close()


def test_a_certificate_that_nobody_trusts(ca: Authority, pauses: list[float]) -> None:
    with FakeAirflow(certificate=ca.server) as fake:
        http = HttpClient(fake.url, sleep=pauses.append)
        with pytest.raises(AirflowUnreachable, match=r"is not trusted \(.*\)\. Name the PEM file .* ca_file"):
            http.send(*VERSION)
        http.close()
        assert fake.asked == []
    assert pauses == []


def test_only_the_own_ca_is_trusted(ca: Authority, tmp_path: Path) -> None:
    other = authority(tmp_path)
    with FakeAirflow(certificate=ca.server) as fake:
        http = HttpClient(fake.url, str(other.certificate))
        with pytest.raises(AirflowUnreachable, match="is not trusted"):
            http.send(*VERSION)
        http.close()


def test_https_where_http_is_spoken(fake: FakeAirflow, pauses: list[float]) -> None:
    http = HttpClient(fake.url.replace("http:", "https:"), sleep=pauses.append)
    with pytest.raises(AirflowUnreachable, match="does not speak TLS"):
        http.send(*VERSION)
    http.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.pem", "cannot be read"), (".", "cannot be read"), ("text.pem", "no certificate in PEM form")],
)
def test_ca_files_that_are_none(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    path = tmp_path / name
    with pytest.raises(ConfigError, match=words) as failure:
        HttpClient("https://127.0.0.1:1", str(path)).send(*VERSION)
    assert str(path) in str(failure.value)


# --- the environment


def test_this_machine_is_asked_without_a_proxy(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert http.send(*VERSION).status_code == 200


def test_other_hosts_are_asked_through_the_proxy(fake: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", fake.url)
    http = HttpClient("http://airflow.example.com:8080")
    http.send(*VERSION)
    http.close()
    assert fake.asked[0].headers["host"] == "airflow.example.com:8080"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "ftp://u:secret@x:1"),
        pytest.param(
            *("SSL_CERT_FILE", "nowhere.pem"),
            marks=pytest.mark.skipif(httpx.__version__ < "0.28", reason="httpx 0.27 ignores it"),
        ),
    ],
)
def test_an_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as failure:
        HttpClient("https://airflow.example.com").send(*VERSION)
    assert "secret" not in str(failure.value)
