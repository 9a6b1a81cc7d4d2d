from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import AirflowLoginFailed, AirflowRefused, AirflowUnreachable, NotFound
from aqueduct_provider.testing import FakeAirflow
from tests.support.certificates import authority
from tests.unit.sdk.airflow_api.conftest import Open

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


# --- neither user nor token


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


def test_what_is_asked(two: FakeAirflow, session: Open) -> None:
    one = session(two)
    with pytest.raises(NotFound):
        one.ask("POST", "/nothing", body={"a": None}, query=[("a", "b")], accept="text/plain")
    asked = two.asked[-1]
    assert (asked.body, asked.query) == ({"a": None}, {"a": ["b"]})
    assert asked.headers["accept"] == "text/plain"
    assert asked.headers["content-type"] == "application/json"
