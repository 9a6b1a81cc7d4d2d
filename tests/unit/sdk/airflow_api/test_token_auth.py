from __future__ import annotations

import base64
import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aqueduct_provider.errors import AirflowLoginFailed, AirflowRefused, AirflowUnreachable
from aqueduct_provider.sdk.airflow_api.token_auth import seconds_to_renewal
from aqueduct_provider.testing import FakeAirflow
from tests.unit.sdk.airflow_api.conftest import Clock, Open

# --- the login


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


def test_airflow_3_where_all_are_admins(three: FakeAirflow, session: Open) -> None:
    three.all_admins = True
    assert session(three, username="").ask("GET", "/dags").status_code == 200
    assert len(three.calls("GET", "/auth/token")) == 1


# --- the token


def jwt(**claims: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        (jwt(exp=5000, iat=2000), 2940),
        (jwt(exp=2100, iat=2000), 90),
        (jwt(exp=5000), 3940),
        (jwt(sub="x"), math.inf),
        (jwt(exp="soon"), math.inf),
        ("opaque", math.inf),
        ("a.b.c", math.inf),
        ("a.W10.c", math.inf),
        (f"a.{base64.urlsafe_b64encode(b'[' * 99_999).decode()}.c", math.inf),
    ],
)
def test_when_a_token_is_renewed(token: str, seconds: float) -> None:
    assert seconds_to_renewal(token, now=1000) == seconds


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
