from __future__ import annotations

import inspect
import json
import pickle
import socket
import ssl
from typing import Any

import httpx
import pytest

from aqueduct_provider.errors import (
    AirflowLoginFailed,
    AirflowRefused,
    AirflowUnreachable,
    AqueductError,
    ConfigError,
    NotFound,
)
from aqueduct_provider.sdk.airflow_api.http_errors import (
    REASONS,
    can_pass,
    login_is_refused,
    not_airflow,
    reason_of,
    refusal,
    translated,
    was_refused,
    wrong_setup,
)

HOST = "http://airflow:8080"
ALL_OF_HTTPX = sorted(
    (
        kind
        for _, kind in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(kind, (httpx.HTTPError, httpx.InvalidURL))
    ),
    key=lambda kind: kind.__name__,
)


def made(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    Exception.__init__(error, "Illegal header value b'Bearer secret'")
    return error


@pytest.mark.parametrize("kind", ALL_OF_HTTPX, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_is_mapped(kind: type[Exception]) -> None:
    error = translated(made(kind), HOST)
    assert isinstance(error, AqueductError)
    assert HOST in str(error)
    nearest = next(parent.__name__ for parent in kind.__mro__ if parent.__name__ in REASONS)
    assert REASONS[nearest] in str(error)
    assert "secret" not in str(error)


def test_httpx_has_the_exceptions_that_are_mapped() -> None:
    assert {kind.__name__ for kind in ALL_OF_HTTPX} >= set(REASONS)


def test_an_exception_of_a_later_httpx_is_as_its_parent() -> None:
    class Newer(httpx.ReadTimeout):
        pass

    assert REASONS["ReadTimeout"] in str(translated(Newer("x"), HOST))


def caused_by(cause: BaseException, kind: type[httpx.TransportError] = httpx.ConnectError) -> Exception:
    try:
        try:
            raise cause
        except BaseException as below:
            raise kind("x") from below
    except httpx.TransportError as error:
        return error


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("cause", "reason", "passes"),
    [
        (ConnectionRefusedError(111, "x"), "nothing listens there", True),
        (socket.gaierror(-2, "x"), "host name cannot be resolved", True),
        (untrusted(), "not trusted (self-signed certificate). Name the PEM file", False),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "does not speak TLS", False),
        (OSError(113, "No route to host"), "no connection", True),
    ],
)
def test_causes_below_httpx(cause: BaseException, reason: str, passes: bool) -> None:
    error = caused_by(cause)
    assert reason in str(translated(error, HOST))
    assert can_pass(error) is passes
    assert was_refused(error) is isinstance(cause, ConnectionRefusedError)


def test_time_that_ran_out_is_not_spent_twice() -> None:
    assert not can_pass(httpx.ReadTimeout("x"))
    assert not can_pass(httpx.ConnectTimeout("x"))
    assert can_pass(httpx.RemoteProtocolError("x"))
    assert can_pass(httpx.ReadError("x"))


# --- answers


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    if isinstance(body, str):
        return httpx.Response(status, text=body, headers={"content-type": "text/html", **headers})
    kind = {"content-type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(body).encode(), headers={**kind, **headers})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"detail": "no such DAG"}, "no such DAG"),
        ({"detail": None, "title": "Forbidden"}, "Forbidden"),
        ({"error": "API route not found"}, "API route not found"),
        (
            {
                "detail": "Invalid input for param n: 99 is greater\n than 10\n\nFailed validating"
                " 'maximum' in schema:\n    {'maximum': 10}\n\nOn instance:\n    99"
            },
            "Invalid input for param n: 99 is greater than 10",
        ),
        (
            {
                "detail": [
                    {"loc": ["body", "logical_date"], "msg": "Field required"},
                    {"loc": ["body"], "msg": "x"},
                    "y",
                ]
            },
            "logical_date: Field required; x; y",
        ),
        (
            {"detail": {"reason": "Unique constraint violation", "statement": "hidden"}},
            "Unique constraint violation",
        ),
        ({"detail": {"message": "m"}}, "m"),
        ({"detail": "x" * 600}, "x" * 500 + "..."),
        ([], ""),
        ({}, ""),
        ("<html>", ""),
        ("[" * 100_000, ""),
    ],
)
def test_what_airflow_says_in_one_line(body: Any, reason: str) -> None:
    assert reason_of(answer(400, body)) == reason


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (answer(400, {"detail": "n is wrong"}), AirflowRefused, "refuses: n is wrong (HTTP 400)"),
        (
            answer(401, {"detail": "Token Expired"}),
            AirflowLoginFailed,
            "accept the user 'ann' (HTTP 401; it says",
        ),
        (answer(401, "<html>"), AirflowLoginFailed, "does not accept the user 'ann' (HTTP 401)"),
        (answer(403, {"detail": "Invalid JWT token"}), AirflowLoginFailed, "Invalid JWT token"),
        (answer(403, {"detail": "Forbidden"}), AirflowRefused, "does not allow this to the user 'ann'"),
        (
            answer(403, "<html>"),
            AirflowUnreachable,
            "answers, but not as Airflow (HTTP 403 Forbidden, text/html)",
        ),
        (answer(404, {"detail": "no run"}), NotFound, "does not have what was asked for: no run"),
        (answer(404, "<html>"), AirflowUnreachable, "not as Airflow"),
        (answer(429, {"detail": ""}), AirflowRefused, "HTTP 429 Too Many Requests"),
        (answer(500, "Internal Server Error"), AirflowRefused, "API server's log"),
        (answer(503, "<html>"), AirflowUnreachable, "HTTP 503 Service Unavailable"),
        (answer(599, {}), AirflowRefused, "HTTP 599"),
    ],
)
def test_error_answers(given: httpx.Response, kind: type[AqueductError], words: str) -> None:
    error = refusal(given, HOST, "the user 'ann'")
    assert type(error) is kind
    assert HOST in str(error)
    assert words in str(error)
    assert "\n" not in str(error)
    if isinstance(error, AirflowRefused):
        assert error.status == given.status_code
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_whose_fault() -> None:
    assert not refusal(answer(401), HOST, "x").retryable
    assert refusal(answer(503), HOST, "x").retryable


def test_what_is_about_the_login() -> None:
    assert login_is_refused(answer(401))
    assert login_is_refused(answer(403, {"detail": "Invalid JWT token"}))
    assert not login_is_refused(answer(403, {"detail": "Forbidden"}))
    assert not login_is_refused(answer(404, {"detail": "no token"}))


def test_an_answer_of_something_else() -> None:
    assert "(HTTP 200 OK, no content type)" in str(not_airflow(httpx.Response(200), HOST))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("socksio"), "HTTP_PROXY"),
        (ValueError("Unknown scheme for proxy URL ftp://u:secret@x"), "HTTP_PROXY"),
        (FileNotFoundError(2, "No such file"), "SSL_CERT_FILE"),
        (ssl.SSLError(1, "x"), "SSL_CERT_FILE"),
    ],
)
def test_settings_of_the_environment(error: Exception, words: str) -> None:
    ours = wrong_setup(error)
    assert type(ours) is ConfigError
    assert words in str(ours)
    assert "secret" not in str(ours)
