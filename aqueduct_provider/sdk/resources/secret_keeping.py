"""Secrets in the system's keyring, where there is one: passwords and tokens of resources.

In: resource, field, secret. Out: the same, or a note that the keyring does not keep it, so that the caller
stores it elsewhere. A keyring that fails is a warning, never an error.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "aqueduct"
_LOG = logging.getLogger("aqueduct")


@dataclass(frozen=True)
class SecretKeeper:
    """The secrets that belong to one configuration file.

    :param config: the file; each has secrets of its own.
    """

    config: Path

    def get(self, resource: str, field: str) -> str:
        """Return the secret; empty when the keyring has none."""
        keyring = usable_keyring()
        if keyring is None:
            return ""
        try:
            return keyring.get_password(SERVICE, self._key(resource, field)) or ""
        # Backends are plug-ins, and raise whatever the system's service does.
        except Exception as error:
            _warn(
                f"The system keyring does not give the {field} of {resource!r} ({_words(error)}). Unlock"
                f" it, or set the environment variable of the {field}."
            )
            return ""

    def put(self, resource: str, field: str, secret: str) -> bool:
        """Keep the secret, and say whether the keyring has it now."""
        keyring, key = usable_keyring(), self._key(resource, field)
        if keyring is None:
            return False
        try:
            keyring.set_password(SERVICE, key, secret)
            # Some backends forget without a word.
            return bool(keyring.get_password(SERVICE, key) == secret)
        except Exception as error:
            _warn(
                f"The system keyring does not take the {field} of {resource!r}"
                f" ({_words(error).replace(secret, '***')}). It goes to {self.config} instead."
            )
            return False

    def delete(self, resource: str, field: str) -> None:
        """Forget the secret, if there is one."""
        keyring, key = usable_keyring(), self._key(resource, field)
        if keyring is None:
            return
        try:
            if keyring.get_password(SERVICE, key) is not None:
                keyring.delete_password(SERVICE, key)
        except Exception as error:
            _warn(
                f"The system keyring may still hold the {field} of {resource!r} ({_words(error)}). Delete"
                f" the entry {key!r} of the service {SERVICE!r} there."
            )

    def _key(self, resource: str, field: str) -> str:
        return f"{self.config}:{resource}:{field}"


def usable_keyring() -> KeyringBackend | None:
    """Return the system's keyring, unless it is one that keeps nothing."""
    import keyring
    from keyring.backends import chainer, fail, null

    try:
        found = keyring.get_keyring()
        is_empty = isinstance(found, chainer.ChainerBackend) and not found.backends
    except Exception as error:
        _warn(f"This system has no usable keyring ({_words(error)}).")
        return None
    return None if is_empty or isinstance(found, fail.Keyring | null.Keyring) else found


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


@cache
def _warn(message: str) -> None:
    """Warn once: the same secrets are read again and again."""
    _LOG.warning("%s", message)
