"""The SDK's configuration file, ``~/.aqueduct/config.toml``: read as plain data, written with its comments.

In: a path, and the data that the file is to hold. Out: its data, and a file that only its owner reads and
that is never seen half written. What the keys mean is in ``profile.py``.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

VARIABLE = "AQUEDUCT_CONFIG"
_USUAL = "~/.aqueduct/config.toml"
_LOG = logging.getLogger("aqueduct")


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the file that the variable ``AQUEDUCT_CONFIG`` names, else ``~/.aqueduct/config.toml``.

    :raises ConfigError: the path begins with ``~`` and that home folder does not exist.
    """
    text = environ.get(VARIABLE) or _USUAL
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(
            f"{text}: this home folder does not exist on this machine. Name a file in {VARIABLE}."
        ) from error


def read(path: Path, *, private: bool = True) -> dict[str, Any]:
    """Return the file's data; empty when the file does not exist.

    :param private: warn when others can read it.
    :raises ConfigError: it cannot be read, or is not valid TOML.
    """
    content = _content(path, private=private)
    return _document(path, content).unwrap() if content else {}


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Make the file hold ``data``. What did not change keeps its form, its place and its comments.

    :raises ConfigError: the file cannot be read or written, or its form does not allow the change.
    """
    import tomlkit

    document = _document(path, _content(path))
    _follow(document, data)
    text = tomlkit.dumps(document)
    # Tables may be written in ways that tomlkit reads and cannot change: no such file is ever written.
    if not _holds(text, data):
        raise ConfigError(
            f"{path} cannot be changed from here, because of the way its tables are written. Write each one"
            " under a heading of its own, such as [resources.my_airflow], all those of resources together."
        )
    # A link stays one: dotfiles often are.
    _replace(path.resolve(), text.encode())


def _content(path: Path, *, private: bool = True) -> bytes:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if private and stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                _warn_of_readers(path, stat.S_IMODE(status.st_mode))
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. Check its permissions, or name another file in"
            f" {VARIABLE}."
        ) from error


@cache
def _warn_of_readers(path: Path, mode: int) -> None:
    _LOG.warning(
        "%s may hold passwords, and others than you have access to it (mode %04o). Run: chmod 600 %s",
        *(path, mode, path),
    )


def _document(path: Path, content: bytes) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: this is not valid UTF-8. Save the file as UTF-8.") from error
    except (TOMLKitError, ValueError, RecursionError) as error:
        # tomlkit's own words may repeat what is there.
        place = f", line {line}" if (line := getattr(error, "line", 0)) else ""
        raise ConfigError(
            f"{path}{place}: this is not valid TOML. Text needs quotes, and no key or table may be repeated."
        ) from None


def _follow(table: MutableMapping[str, Any], data: Mapping[str, Any]) -> None:
    """Change ``table`` where it differs from ``data``."""
    for key in [key for key in table if key not in data]:
        del table[key]
    for key, value in data.items():
        old = table.get(key)
        if isinstance(old, MutableMapping) and isinstance(value, Mapping):
            _follow(old, value)
        elif key not in table or old != value:
            table[key] = _item(value)


def _item(value: Any) -> Any:
    """Return a table as TOML; one that holds only tables needs no heading."""
    import tomlkit

    if not isinstance(value, dict) or not all(isinstance(inner, dict) for inner in value.values()):
        return value
    table = tomlkit.table(is_super_table=True)
    table.update(value)
    return table


def _holds(text: str, data: Mapping[str, Any]) -> bool:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text).unwrap() == data
    except TOMLKitError:
        return False


def _replace(path: Path, content: bytes) -> None:
    from aqueduct_provider.storage.files import replacing

    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is not a regular file. Name one in {VARIABLE}.")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made with mode 0600.
        with replacing(path) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. Check the permissions of its folder, or name"
            f" another file in {VARIABLE}."
        ) from error
