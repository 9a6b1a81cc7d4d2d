"""Stage 1, what only the compiled dialect knows of a flow, beside the one model. Holds its secrets.

Never in JSON, logs, template fields or serialized DAGs. Must not import: anything of this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

# Configuration fields of the connectors (Aqueduct formats, section 6) whose values are no secret.
_PUBLIC_FIELDS = frozenset(
    "type exec_state use_as_storage bucket region root_dir config_file_path config_file_profile database "
    "host port username account_identifier warehouse schema role project_id output_location options".split()
)
# Options of drivers that are.
_SECRET_OPTION = re.compile(r"(?i)pass|secret|token|private")
_URI_PASSWORD = re.compile(r"[a-z+]+://[^:/@]*:([^@/]+)@")
_ACCOUNT_SECRETS = ("private_key", "private_key_id")
# In an AWS credentials file: a line such as ``aws_secret_access_key = ...``.
_SECRET_LINE = re.compile(r"(?im)^\s*aws_(?:access_key_id|secret_access_key|session_token)\s*=\s*(\S+)")


@dataclass(frozen=True)
class Compiled:
    """The facts of the dialect. An artifact's id is its content path there and an operator's id is its
    exec state's path; ``Code.sha256`` is empty (nothing pins the archive), and a parameter's default lies
    at its content path.

    :param metadata_paths: artifact id -> path of its metadata.
    :param access_keys: static keys of the storage, when the spec holds them: key id, secret.
    :param connectors: operator id -> the fields of the connector's configuration, without a ``conf`` around.
    """

    metadata_paths: Mapping[str, str]
    access_keys: tuple[SecretStr, SecretStr] | None = None
    connectors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of the spec, to be masked."""
        keys = tuple(key.get_secret_value() for key in self.access_keys or ())
        return keys + tuple(text for config in self.connectors.values() for text in secret_texts(config))


def secret_texts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The secret values of a connector's configuration, and those inside them.

    A password also stands in a MongoDB URI, in it percent-encoded; keys stand in an AWS credentials file and
    in the JSON of a Google service account.
    """
    secret = (value for name, value in config.items() if name not in _PUBLIC_FIELDS)
    texts = [value for value in secret if isinstance(value, str) and value]
    options = config.get("options")
    if isinstance(options, Mapping):
        texts += [str(value) for name, value in options.items() if value and _SECRET_OPTION.search(name)]
    texts += _SECRET_LINE.findall(str(config.get("config_file_content", "")))
    if found := _URI_PASSWORD.match(str(config.get("auth_uri", ""))):
        texts += [found[1], unquote(found[1])]
    try:
        account = json.loads(str(config.get("service_account_credentials", "")))
    except ValueError:
        account = None
    if isinstance(account, Mapping):
        texts += [text for name in _ACCOUNT_SECRETS if isinstance(text := account.get(name), str) and text]
    return tuple(dict.fromkeys(texts))
