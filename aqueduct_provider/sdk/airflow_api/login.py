"""Log in to Airflow: its address, the line that answers there, and the token that it wants.

Airflow 3 gives a JWT for a user name and password (``POST /auth/token``); it is kept in memory only and
renewed before it ends. Airflow 2.11 takes basic authentication. A bearer token that the user gives goes to
both, for managed Airflows.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aqueduct_provider.errors import AirflowLoginFailed, ConfigError
from aqueduct_provider.sdk.airflow_api.http_errors import login_is_refused, not_airflow, reason_of, refusal
from aqueduct_provider.sdk.airflow_api.wire import Request, Wire

if TYPE_CHECKING:
    import httpx

_APIS = ("/api/v2", "/api/v1")
# A token is renewed this many seconds before it ends, or after nine tenths of a shorter life.
_MARGIN = 60.0
_SENDABLE = r"[\x21-\x7e]"
_TO_SWITCH_ON = (
    " On Airflow 2 basic authentication must be switched on: [api] auth_backends ="
    " airflow.api.auth.backend.basic_auth,airflow.api.auth.backend.session."
)


@dataclass(frozen=True)
class AirflowLogin:
    """Where Airflow is and who asks. Without token and user name: what Airflow gives to everyone.

    :param host: ``host:port``, which is asked over http, or a URL, with a path where Airflow is behind one.
    :param token: a bearer token; beats user name and password.
    :param ca_file: PEM file of the CA of Airflow's certificate, when it is not one of the usual ones.
    :raises ConfigError: the host is neither, or something is missing or cannot be sent.
    """

    host: str
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_file: str = ""

    def __post_init__(self) -> None:
        address_of(self.host)
        if not re.fullmatch(_SENDABLE + "*", self.token):
            raise ConfigError(
                "The token holds blanks, line breaks or other characters that no token has. Copy it again."
            )
        if not self.token and bool(self.username) != bool(self.password):
            given, missing = ("username", "password") if self.username else ("password", "username")
            raise ConfigError(
                f"Airflow at {self.host}: {given} is given without {missing}. Give both, or a token."
            )

    @property
    def url(self) -> str:
        """The URL before every path, without a slash at its end."""
        return address_of(self.host)

    @property
    def who(self) -> str:
        """Who asks, as messages name them."""
        if self.token:
            return "the token given"
        return f"the user {self.username!r}" if self.username else "a client without user name and token"


def address_of(host: str) -> str:
    """Return the URL for ``host:port`` or a URL.

    :raises ConfigError: it is neither; names it without a password.
    """
    text = host.strip()
    shown = repr(text.rpartition("@")[2])
    if "@" in text:
        raise ConfigError(
            f"Airflow's host ...@{shown[1:-1]} holds a user name or password. Give them apart from it."
        )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        raise _no_host(shown) from None
    plain = re.fullmatch(_SENDABLE + "+", text) and not (parts.query or parts.fragment or "\\" in text)
    has_path = "://" not in text and parts.path not in ("", "/")
    if parts.scheme not in ("http", "https") or not (parts.hostname and plain and port_is_right) or has_path:
        raise _no_host(shown)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _no_host(shown: str) -> ConfigError:
    return ConfigError(
        f"Airflow's host {shown} is not a valid address. Write host:port, such as localhost:8080, or a URL,"
        " such as https://example.com/airflow."
    )


@dataclass(frozen=True)
class ApiLine:
    """The Airflow that answers.

    :param api: the path before those of its REST API.
    """

    version: str
    major: int
    api: str


@dataclass(frozen=True)
class AccessToken:
    """A JWT.

    :param renew_at: when it is to be replaced, on the session's clock; None: when it is refused.
    """

    text: str = field(repr=False)
    renew_at: float | None

    def is_over(self, clock: float) -> bool:
        """Check whether the token must be replaced now."""
        return self.renew_at is not None and clock >= self.renew_at


class AirflowSession:
    """Requests to one Airflow as one user. Threads may share it.

    :param sleep: waits between two tries, in seconds.
    :param clock: seconds that only rise.
    """

    def __init__(
        self,
        login: AirflowLogin,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.login = login
        self._clock = clock
        self._wire = Wire(login.url, login.ca_file, sleep=sleep)
        self._lock = threading.RLock()
        self._line: ApiLine | None = None
        self._token: AccessToken | None = None

    @property
    def base(self) -> str:
        """The URL before every path: that of the login, with https when Airflow redirects there."""
        return self._wire.base

    def line(self) -> ApiLine:
        """The line of Airflow at this address; asked once."""
        with self._lock:
            if self._line is None:
                line = self._find_line()
                if line.major < 3:
                    self._enter_two(line)
                self._line = line
            return self._line

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        reads: bool = False,
        accept: str = "application/json",
    ) -> httpx.Response:
        """Send a request and return a good answer.

        :param path: below the API's, quoted.
        :param body: sent as JSON.
        :param reads: whether the request only reads, though its method is not GET.
        :raises AirflowRefused: the status is that of an error.
        """
        headers = {"accept": accept, **({"content-type": "application/json"} if body is not None else {})}
        content = None if body is None else json.dumps(body).encode()
        line = self.line()
        key = self._key(line)
        request = Request(
            method, line.api + path, query, {**headers, **key}, content, reads or method == "GET"
        )
        answer = self._wire.send(request)
        if login_is_refused(answer) and self._renews(line):
            key = self._key(line, refused=key)
            answer = self._wire.send(
                Request(method, request.path, query, {**headers, **key}, content, request.repeatable)
            )
        if answer.status_code >= 300:
            raise refusal(answer, self.base, self.login.who)
        return answer

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._token = None
        self._wire.close()

    # --- which line

    def _find_line(self) -> ApiLine:
        for api in _APIS:
            path = f"{api}/version"
            answer = self._wire.send(Request("GET", path, headers=self._given_key(), repeatable=True))
            if login_is_refused(answer) or answer.status_code in (403, 429) or answer.status_code >= 500:
                raise refusal(answer, self.base, self.login.who)
            version = _text_at(answer, "version")
            if major := re.match(r"\d+", version):
                # Where Airflow has moved to https, passwords are not sent over http.
                self._wire.base = str(answer.url).removesuffix(path)
                return ApiLine(version, int(major[0]), api)
        raise not_airflow(answer, self.base)

    def _enter_two(self, line: ApiLine) -> None:
        """Ask Airflow 2 for what all users may read: a wrong password gets the answer of a missing right."""
        query = [("limit", "1")]
        answer = self._wire.send(Request("GET", f"{line.api}/dags", query, self._key(line), repeatable=True))
        if answer.status_code in (401, 403):
            raise AirflowLoginFailed(
                f"Airflow at {self.base} does not accept {self.login.who} (HTTP {answer.status_code}), or the"
                f" user may not read DAGs. Look at user name, password or token.{_TO_SWITCH_ON}"
            )
        if answer.status_code >= 300:
            raise refusal(answer, self.base, self.login.who)

    # --- who asks

    def _renews(self, line: ApiLine) -> bool:
        return line.major >= 3 and not self.login.token

    def _given_key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.login.token}"} if self.login.token else {}

    def _key(self, line: ApiLine, *, refused: dict[str, str] | None = None) -> dict[str, str]:
        """Return the header that says who asks.

        :param refused: the one that Airflow refused.
        """
        if self._renews(line):
            return {"authorization": f"Bearer {self._jwt(refused)}"}
        if self.login.token or not self.login.username:
            return self._given_key()
        pair = f"{self.login.username}:{self.login.password}".encode()
        return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _jwt(self, refused: dict[str, str] | None) -> str:
        with self._lock:
            token = self._token
            is_refused = token and refused == {"authorization": f"Bearer {token.text}"}
            if token is None or is_refused or token.is_over(self._clock()):
                token = self._token = token_of(self._new_token(), time.time(), self._clock())
            return token.text

    def _new_token(self) -> str:
        answer = self._wire.send(self._token_request())
        if answer.status_code in (400, 401, 403, 404, 405, 422):
            raise self._no_token(answer)
        if answer.status_code >= 300:
            raise refusal(answer, self.base, self.login.who)
        token = _text_at(answer, "access_token")
        if not re.fullmatch(_SENDABLE + "+", token):
            raise not_airflow(answer, self.base)
        return token

    def _token_request(self) -> Request:
        if not self.login.username:
            return Request("GET", "/auth/token", repeatable=True)
        body = json.dumps({"username": self.login.username, "password": self.login.password})
        return Request("POST", "/auth/token", (), {"content-type": "application/json"}, body.encode())

    def _no_token(self, answer: httpx.Response) -> AirflowLoginFailed:
        said = reason_of(answer) or f"HTTP {answer.status_code}"
        if not self.login.username:
            fix = "Give a user name and password, or a token."
        elif answer.status_code in (404, 405, 422):
            fix = "Its auth manager gives no token for a user name and password; give a token of its own."
        else:
            fix = "Check the user name and the password."
        return AirflowLoginFailed(
            f"Airflow at {self.base} does not log in {self.login.who}: {said.rstrip('.')}. {fix}"
        )


def token_of(text: str, now: float, clock: float) -> AccessToken:
    """Return the token with the time to renew it, which is read without verifying it.

    :param now: seconds since 1970.
    :param clock: what the session's clock shows.
    """
    try:
        payload = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        # Both are of Airflow's clock, so that a wrong clock here does no harm.
        life = float(claims["exp"]) - float(claims.get("iat", now))
    except (binascii.Error, LookupError, TypeError, ValueError, RecursionError):
        return AccessToken(text, None)
    return AccessToken(text, clock + max(life - _MARGIN, life * 0.9))


def _text_at(answer: httpx.Response, name: str) -> str:
    """Return a string in a good answer's JSON; empty when it has another form."""
    try:
        body = answer.json() if answer.status_code < 300 else None
    except (ValueError, RecursionError):
        return ""
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""
