"""Tokens of Airflow 3 as an ``httpx.Auth``: log in, renew a token before it ends or when it is refused.

Imports httpx at module level: import this module inside a function.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import threading
import time
from collections.abc import Callable, Generator

import httpx

from aqueduct_provider.errors import AirflowLoginFailed
from aqueduct_provider.sdk.airflow_api.http_errors import (
    login_is_refused,
    not_airflow,
    reason_of,
    refusal,
    string_at,
)
from aqueduct_provider.sdk.airflow_api.login import SENDABLE, AirflowLogin

# A token is renewed this many seconds before it ends, or after nine tenths of a shorter life.
_MARGIN = 60.0

Flow = Generator[httpx.Request, httpx.Response, str]


class TokenAuth(httpx.Auth):
    """Ask as one user of Airflow 3, with a JWT that is kept in memory only. Threads may share it.

    :param base: Airflow's URL.
    :param clock: seconds that only rise.
    """

    def __init__(self, login: AirflowLogin, base: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._login, self._base, self._clock = login, base, clock
        # Held over the login's request, so that threads wait for its token and ask for no other.
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with a token, and once more with a new one where Airflow refuses that."""
        token = yield from self._valid_token()
        request.headers["authorization"] = f"Bearer {token}"
        answer = yield request
        answer.read()
        if login_is_refused(answer):
            token = yield from self._valid_token(refused=token)
            request.headers["authorization"] = f"Bearer {token}"
            yield request

    def _valid_token(self, refused: str = "") -> Flow:
        with self._lock:
            if self._token == refused or self._clock() >= self._renew_at:
                answer = yield self._token_request()
                answer.read()
                self._token = self._token_in(answer)
                self._renew_at = self._clock() + seconds_to_renewal(self._token, time.time())
            return self._token

    def _token_request(self) -> httpx.Request:
        url = f"{self._base}/auth/token"
        if not self._login.username:
            return httpx.Request("GET", url)
        pair = {"username": self._login.username, "password": self._login.password}
        return httpx.Request("POST", url, json=pair)

    def _token_in(self, answer: httpx.Response) -> str:
        if answer.status_code in (400, 401, 403, 404, 405, 422):
            raise self._no_token(answer)
        if answer.status_code >= 300:
            raise refusal(answer, self._base, self._login.who)
        token = string_at(answer, "access_token")
        if not re.fullmatch(SENDABLE + "+", token):
            raise not_airflow(answer, self._base)
        return token

    def _no_token(self, answer: httpx.Response) -> AirflowLoginFailed:
        reason = reason_of(answer) or f"HTTP {answer.status_code}"
        if not self._login.username:
            fix = "Give a user name and password, or a token."
        elif answer.status_code in (404, 405, 422):
            fix = "Its auth manager gives no token for a user name and password; give a token of its own."
        else:
            fix = "Check the user name and the password."
        return AirflowLoginFailed(
            f"Airflow at {self._base} does not log in {self._login.who}: {reason.rstrip('.')}. {fix}"
        )


def seconds_to_renewal(token: str, now: float) -> float:
    """Return the seconds until a JWT is to be replaced; infinite where it does not show its end.

    The token is not verified: Airflow does that.

    :param now: seconds since 1970.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        # Both are of Airflow's clock, so that a wrong clock here does no harm.
        life = float(claims["exp"]) - float(claims.get("iat", now))
    except (binascii.Error, LookupError, TypeError, ValueError, RecursionError):
        return math.inf
    return max(life - _MARGIN, life * 0.9)
