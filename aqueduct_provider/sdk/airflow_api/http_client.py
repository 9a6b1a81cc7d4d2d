"""Requests to one host over httpx: time limits, trust, redirects, repeats.

In: method, path, headers, body. Out: any answer, an error status too. What prevents an answer is raised as an
error of this package.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AirflowLoginFailed, AirflowUnreachable, ConfigError
from aqueduct_provider.sdk.airflow_api.http_errors import can_pass, translated, was_refused, wrong_setup
from aqueduct_provider.storage.files import expanded

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
PAUSES = (0.2, 0.6)
_BUSY = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE = 10.0
_MOST_REDIRECTS = 5
_LOGIN_PAGES = frozenset({"login", "signin", "sso", "oauth2"})
# httpx would ask a proxy of the environment for this machine too.
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class HttpClient:
    """Requests to one host. Threads may share it; after ``close`` the next request connects again.

    :param base: the URL before every path, without a slash at its end.
    :param ca_file: PEM file of the only CA that is trusted; empty: the usual ones.
    :param token: a bearer token that is sent with every request; empty: none.
    :param sleep: waits between two tries, in seconds.
    :param read_seconds: after which an answer comes too late.
    """

    def __init__(
        self,
        base: str,
        ca_file: str = "",
        token: str = "",
        *,
        sleep: Callable[[float], None] = time.sleep,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.base = base
        self._ca_file = ca_file
        self._headers = {"user-agent": "aqueduct-sdk"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._sleep = sleep
        self._read_seconds = read_seconds
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._end: weakref.finalize[..., HttpClient] | None = None

    def send(
        self, method: str, path: str, auth: httpx.Auth | None = None, *, reads: bool = False, **parts: Any
    ) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        A request that only reads is repeated when the server is busy or drops the connection; others only
        when the connection was refused. A transport would be httpx's place for that, but a client with a
        transport of its own ignores the proxies of the environment.

        :param path: below ``base``, already quoted, with a leading slash.
        :param reads: whether sending it twice does no harm, though its method is not GET.
        :param parts: of the request, as ``httpx.Client.request`` takes them.
        :raises AirflowUnreachable: nothing answers.
        :raises AirflowLoginFailed: it points to a login page, or the login failed.
        """
        import httpx

        client = self._connected()
        repeatable = reads or method == "GET"
        for pause in (*PAUSES, None):
            try:
                answer = client.request(method, self.base + path, auth=auth, **parts)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if pause is None or not (was_refused(error) or (repeatable and can_pass(error))):
                    raise translated(error, self.base) from error
            else:
                if pause is None or not repeatable or answer.status_code not in _BUSY:
                    return answer
                pause = _asked_for(answer, pause)
            self._sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._client = None
            if self._end is not None:
                self._end()

    def _connected(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                own = trust_of(self._ca_file) if self._ca_file else None
                try:
                    verify = own or _usual_trust(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
                    self._client = httpx.Client(
                        timeout=httpx.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
                        verify=verify,
                        mounts=dict.fromkeys(_LOOPBACK),
                        headers=self._headers,
                        follow_redirects=True,
                        max_redirects=_MOST_REDIRECTS,
                        event_hooks={"response": [_check_redirect]},
                    )
                except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
                    raise wrong_setup(error) from error
                # Who forgets to close it leaves no open socket behind.
                self._end = weakref.finalize(self, self._client.close)
            return self._client


def _check_redirect(answer: httpx.Response) -> None:
    """Let only reading requests be redirected, and never to another host or a login page."""
    if not answer.has_redirect_location:
        return
    old = answer.request.url
    new = old.join(answer.headers["location"])
    here = f"{old.scheme}://{old.netloc.decode('ascii')}"
    place = f"{new.scheme}://{new.netloc.decode('ascii')}{new.path}" if not new.userinfo else new.host
    if new.host != old.host or not _LOGIN_PAGES.isdisjoint(new.path.split("/")):
        raise AirflowLoginFailed(
            f"{here} wants a login: it redirects to {place}. Give a user name and password, or, behind a"
            " single sign-on, a token."
        )
    upgraded = (old.scheme, new.scheme) == ("http", "https")
    same_place = (old.scheme, old.port) == (new.scheme, new.port)
    if answer.request.method != "GET" or not (same_place or upgraded):
        raise AirflowUnreachable(f"{here} redirects to {place}. Give the address there as host.")


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


@cache
def _usual_trust(*_certificates: str | None) -> ssl.SSLContext:
    """Return httpx's own trust, which takes 30 ms to read and which clients of one process may share.

    :param _certificates: the variables on which it depends.
    """
    import httpx

    return httpx.create_ssl_context()


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
