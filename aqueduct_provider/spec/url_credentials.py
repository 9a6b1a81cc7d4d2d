"""Find the credentials in the URLs of a text, and show the text without them (pure)."""

from __future__ import annotations

import re

# The part of a URL before the host: user, user:password, or a token alone.
_USER_INFO = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<user>[^\s/?#@:]*)(?::(?P<password>[^\s/?#]*))?@", re.ASCII
)
# A password with a character that should have been percent-encoded: it ends where a host and a path follow.
_RAW_PASSWORD = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<user>[^\s/?#@:]*):(?P<password>[^\s@/?#]*[/?#]\S*?)@"
    r"(?=[\w.-]+(?::\d+)?/)",
    re.ASCII,
)
# The same two, to be searched for in long text: linear, and without a look at the scheme.
USER_PARTS = (
    re.compile(r"""://[^\s/?#"'<>`]*@"""),
    re.compile(
        r"://[^\s/?#@:]{0,200}:(?!\d*[/?#])[^\s@/?#]{0,200}[/?#]\S{0,200}?@(?=[\w.-]+(?::\d+)?/)", re.ASCII
    ),
)
_PORT = re.compile(r"\d*[/?#]")
_QUERY = re.compile(r"(?P<url>[A-Za-z][\w+.-]*://[^\s?#]*)\?[^\s#]*", re.ASCII)
_SECRET_ARGUMENT = re.compile(
    # Tokens of paging open nothing.
    r"(?P<name>[?&#;](?![\w.-]*(?:page|next|prev|continuation|cursor|sync)[\w.-]*token=)"
    r"(?:[\w.-]*(?:passw(?:or)?d|secret|token|signature|credential)|pwd|sig|jwt|auth|"
    r"(?:[\w-]*[_-])?api[_-]?key|(?:[\w-]*[_-])?access[_-]?key(?:[_-]?id)?)=)(?P<value>[^\s&#;]+)",
    re.IGNORECASE | re.ASCII,
)
_URL = re.compile(r"[A-Za-z][\w+.-]*://\S+", re.ASCII)
# A name of a person or a role. Tokens are longer, or have digits.
_USER = re.compile(r"[A-Za-z._-]{1,20}", re.ASCII)
# Filled in by the worker from its own environment.
_VARIABLE = re.compile(r"\$\{\w+\}")
# Values of arguments that are not secrets: such variables, what switches something on or off, and
# names of methods.
_SWITCH = re.compile(
    r"(?:\$\{\w+\})*|[01]|true|false|yes|no|on|off|none|basic|digest|bearer|oauth2?|token|jwt", re.IGNORECASE
)


def passwords_in(text: str) -> list[str]:
    """Return the passwords and tokens in the URLs of ``text``, as they are written there."""
    found = [
        one["password"] or one["user"]
        for one in _USER_INFO.finditer(text)
        if _is_secret(one) and not _is_user(one)
    ]
    found += [one["password"] for one in _RAW_PASSWORD.finditer(text) if not _PORT.match(one["password"])]
    arguments = (one for url in _URL.findall(text) for one in _SECRET_ARGUMENT.finditer(url))
    return found + [one["value"] for one in arguments if not _SWITCH.fullmatch(one["value"])]


def has_credentials(text: str) -> bool:
    """Check whether a URL in ``text`` holds a password or a token."""
    return bool(passwords_in(text))


def without_credentials(text: str) -> str:
    """Return ``text`` with ``***`` in place of credentials and of the queries of URLs; the rest is shown.

    When in doubt whether something is a password that was not percent-encoded, it is hidden.
    """
    text = _USER_INFO.sub(lambda one: f"{one['scheme']}://***@" if _is_secret(one) else one[0], text)
    text = _RAW_PASSWORD.sub(r"\g<scheme>://***@", text)
    text = _QUERY.sub(r"\g<url>?***", text)
    return _URL.sub(lambda url: _SECRET_ARGUMENT.sub(r"\g<name>***", url[0]), text)


def without_user(text: str) -> str:
    """Return ``text`` with ``***`` in place of the user part of every URL: user, password or token."""
    if "://" not in text or "@" not in text:
        return text
    for pattern in USER_PARTS:
        text = pattern.sub("://***@", text)
    return text


def _is_secret(found: re.Match[str]) -> bool:
    if found["password"] is not None:
        return bool(_VARIABLE.sub("", found["password"]))
    # Before a web server, a lone name may be a token; others, such as SSH and databases, take users.
    return found["scheme"].lower().endswith(("http", "https")) and bool(_VARIABLE.sub("", found["user"]))


def _is_user(found: re.Match[str]) -> bool:
    return found["password"] is None and bool(_USER.fullmatch(found["user"]))
