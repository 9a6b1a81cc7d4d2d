"""Facts about a flow that only the compiled dialect has, next to the one model. Holds its secrets.

Never in JSON, logs, template fields or serialized DAGs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from pydantic import SecretStr

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.document import json_value

# What the original installed for every task, without versions (section 2).
BASE_PACKAGES = tuple(
    "aqueduct-ml awswrangler boto3 cloudpickle distro google-cloud-bigquery pandas psycopg2-binary pyarrow "
    "pydantic pyodbc pyyaml scikit-learn snowflake-sqlalchemy SQLAlchemy typing_extensions".split()
)
# Configuration fields of the connectors (Aqueduct formats, section 6) whose values are not secret.
_PUBLIC_FIELDS = frozenset(
    "type exec_state use_as_storage bucket region root_dir config_file_path config_file_profile database "
    "host port username account_identifier warehouse schema role project_id output_location options "
    "endpoint endpoint_url".split()
)
# Options of drivers that are; a path leads to a secret, and is none.
_SECRET_OPTION = re.compile(r"(?i)(?:pass|pwd|secret|token|private|credential|access_?key|keyfile)")
_PATH_OPTION = re.compile(r"(?i)(?:file|path|url|provider|endpoint|seconds)$")
# Switches that have such names are not secrets, and masking these words would mask whole logs.
_SWITCHES = ("true", "false")
_URI_PASSWORD = re.compile(r"[a-z+]+://[^:/@]*:([^@/]+)@")
_ACCOUNT_SECRETS = ("private_key", "private_key_id")
# In an AWS credentials file: a line such as ``aws_secret_access_key = ...``.
_SECRET_LINE = re.compile(
    r"(?im)^[^\S\n]*aws_(?:access_key_id|secret_access_key|session_token)[^\S\n]*=[^\S\n]*(\S+)"
)


@dataclass(frozen=True)
class Compiled:
    """The facts of the dialect. An artifact's id is its content path there and an operator's id is its
    exec state's path; ``Code.sha256`` is empty (nothing pins the archive), and a parameter's default lies
    at its content path.

    :param metadata_paths: artifact id -> path of its metadata.
    :param access_keys: static keys of the storage, when the spec holds them: key id, secret.
    :param connectors: operator id -> the fields of the connector's configuration, without a ``conf`` around.
    :param notices: what users should know of the spec though it can run.
    """

    metadata_paths: Mapping[str, str]
    access_keys: tuple[SecretStr, SecretStr] | None = None
    connectors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    notices: tuple[Problem, ...] = ()

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of the spec, to be masked; the longest first: one may be a part of another."""
        keys = tuple(key.get_secret_value() for key in self.access_keys or ())
        found = (text for config in self.connectors.values() for text in secret_texts(config))
        return tuple(sorted(filter(None, dict.fromkeys((*keys, *found))), key=len, reverse=True))


def is_secret_option(name: str) -> bool:
    """Check whether the value of a driver's option of this name is a secret."""
    return bool(_SECRET_OPTION.search(name)) and not _PATH_OPTION.search(name)


def _secret_text(name: Any, value: Any) -> str:
    """Return the value if it is a secret, else empty text."""
    text = str(value or "")
    return text if is_secret_option(str(name)) and text.lower() not in _SWITCHES else ""


def _secrets_of_uri(uri: str) -> list[str]:
    """Return the secrets in the options of a MongoDB URI, also in pairs such as ``AWS_SESSION_TOKEN:x``."""
    pairs = parse_qsl(uri.partition("?")[2])
    pairs += [
        (name, text)
        for _, value in pairs
        for part in value.split(",")
        for name, _, text in [part.partition(":")]
    ]
    found = [text for name, value in pairs if (text := _secret_text(name, value))]
    return [*found, *map(quote_plus, found), *(quote(text, safe="") for text in found)]


def secrets_inside(value: Any) -> list[str]:
    """Return the secrets in a JSON object or list, or in its text, however deep they are."""
    found, left = list[str](), deque([value])
    # Calls within calls would end before the depth that JSON may have does.
    while left:
        value = left.popleft()
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                value = json_value(value)
            except ValueError:
                continue
        if isinstance(value, Mapping):
            strings = ((name, one) for name, one in value.items() if isinstance(one, str))
            found += [text for name, one in strings if (text := _secret_text(name, one))]
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
    return found


def secret_texts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secret values of a connector's configuration, and those inside them.

    A password is also in a MongoDB URI, percent-encoded; keys are in an AWS credentials file and
    in the JSON of a Google service account.
    """
    secret = [value for name, value in config.items() if name not in _PUBLIC_FIELDS]
    found = [value for value in secret if isinstance(value, str) and value]
    # Systems of other packages may have objects in their configuration.
    found += [text for value in secret if not isinstance(value, str) for text in secrets_inside(value)]
    options = config.get("options")
    if isinstance(options, Mapping):
        found += [text for name, value in options.items() if (text := _secret_text(name, value))]
        found += [text for value in options.values() for text in secrets_inside(value)]
    found += _SECRET_LINE.findall(str(config.get("config_file_content", "")))
    if match := _URI_PASSWORD.match(str(config.get("auth_uri", ""))):
        found += [match[1], unquote(match[1])]
    found += _secrets_of_uri(str(config.get("auth_uri", "")))
    try:
        account = json_value(str(config.get("service_account_credentials", "")))
    except ValueError:
        account = None
    if isinstance(account, Mapping):
        found += [key for name in _ACCOUNT_SECRETS if isinstance(key := account.get(name), str) and key]
    return tuple(dict.fromkeys(found))


def secret_fields(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a connector's configuration that are secrets or have some inside them."""
    return tuple(name for name, value in config.items() if secret_texts({name: value}))
