"""Stage 1, what only the compiled dialect knows of a flow, beside the one model. Holds its secrets.

Never in JSON, logs, template fields or serialized DAGs. Must not import: anything of this package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

# Configuration fields of the connectors (Aqueduct formats, section 6) whose values are no secret.
_PUBLIC_FIELDS = frozenset(
    "type exec_state use_as_storage bucket region root_dir config_file_path config_file_profile database "
    "host port username account_identifier warehouse schema role project_id output_location".split()
)
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
        return keys + tuple(text for config in self.connectors.values() for text in _secret_texts(config))


def _secret_texts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The secret values of a configuration, and those in a credentials file that it holds."""
    secret = (value for name, value in config.items() if name not in _PUBLIC_FIELDS)
    texts = tuple(value for value in secret if isinstance(value, str) and value)
    return texts + tuple(_SECRET_LINE.findall(str(config.get("config_file_content", ""))))
