"""Requests to one host over httpx: time limits, trust, redirects, repeats. Knows nothing of Airflow.

In: method, path, headers, body. Out: any answer, an error status too. What prevents an answer is raised as an
error of this package.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AirflowLoginFailed, AirflowUnreachable, AqueductError, ConfigError
from aqueduct_provider.sdk.airflow_api.http_errors import can_pass, translated, was_refused, wrong_setup
from aqueduct_provider.storage.files import expanded

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
TRIES = 3
_PAUSES = (0.2, 0.6)
_BUSY = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 10.0
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOGIN_PAGES = frozenset({"login", "signin", "sso", "oauth2"})
# httpx would ask a proxy of the environment for this machine too.
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


@dataclass(frozen=True)
class Request:
    """A request to send.

    :param path: below the wire's base, already quoted, with a leading slash.
    :param repeatable: whether sending it twice does no harm.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = False


class Wire:
    """A host. Threads may share it; after ``close`` the next request connects again.

    :param base: the URL before every path, without a slash at its end.
    :param ca_file: PEM file of the only CA that is trusted; empty: the usual ones.
    :param sleep: waits between two tries, in seconds.
    :param read_seconds: after which an answer comes too late.
    """

    def __init__(
        self,
        base: str,
        ca_file: str = "",
        *,
        sleep: Callable[[float], None] = time.sleep,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.base = base
        self._ca_file = ca_file
        self._sleep = sleep
        self._read_seconds = read_seconds
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._end: weakref.finalize[..., Wire] | None = None

    def send(self, request: Request) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        :raises AirflowUnreachable: there is none.
        :raises AirflowLoginFailed: it points to a login page.
        """
        for pause in (*_PAUSES, None):
            outcome = self._tried(request)
            if isinstance(outcome, _Failure):
                if pause is None or not outcome.again:
                    raise outcome.error from outcome.error.__cause__
            elif pause is None or not request.repeatable or outcome.status_code not in _BUSY:
                return outcome
            else:
                pause = _asked_for(outcome, pause)
            self._sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._client = None
            if self._end is not None:
                self._end()

    def _tried(self, request: Request) -> httpx.Response | _Failure:
        import httpx

        client = self._connected()
        try:
            return self._followed(client, request)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
            ours = translated(error, self.base)
            ours.__cause__ = error
            return _Failure(ours, was_refused(error) or (request.repeatable and can_pass(error)))

    def _followed(self, client: httpx.Client, request: Request) -> httpx.Response:
        """Return the answer after redirects; only reading requests follow them, and never to another host."""
        url = client.build_request("GET", self.base + request.path, params=list(request.query)).url
        for _ in range(_MOST_REDIRECTS):
            answer = client.request(request.method, url, headers=dict(request.headers), content=request.body)
            if answer.status_code not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = self._next(request, url, url.join(answer.headers["location"]))
        raise AirflowUnreachable(
            f"Airflow at {self.base} cannot be reached: the redirects do not end. Look at the host's path."
        )

    def _next(self, request: Request, old: httpx.URL, new: httpx.URL) -> httpx.URL:
        place = f"{new.scheme}://{new.netloc.decode('ascii')}{new.path}" if not new.userinfo else new.host
        if new.host != old.host or not _LOGIN_PAGES.isdisjoint(new.path.split("/")):
            raise AirflowLoginFailed(
                f"{self.base} wants a login: it redirects to {place}. Give a user name and password, or,"
                " behind a single sign-on, a token."
            )
        upgraded = (old.scheme, new.scheme) == ("http", "https")
        same_place = (old.scheme, old.port) == (new.scheme, new.port)
        if request.method == "GET" and (same_place or upgraded):
            return new
        raise AirflowUnreachable(f"{self.base} redirects to {place}. Give the address there as host.")

    def _connected(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                verify = trust_of(self._ca_file) if self._ca_file else True
                try:
                    self._client = httpx.Client(
                        timeout=httpx.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
                        verify=verify,
                        mounts=dict.fromkeys(_LOOPBACK),
                        headers={"user-agent": "aqueduct-sdk"},
                    )
                except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
                    raise wrong_setup(error) from error
                # Who forgets to close it leaves no open socket behind.
                self._end = weakref.finalize(self, self._client.close)
            return self._client


@dataclass(frozen=True)
class _Failure:
    """A try without an answer.

    :param again: whether another one may help and does no harm.
    """

    error: AqueductError
    again: bool


def trust_of(ca_file: str) -> ssl.SSLContext:
    """Return the trust in one's own CA and in no other."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=expanded(ca_file))
    except ssl.SSLError as error:
        raise ConfigError(
            f"ca_file {ca_file} holds no certificate in PEM form. It must hold blocks that begin with"
            " '-----BEGIN CERTIFICATE-----'."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"ca_file {ca_file} cannot be read ({error.strerror}). Correct the path or its permissions."
        ) from error
    # Python 3.13 refuses, for their form, certificates that a few lines of openssl make.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _asked_for(answer: httpx.Response, pause: float) -> float:
    """Return the seconds until the next try: what the answer asks for, else ``pause``."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_PAUSE)
    try:
        left = (parsedate_to_datetime(text) - datetime.now(timezone.utc)).total_seconds()
    except (TypeError, ValueError):
        return pause
    return min(max(left, 0.0), _LONGEST_PAUSE)
