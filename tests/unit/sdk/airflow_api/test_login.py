from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AirflowLoginFailed, AirflowRefused, AirflowUnreachable, ConfigError
from aqueduct_provider.sdk.airflow_api.login import AirflowLogin, AirflowSession, address_of, token_of
from tests.support.certificates import authority
from tests.support.fake_airflow import FakeAirflow


@pytest.fixture(params=[3, 2], ids=["airflow3", "airflow2"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with FakeAirflow(request.param) as fake:
        yield fake


@pytest.fixture
def three() -> Iterator[FakeAirflow]:
    with FakeAirflow(3) as fake:
        yield fake


@pytest.fixture
def two() -> Iterator[FakeAirflow]:
    with FakeAirflow(2) as fake:
        yield fake


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., AirflowSession]


@pytest.fixture
def session(clock: Clock) -> Iterator[Open]:
    opened: list[AirflowSession] = []

    def open_(fake: FakeAirflow, **login: str) -> AirflowSession:
        given = login or {"username": fake.user, "password": fake.password}
        opened.append(
            AirflowSession(AirflowLogin(**{"host": fake.url, **given}), sleep=lambda _: None, clock=clock)
        )
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


# --- the address


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost:8080/", "http://localhost:8080"),
        (" localhost:8080\n", "http://localhost:8080"),
        ("http://10.0.0.1:80", "http://10.0.0.1:80"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com/airflow", "https://example.com/airflow"),
        ("https://example.com:8443/a/b/", "https://example.com:8443/a/b"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses(host: str, url: str) -> None:
    assert address_of(host) == url
    assert AirflowLogin(host).url == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "http://",
        "ftp://example.com",
        "example.com/airflow",
        "example.com:port",
        "example.com:0",
        "example.com:99999",
        "http://exam ple.com",
        "http://example.com/?x=1",
        "http://example.com/#home",
        "http:\\\\example.com",
        "http://[::1",
        ":8080",
    ],
)
def test_what_is_no_address(host: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a valid address\. Write host:port") as failure:
        AirflowLogin(host)
    assert repr(host.strip()) in str(failure.value)


@pytest.mark.parametrize(
    "host", ["http://ann:pa55@example.com:8080", "ann:pa55@example.com", "https://a@b@c"]
)
def test_addresses_hold_no_password(host: str) -> None:
    with pytest.raises(ConfigError, match=r"holds a user name or password") as failure:
        AirflowLogin(host)
    assert host.rpartition("@")[2] in str(failure.value)
    assert "pa55" not in str(failure.value)
    assert "pa55" not in repr(failure.value.__context__)


# --- what is given


def test_secrets_are_not_shown() -> None:
    login = AirflowLogin("h", "ann", "secret-1", "secret-2")
    assert "ann" in repr(login)
    assert "secret" not in repr(login)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"username": "ann"}, "username is given without password"),
        ({"password": "secret"}, "password is given without username"),
        ({"token": "secret\n"}, "The token holds blanks"),
        ({"token": "secrét"}, "The token holds blanks"),
    ],
)
def test_what_cannot_be_sent(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as failure:
        AirflowLogin("h", **given)
    assert "secret" not in str(failure.value)


# --- which line


def test_the_line_is_asked_once(fake: FakeAirflow, session: Open) -> None:
    one = session(fake)
    line = one.line()
    assert (line.major, line.version) == (fake.major, fake.version)
    assert one.line() is line
    assert len(fake.calls("GET", f"{line.api}/version")) == 1


def test_a_path_in_front(session: Open) -> None:
    with FakeAirflow(3, prefix="/team/airflow") as fake:
        assert session(fake).ask("GET", "/dags").json()["total_entries"] == 0
        bare = session(fake, host=fake.host, username="x", password="y")
        with pytest.raises(AirflowUnreachable, match="answers, but not as Airflow"):
            bare.line()


def test_something_else_answers(fake: FakeAirflow, session: Open) -> None:
    fake.html(2)
    with pytest.raises(AirflowUnreachable, match=r"answers, but not as Airflow \(HTTP 200 OK, text/html\)"):
        session(fake).line()
    # What was not found is asked for again.
    assert session(fake).line().major == fake.major


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"version": 3}', b'{"version": "x"}', b"no json"])
def test_other_json_is_not_airflow(fake: FakeAirflow, session: Open, body: bytes) -> None:
    fake.fail(200, 2, body=body)
    with pytest.raises(AirflowUnreachable, match="not as Airflow"):
        session(fake).line()


def test_a_proxy_that_wants_a_login(fake: FakeAirflow, session: Open) -> None:
    fake.fail(401, body=b"<html>", kind="text/html")
    with pytest.raises(AirflowLoginFailed, match="HTTP 401"):
        session(fake).line()
    fake.redirect("/oauth2/start")
    with pytest.raises(AirflowLoginFailed, match="redirects to"):
        session(fake).line()


def test_a_server_that_is_starting(fake: FakeAirflow, session: Open) -> None:
    fake.html(3, status=503)
    with pytest.raises(AirflowUnreachable, match="HTTP 503"):
        session(fake).line()


def test_passwords_go_where_airflow_moved_to(three: FakeAirflow, session: Open, tmp_path: Path) -> None:
    ca = authority(tmp_path)
    with FakeAirflow(3, certificate=ca.server) as moved:
        three.redirect(f"{moved.url}/api/v2/version", 100)
        login = {"username": moved.user, "password": moved.password, "ca_file": str(ca.certificate)}
        one = session(three, **login)
        one.ask("GET", "/dags")
        assert one.base == moved.url
    assert [asked.path for asked in three.asked] == ["/api/v2/version"]
    assert len(moved.calls("POST", "/auth/token")) == 1


# --- user names and passwords


def test_logging_in(fake: FakeAirflow, session: Open) -> None:
    one = session(fake)
    for _ in range(3):
        one.ask("GET", "/dags")
    kinds = {asked.headers["authorization"].split()[0] for asked in fake.calls("GET", "/dags")}
    assert kinds == {"Bearer" if fake.major == 3 else "Basic"}
    assert len(fake.calls("POST", "/auth/token")) == (1 if fake.major == 3 else 0)


def test_a_wrong_password(fake: FakeAirflow, session: Open) -> None:
    with pytest.raises(AirflowLoginFailed, match=r"the user 'ann'") as failure:
        session(fake, username="ann", password="pa55").ask("GET", "/dags")
    assert fake.url in str(failure.value)
    assert "pa55" not in str(failure.value)
    assert ("auth_backends" in str(failure.value)) is (fake.major == 2)
    assert len(fake.asked) <= 3


def test_passwords_of_all_scripts(fake: FakeAirflow, session: Open) -> None:
    fake.users["jürgen"] = "pässwörd: ☃"
    assert session(fake, username="jürgen", password="pässwörd: ☃").ask("GET", "/dags").status_code == 200


def test_a_missing_permission_is_no_wrong_password(fake: FakeAirflow, session: Open) -> None:
    fake.forbid("PATCH")
    with pytest.raises(AirflowRefused, match="permission is missing") as failure:
        session(fake).ask("PATCH", "/dags/d", body={})
    assert failure.value.status == 403
    assert len(fake.calls("PATCH")) == 1


def test_airflow_3_that_has_no_tokens_for_passwords(three: FakeAirflow, session: Open) -> None:
    three.fail(404, path="/auth/token", body=b"{}")
    with pytest.raises(AirflowLoginFailed, match="give a token of its own"):
        session(three).ask("GET", "/dags")


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"access_token": null}', b'{"access_token": "a b"}', b"<html>", b"[" * 100_000]
)
def test_an_answer_without_a_token(three: FakeAirflow, session: Open, body: bytes) -> None:
    three.fail(201, path="/auth/token", body=body)
    with pytest.raises(AirflowUnreachable, match="not as Airflow"):
        session(three).ask("GET", "/dags")


def test_a_login_that_fails_otherwise(three: FakeAirflow, session: Open) -> None:
    three.fail(500, path="/auth/token", body=b"x", kind="text/plain")
    with pytest.raises(AirflowRefused, match="API server's log"):
        session(three).ask("GET", "/dags")
    assert len(three.calls("POST", "/auth/token")) == 1


# --- neither user nor token


def test_airflow_3_where_all_are_admins(three: FakeAirflow, session: Open) -> None:
    three.all_admins = True
    assert session(three, username="").ask("GET", "/dags").status_code == 200
    assert len(three.calls("GET", "/auth/token")) == 1


def test_nobody(fake: FakeAirflow, session: Open) -> None:
    with pytest.raises(AirflowLoginFailed, match="a client without user name and token"):
        session(fake, username="").ask("GET", "/dags")


# --- tokens of the user


def test_a_bearer_token(fake: FakeAirflow, session: Open) -> None:
    fake.tokens.add("t0ken")
    one = session(fake, token="t0ken", username="ann", password="unused")
    assert one.ask("GET", "/dags").status_code == 200
    assert {asked.headers.get("authorization") for asked in fake.asked[:1]} == {"Bearer t0ken"}
    assert not fake.calls("POST")


def test_a_bearer_token_that_is_refused(fake: FakeAirflow, session: Open) -> None:
    with pytest.raises(AirflowLoginFailed, match="the token given") as failure:
        session(fake, token="t0ken").ask("GET", "/dags")
    assert "t0ken" not in str(failure.value)
    assert not fake.calls("", "/auth/token")


# --- tokens of Airflow 3


def jwt(**claims: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("text", "renew_at"),
    [
        (jwt(exp=5000, iat=2000), 100 + 2940),
        (jwt(exp=2100, iat=2000), 100 + 90),
        (jwt(exp=5000), 100 + 3940),
        (jwt(sub="x"), None),
        (jwt(exp="soon"), None),
        ("opaque", None),
        ("a.b.c", None),
        ("a.W10.c", None),
        (f"a.{base64.urlsafe_b64encode(b'[' * 99_999).decode()}.c", None),
    ],
)
def test_when_a_token_is_renewed(text: str, renew_at: float | None) -> None:
    token = token_of(text, now=1000, clock=100)
    assert token.renew_at == renew_at
    assert text not in repr(token)
    assert token.is_over(1e9) is (renew_at is not None)
    assert not token.is_over(100)


def test_tokens_are_renewed_before_they_end(three: FakeAirflow, session: Open, clock: Clock) -> None:
    one = session(three)
    one.ask("GET", "/dags")
    clock.now += 3600 - 61
    one.ask("GET", "/dags")
    assert len(three.calls("POST", "/auth/token")) == 1
    clock.now += 2
    one.ask("GET", "/dags")
    assert len(three.calls("POST", "/auth/token")) == 2


def test_tokens_that_airflow_forgot_are_renewed_once(three: FakeAirflow, session: Open) -> None:
    three.add_dag("d", paused=True)
    one = session(three)
    one.ask("GET", "/dags")
    three.expire_tokens()
    one.ask("PATCH", "/dags/d", body={"is_paused": False})
    assert not three.dags["d"].paused
    assert len(three.calls("POST", "/auth/token")) == 2


def test_tokens_that_are_never_accepted(three: FakeAirflow, session: Open) -> None:
    three.token_seconds = -10
    with pytest.raises(AirflowLoginFailed, match="Token Expired"):
        session(three).ask("GET", "/dags")
    assert len(three.calls("POST", "/auth/token")) == 2


def test_a_signature_that_airflow_no_longer_knows(three: FakeAirflow, session: Open) -> None:
    one = session(three)
    one.ask("GET", "/dags")
    three.fail(403, path="/dags", body=b'{"detail": "Invalid JWT token"}')
    assert one.ask("GET", "/dags").status_code == 200


def test_threads_share_a_session(three: FakeAirflow, session: Open) -> None:
    one = session(three)

    def ask(number: int) -> int:
        if number == 20:
            three.expire_tokens()
        return one.ask("GET", "/dags").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(40))) == {200}
    assert len(three.calls("GET", "/version")) == 1
    assert len(three.calls("POST", "/auth/token")) == 2


def test_closing_forgets_the_token(three: FakeAirflow, session: Open) -> None:
    one = session(three)
    one.ask("GET", "/dags")
    one.close()
    one.ask("GET", "/dags")
    assert len(three.calls("POST", "/auth/token")) == 2


def test_what_is_asked(two: FakeAirflow, session: Open) -> None:
    one = session(two)
    with pytest.raises(AirflowRefused):
        one.ask("POST", "/nothing", body={"a": None}, query=[("a", "b")], accept="text/plain")
    asked = two.asked[-1]
    assert (asked.body, asked.query) == ({"a": None}, {"a": ["b"]})
    assert asked.headers["accept"] == "text/plain"
    assert asked.headers["content-type"] == "application/json"
