"""Ask one Airflow as one user: find the line that answers, log in the way it wants, refuse error answers.

Airflow 3 gives tokens for a user name and password (``token_auth.py``), Airflow 2.11 takes basic
authentication. A bearer token that the user gives goes to both, for managed Airflows.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AirflowLoginFailed
from aqueduct_provider.sdk.airflow_api.http_client import HttpClient
from aqueduct_provider.sdk.airflow_api.http_errors import login_is_refused, not_airflow, refusal, string_at
from aqueduct_provider.sdk.airflow_api.login import AirflowLogin

if TYPE_CHECKING:
    import httpx

_APIS = ("/api/v2", "/api/v1")
_TO_SWITCH_ON = (
    " On Airflow 2 basic authentication must be switched on: [api] auth_backends ="
    " airflow.api.auth.backend.basic_auth,airflow.api.auth.backend.session."
)


@dataclass(frozen=True)
class ApiLine:
    """The Airflow that answers.

    :param api: the path before those of its REST API.
    :param auth: how its requests show who asks; None: they do not, or by a token of the user's.
    """

    version: str
    major: int
    api: str
    auth: httpx.Auth | None = field(repr=False)

    @property
    def release(self) -> tuple[int, int]:
        """Its version as numbers that can be compared: ``(3, 1)``."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (self.major, 0)


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
        self._http = HttpClient(login.url, login.ca_file, login.token, sleep=sleep)
        self._clock = clock
        self._lock = threading.Lock()
        self._line: ApiLine | None = None

    @property
    def base(self) -> str:
        """The URL before every path, without a slash at its end."""
        return self._http.base

    def line(self) -> ApiLine:
        """Return the line of Airflow at this address; it is asked once."""
        with self._lock:
            if self._line is None:
                line = self._find_line()
                if line.major < 3:
                    self._check_login_of_two(line)
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
        line = self.line()
        headers, content = {"accept": accept}, None
        if body is not None:
            # httpx's own JSON does not escape, and so cannot send half a surrogate pair.
            headers["content-type"], content = "application/json", json.dumps(body).encode()
        answer = self._http.send(
            *(method, line.api + path, line.auth),
            reads=reads,
            params=list(query),
            headers=headers,
            content=content,
        )
        if answer.status_code >= 300:
            raise refusal(answer, self.base, self.login.who)
        return answer

    def page(self, path: str, query: Sequence[tuple[str, str]] = ()) -> httpx.Response:
        """Request JSON of a plugin's route, and return the answer, whatever its status.

        :param path: below the address of Airflow, quoted.
        """
        auth = self.line().auth
        return self._http.send("GET", path, auth, params=list(query), headers={"accept": "application/json"})

    def close(self) -> None:
        """Close the connections, and forget the token and the line."""
        self._line = None
        self._http.close()

    def _find_line(self) -> ApiLine:
        for api in _APIS:
            path = f"{api}/version"
            answer = self._http.send("GET", path)
            if login_is_refused(answer) or answer.status_code in (403, 429) or answer.status_code >= 500:
                raise refusal(answer, self.base, self.login.who)
            version = string_at(answer, "version")
            if found := re.match(r"\d+", version):
                # Where Airflow has moved to https, passwords are not sent over http.
                self._http.base = str(answer.url).removesuffix(path)
                major = int(found[0])
                return ApiLine(version, major, api, self._auth(major))
        raise not_airflow(answer, self.base)

    def _auth(self, major: int) -> httpx.Auth | None:
        import httpx

        from aqueduct_provider.sdk.airflow_api.token_auth import TokenAuth

        if self.login.token:
            return None
        if major >= 3:
            return TokenAuth(self.login, self.base, self._clock)
        return httpx.BasicAuth(self.login.username, self.login.password) if self.login.username else None

    def _check_login_of_two(self, line: ApiLine) -> None:
        """Ask Airflow 2 for what all users may read: a wrong password gets the answer of a missing right."""
        answer = self._http.send("GET", f"{line.api}/dags", line.auth, params=[("limit", "1")])
        if answer.status_code in (401, 403):
            raise AirflowLoginFailed(
                f"Airflow at {self.base} does not accept {self.login.who} (HTTP {answer.status_code}), or the"
                f" user may not read DAGs. Look at user name, password or token.{_TO_SWITCH_ON}"
            )
        if answer.status_code >= 300:
            raise refusal(answer, self.base, self.login.who)
