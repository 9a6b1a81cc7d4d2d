"""Translate httpx's errors and Airflow's error answers into those of this package.

In: an exception of httpx, or an answer with an error status. Out: an exception of ``errors.py`` whose message
names the host, the reason and the fix. No text of httpx goes into a message: it may quote a header with a
token.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import (
    AirflowError,
    AirflowLoginFailed,
    AirflowRefused,
    AirflowUnreachable,
    AqueductError,
    ConfigError,
    NotFound,
)

if TYPE_CHECKING:
    import httpx

# What happened, by the name of httpx's exception; a class that is missing here takes its nearest parent's.
REASONS = {
    "HTTPError": "the connection broke before the answer was complete. Try again; look at the API server's"
    " log.",
    "TimeoutException": "no answer within the time limit. Is Airflow overloaded, or a firewall in between?",
    "ConnectTimeout": "no connection within the time limit. Is the host right, or a firewall in between?",
    "ReadTimeout": "Airflow took the request and did not answer within the time limit. Is it overloaded?",
    "WriteTimeout": "the request could not be sent within the time limit. Is the network overloaded?",
    "PoolTimeout": "too many requests are waiting for a connection. Use fewer threads.",
    "ConnectError": "no connection. Is Airflow running, and are host and port right?",
    "ProtocolError": "the answer is not HTTP. Is it Airflow's port, and http or https?",
    "LocalProtocolError": "the request cannot be sent. Look for control characters in the names given.",
    "ProxyError": "the proxy of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) refuses. Correct it, or"
    " add the host to NO_PROXY.",
    "UnsupportedProtocol": "only http and https are known.",
    "DecodingError": "the answer's compression is broken. Is a proxy in between?",
    "TooManyRedirects": "the redirects do not end. Is the path of the host right?",
    "InvalidURL": "the address is not a valid URL. Check the host, and look for control characters in names.",
}
_REFUSED = "the connection is refused: nothing listens there. Is Airflow running, and is the port right?"
_NO_NAME = "the host name cannot be resolved. Is it spelled right, and is a VPN needed?"
_NOT_TRUSTED = (
    "its TLS certificate is not trusted ({0}). Name the PEM file of the CA that signed it in ca_file, or use"
    " the name that the certificate is for."
)
_NO_TLS = "it does not speak TLS as expected. Is it http and not https, or another port?"
_TOKEN_REFUSED = re.compile(r"\btoken\b", re.IGNORECASE)
_LONGEST = 500


def translated(error: Exception, host: str) -> AqueductError:
    """Return the package's error for one of httpx's."""
    names = [kind.__name__ for kind in type(error).__mro__]
    reason = _reason_below(error) or next(REASONS[name] for name in names if name in REASONS)
    return AirflowUnreachable(f"Airflow at {host} cannot be reached: {reason}")


def was_refused(error: BaseException) -> bool:
    """Check whether the connection was refused, so that nothing of the request has arrived."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))


def can_pass(error: Exception) -> bool:
    """Check whether the same request may succeed later: not after a timeout, nor without trust."""
    import ssl

    import httpx

    lasting = any(isinstance(cause, ssl.SSLError) for cause in _causes(error))
    return isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError)) and not lasting


def _reason_below(error: BaseException) -> str:
    """Return the reason of the operating system or TLS, which is more exact than httpx's class."""
    import ssl

    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return _REFUSED
        if isinstance(cause, socket.gaierror):
            return _NO_NAME
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _NOT_TRUSTED.format(cause.verify_message.rstrip("."))
        if isinstance(cause, ssl.SSLError):
            return _NO_TLS
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


# --- error answers


def refusal(answer: httpx.Response, host: str, who: str) -> AirflowError | NotFound:
    """Return the error for an answer with an error status.

    :param who: who asked, as messages name them: "the user 'ann'".
    """
    status = answer.status_code
    reason = reason_of(answer)
    if login_is_refused(answer):
        return AirflowLoginFailed(
            f"Airflow at {host} does not accept {who} (HTTP {status}{_because(reason)}). Log in again: give"
            " the right user name and password, or a token that has not expired."
        )
    if status in (502, 503, 504):
        return AirflowUnreachable(
            f"Airflow at {host} cannot be reached: a server in front of it answers {_status(status)}. It may"
            " be starting or overloaded; try again later."
        )
    if status == 500:
        return AirflowRefused(
            f"Airflow at {host} had an error of its own ({reason or _status(status)}). Look at its API"
            " server's log.",
            status,
        )
    if "json" not in answer.headers.get("content-type", ""):
        return not_airflow(answer, host)
    if status == 404:
        return NotFound(f"Airflow at {host} does not have what was asked for: {reason or _status(status)}")
    if status == 403:
        return AirflowRefused(
            f"Airflow at {host} does not allow this to {who}: the permission is missing"
            f"{_because(reason)}. Ask Airflow's admin for a role that has it.",
            status,
        )
    return AirflowRefused(f"Airflow at {host} refuses: {reason or _status(status)} (HTTP {status}).", status)


def not_airflow(answer: httpx.Response, host: str) -> AirflowUnreachable:
    """Return the error for an answer that is not Airflow's."""
    kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
    return AirflowUnreachable(
        f"{host} answers, but not as Airflow ({_status(answer.status_code)}, {kind}). Look at the host, the"
        " port and the path in front of Airflow, and whether it is http or https; or a proxy answers in its"
        " place."
    )


def login_is_refused(answer: httpx.Response) -> bool:
    """Check whether an answer refuses the login: Airflow 3 answers an unreadable token with 403."""
    if answer.status_code != 403:
        return answer.status_code == 401
    return bool(_TOKEN_REFUSED.search(reason_of(answer)))


def string_at(answer: httpx.Response, name: str) -> str:
    """Return a string in a good answer's JSON; empty when it has another form."""
    found = _object_in(answer).get(name) if answer.status_code < 300 else None
    return found if isinstance(found, str) else ""


def reason_of(answer: httpx.Response) -> str:
    """Return what Airflow says about an error, in one line; empty when it says nothing."""
    body = _object_in(answer)
    said = body.get("detail") or body.get("title") or body.get("error") or ""
    line = " ".join(_detail(said).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _object_in(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _detail(said: Any) -> str:
    """Return Airflow 3's detail: a string, a list of pydantic's problems, or a dict of a database's error."""
    if isinstance(said, dict):
        return str(said.get("reason") or said.get("message") or said)
    if isinstance(said, list):
        return "; ".join(map(_problem, said))
    # Then follow the JSON Schema and the value, in Python's notation.
    return str(said).partition("\n\nFailed validating")[0]


def _problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ".".join(str(part) for part in problem.get("loc", ())[1:])
    return f"{place}: {problem.get('msg')}" if place else str(problem.get("msg"))


def _because(reason: str) -> str:
    return f"; it says: {reason.rstrip('.')}" if reason else ""


def _status(status: int) -> str:
    import httpx

    return f"HTTP {status} {httpx.codes.get_reason_phrase(status)}".rstrip()


def wrong_setup(error: Exception) -> ConfigError:
    """Return the error for settings of the environment with which no HTTP client can be made."""
    if isinstance(error, OSError):
        return ConfigError(
            "The CA certificates that SSL_CERT_FILE or SSL_CERT_DIR of the environment name cannot be read"
            f" ({error.strerror or 'no PEM certificates'}). Correct or unset the variable, or give ca_file."
        )
    return ConfigError(
        "The proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY of the environment names cannot be used. Write"
        " it as http://host:port, or unset the variable."
    )
