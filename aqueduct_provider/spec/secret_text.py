"""Recognise secrets: by what a text looks like, and by the name under which it is kept (pure).

In: text, or a name. Out: what kind of secret it is, in words that never repeat it. Formats are those that
their issuers document, so that chance text is not taken for one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from aqueduct_provider.spec.url_credentials import passwords_in

_FORMATS: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d"),
    ("a private key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    ("an access key of AWS", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("an API key of Google", r"\bAIza[\w-]{35}"),
    ("a token of Google", r"\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}"),
    ("a token of GitHub", r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}"),
    ("a token of GitLab", r"\bgl(?:pat|dt|ptt|rt|cbt)-[\w-]{20,}"),
    ("a token of Slack", r"\bxox[abeoprs]-(?=[\w-]*\d)[\w-]{10,}|\bxapp-\d-[\w-]{10,}"),
    ("a webhook of Slack", r"https://hooks\.slack\.com/(?:services|workflows)/[\w/]{20,}"),
    ("a webhook of Discord", r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w-]{20,}"),
    ("a key of Stripe", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("an API key", r"\bsk-(?=[\w-]*\d)(?:(?:proj|ant|svcacct|admin|or)-[\w-]{20,}|[A-Za-z0-9]{20,})"),
    ("a token of Hugging Face", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a token of PyPI", r"\bpypi-AgE[\w-]{40,}"),
    ("a token of npm", r"\bnpm_[A-Za-z0-9]{36}"),
    ("a token of SendGrid", r"\bSG\.[\w-]{16,}\.[\w-]{16,}"),
    ("a token of Databricks", r"\bdapi[0-9a-f]{32}\b"),
    ("a token of DigitalOcean", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    ("a token of Vault", r"\bhv[sbr]\.[\w-]{20,}"),
    ("a token of Telegram", r"\b\d{8,10}:AA[\w-]{33}\b"),
    ("a token of Grafana", r"\bgl(?:sa|c)_[A-Za-z0-9+/=_]{32,}"),
    ("a token of Notion", r"\bntn_[A-Za-z0-9]{40,}"),
    ("a token of Shopify", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    ("a token of Docker", r"\bdckr_(?:pat|oat)_[\w-]{20,}"),
    ("a token of Replicate", r"\br8_[A-Za-z0-9]{37}\b"),
    ("a key of Groq", r"\bgsk_[A-Za-z0-9]{40,}"),
    ("a key of xAI", r"\bxai-[A-Za-z0-9]{40,}"),
    ("a key of Perplexity", r"\bpplx-[A-Za-z0-9]{40,}"),
    ("a key of Pinecone", r"\bpcsk_[\w-]{40,}"),
    ("a key of New Relic", r"\bNRAK-[A-Z0-9]{27}\b"),
    ("a key of Linear", r"\blin_api_[A-Za-z0-9]{40}"),
    ("a token of Atlassian", r"\bATATT3x[\w=-]{60,}"),
    ("a password of PlanetScale", r"\bpscale_(?:pw|tkn|oauth)_[\w.-]{32,}"),
    ("a token of Doppler", r"\bdp\.(?:pt|st|ct|sa)\.[A-Za-z0-9.]{40,}"),
    ("a secret of Stripe", r"\bwhsec_[A-Za-z0-9+/=]{32,}"),
    ("a JSON web token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{10,}"),
    ("an Authorization header", r"(?i:\bbearer )(?=[\w.~+/-]*\d)[\w.~+/-]{20,}={0,2}"),
)
_ANY_FORMAT = re.compile("|".join(f"(?:{pattern})" for _, pattern in _FORMATS))
# RFC 7617: user and password in base64.
_BASIC = re.compile(r"(?i:\bbasic )(?P<value>[A-Za-z0-9+/]{4,}={0,2})(?![\w=])")
# As in an .env file or a shell.
_VARIABLE = re.compile(
    r"(?<![^\s'\"])(?P<name>[A-Za-z]\w*)=['\"]?(?=[^'\"\s]*\d)[\w+/.~!#$%^&*@-]{8,}={0,2}(?![^\s'\"])"
)
# As in a credentials file of AWS, whatever its values look like.
_AWS_LINE = re.compile(
    r"(?:^|[\s'\"])aws_(?:secret_access_key|session_token)\s*[=:]\s*(?P<value>\S+)", re.IGNORECASE
)
# As in a JSON document.
_JSON_PAIR = re.compile(r"""(["'])(?P<name>[\w -]{1,80})\1\s*:\s*(["'])(?P<value>(?:(?!\3).){1,2000})\3""")

# Connection strings of key=value pairs, such as those of ODBC, libpq and Azure.
_PAIR = re.compile(
    r"(?:^|[;,&\s])(?:password|passwd|pwd|account ?key|shared ?access ?key|shared ?access ?signature)\s*=\s*"
    r"(?P<value>[^\s;,&]+)",
    re.IGNORECASE,
)
_CONNECTION = re.compile(
    r"(?:^|[;,&:\s])(?:host|server|data source|addr|address|endpoint|dbname|database|initial catalog|"
    r"user|uid|user id|username|accountname|defaultendpointsprotocol|dsn|driver)\s*=",
    re.IGNORECASE,
)
# There, "password = ..." compares a column.
_SQL = re.compile(r"\b(?:select|where|insert|update|delete)\b", re.IGNORECASE)
# A placeholder for a value that is filled in elsewhere, or shows where one belongs.
_PLACEHOLDER = re.compile(
    r"\$\{\w+\}|\$[A-Z_][A-Z0-9_]*|\{\{.*\}\}|\{\w*\}|%\(\w+\)s|%s|[:@]\w+|\$\d+|<[^<>]*>|\[[^\[\]]*\]|[\W_]*|[xX]{3,}",
    re.DOTALL,
)
# What examples in prose write in place of a secret.
_EXAMPLE = re.compile(
    r"(?:(?:my|your|the|a|some|db|user)[-_ ]?)?(?:password|passwd|passw|pass|pwd|pw|secret|token|key|"
    r"api[-_ ]?key|access[-_ ]?token)(?:[-_ ]?here)?|changeme|example",
    re.IGNORECASE,
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    "password passwords passwd passphrase passcode pwd secret secrets token apikey apikeys creds credential "
    "credentials".split()
)
# Before "key" or "keys".
_SECRET_KEYS = frozenset(
    "api access secret private auth encryption signing account fernet shared ssh pem openai anthropic gemini "
    "stripe twilio sendgrid azure".split()
)
# Before "token": those of text and of paging, which open nothing.
_PLAIN_TOKENS = frozenset(
    "pad padding eos bos sep cls mask unk unknown start stop end special image audio text word sub first "
    "last next prev previous page continuation this each split separator delimiter prompt placeholder "
    "blank".split()
)


def secret_in(text: str, *, prose: bool = False) -> str:
    """Return what kind of secret a text holds, such as ``a token of GitHub``; empty when it holds none.

    :param prose: prose for human readers: examples such as ``https://user:password@host`` are allowed.
    """
    for password in passwords_in(text) if "://" in text else ():
        if not _stands_for_one(password, prose=prose):
            return "a URL with a password or a token"
    if "=" in text and _CONNECTION.search(text) and not _SQL.search(text):
        for found in _PAIR.finditer(text):
            if not _stands_for_one(found["value"].strip("'\""), prose=prose):
                return "a connection string with a password"
    if pair := next((kind for kind, is_in in _PAIRS if is_in(text)), ""):
        return pair
    if not _ANY_FORMAT.search(text):
        return ""
    return next(kind for kind, pattern in _FORMATS if re.search(pattern, text))


def is_secret_name(name: str) -> bool:
    """Check whether what is kept under this name is a secret: ``db_password`` is one, ``max_tokens`` is not.

    The last word decides: ``password_column`` is a column and ``token_path`` is a path.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in ("value", "str", "string", "text", "default")):
        words.pop()
    if words[-2:] == ["key", "id"]:
        words.pop()
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("key", "keys"):
        return before in _SECRET_KEYS
    if last.endswith(("password", "passwd")) or (last == "pass" and before):
        return True
    return last in _SECRET_WORDS and not (last == "token" and before in _PLAIN_TOKENS)


def is_secret_value(value: str | bytes) -> bool:
    """Check whether the value of something with a secret's name is one, not empty or a placeholder."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return not _PLACEHOLDER.fullmatch(text.strip())


def _has_variable(text: str) -> bool:
    return any(is_secret_name(found["name"]) for found in _VARIABLE.finditer(text))


def _has_aws_line(text: str) -> bool:
    return any(is_secret_value(found["value"]) for found in _AWS_LINE.finditer(text))


def _has_json_pair(text: str) -> bool:
    return any(
        is_secret_name(found["name"]) and not _stands_for_one(found["value"], prose=True)
        for found in _JSON_PAIR.finditer(text)
    )


def _has_basic_header(text: str) -> bool:
    return any(_is_user_and_password(found["value"]) for found in _BASIC.finditer(text))


# What a text with a name and a secret for it is called, and how it is found.
_PAIRS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a variable with a secret", _has_variable),
    ("a line of an AWS credentials file", _has_aws_line),
    ("a secret by its name", _has_json_pair),
    ("an Authorization header", _has_basic_header),
)


def _is_user_and_password(text: str) -> bool:
    try:
        decoded = base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return False
    return ":" in decoded and decoded.isprintable()


def _stands_for_one(value: str, *, prose: bool) -> bool:
    return bool(_PLACEHOLDER.fullmatch(value) or (prose and _EXAMPLE.fullmatch(value)))
