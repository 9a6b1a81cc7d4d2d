"""Find what a task must mask beyond the secrets of its spec and connections: those of its worker.

In: the worker's environment variables, a store. Out: the passwords, tokens and keys in them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from aqueduct_provider.errors import AqueductError
from aqueduct_provider.spec.compiled_facts import is_secret_option, secrets_inside
from aqueduct_provider.spec.url_credentials import passwords_in
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.s3 import S3Store

_KEY_NAME = re.compile(
    r"(?i)(?:^|_)(?:(?:api|fernet|secret|signing|encryption|account)_?)?key$|_(?:pass|pwd|pin|pat|cookie|jwt)$"
)
# Such values are not secret, whatever their name: switches, names of classes.
_PUBLIC_VALUE = re.compile(r"true|false|yes|no|none|.{0,2}|(?:[a-z_]\w*\.)+[A-Z]\w*", re.IGNORECASE)
# Nor are numbers and short values, unless the last word of the name says that they are.
_PUBLIC_NUMBER = re.compile(r"[\d.]+|.{0,4}")
_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|passphrase|pass|pwd|pin|secret|token|key)$")
# Nor are paths, unless the name says that they are.
_NO_PATH_NAME = re.compile(r"(?i)secret|password|passwd|passphrase|token|key")
_PATH_NAME = re.compile(r"(?i)_(?:file|path|dir|folder|home)$")
# AIRFLOW__SECTION__OPTION: the section says nothing of the value.
_AIRFLOW_SECTION = re.compile(r"^AIRFLOW__\w+?__")


def variable_secrets(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in environment variables.

    Those are values with a secret name, such as ``DB_PASSWORD``; passwords in URIs, whatever the name, such
    as ``AIRFLOW_CONN_SHOP``; and the secrets in values that are JSON.
    """
    return tuple(dict.fromkeys(secret for item in variables.items() for secret in _secrets_of(*item)))


def store_secrets(store: ObjectStore) -> Iterable[str]:
    """Return the keys that requests to a store are signed with; none where there are none, or none yet."""
    if not isinstance(store, S3Store):
        return ()
    try:
        return store.secrets()
    except AqueductError:
        # The first request will raise it again.
        return ()


def _secrets_of(name: str, value: str) -> Iterator[str]:
    name = _AIRFLOW_SECTION.sub("", name)
    is_json = value[:1] in ("{", "[")
    if is_json:
        yield from secrets_inside(value)
    elif (is_secret_option(name) or _KEY_NAME.search(name)) and not _is_public(name, value.strip()):
        yield value.strip()
    if "://" in value:
        for password in passwords_in(value):
            yield from (password, unquote(password))


def _is_public(name: str, value: str) -> bool:
    if _PUBLIC_VALUE.fullmatch(value):
        return True
    if _PUBLIC_NUMBER.fullmatch(value):
        return not _SECRET_NAME.search(name)
    if value[0] not in "/~" or _NO_PATH_NAME.search(name):
        return False
    # One in 64 random keys begins with a slash.
    return bool(_PATH_NAME.search(name)) or os.path.lexists(os.path.expanduser(value))  # noqa: PTH111
