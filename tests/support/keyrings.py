"""System keyrings for tests: real backends of ``keyring``, which keep secrets in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keeps secrets as long as it lives. ``locked``: it refuses everything, and repeats what it was given."""

    # keyring knows every subclass: this one must never be picked as the machine's best.
    priority = -2  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check("")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check(password)
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check("")
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("no such entry")

    def _check(self, secret: str) -> None:
        if self.locked:
            raise KeyringLocked(f"locked, not stored: {secret}")


class ForgetfulKeyring(MemoryKeyring):
    """Says nothing, and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@contextmanager
def selected(backend: KeyringBackend) -> Iterator[None]:
    """Make ``backend`` the system's keyring inside the block."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
