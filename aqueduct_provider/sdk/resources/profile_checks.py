"""Check a configuration file: data of any form -> every problem in it, without values (pure)."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.services import SECRETS
from aqueduct_provider.sdk.suggest import suggestion

_TEXTS = ("service", "host", "username", *SECRETS)
_NUMBERS = ("port",)
_TABLES = ("store", "resources")


def raise_problems(subject: str, problems: Iterable[str]) -> None:
    """Raise one ``ConfigError`` of all the problems, if there are any."""
    found = list(problems)
    if len(found) == 1:
        raise ConfigError(f"{subject}: {found[0]}")
    if found:
        raise ConfigError("\n  ".join([f"{subject} has {len(found)} problems:", *found]))


def file_problems(data: Mapping[str, Any], store_fields: tuple[str, ...]) -> Iterator[str]:
    """Return what is wrong with the data of a configuration file.

    :param store_fields: the fields that the store may have.
    """
    yield from (f"{key}: unknown.{suggestion(key, _TABLES)}" for key in data if key not in _TABLES)
    store, resources = data.get("store", {}), data.get("resources", {})
    if not isinstance(store, dict):
        yield "store: must be a table, under the heading [store]."
    else:
        yield from _filed_store_problems(store, store_fields)
    if not isinstance(resources, dict):
        yield "resources: must be tables, under headings such as [resources.my_airflow]."
    else:
        for name, table in resources.items():
            yield from resource_problems(name, table, f"resources.{name}")


def _filed_store_problems(store: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[str]:
    yield from store_problems(store, fields, "store.")
    # Another working directory must not mean another store.
    if isinstance(folder := store.get("folder", "/"), str) and not folder.startswith(("/", "~")):
        yield "store.folder: must begin with / or ~."


def store_problems(store: Mapping[str, Any], fields: tuple[str, ...], before: str = "") -> Iterator[str]:
    """Return what is wrong with the description of a store."""
    for key, value in store.items():
        if key not in fields:
            yield f"{before}{key}: unknown.{suggestion(key, fields)}"
        elif not _is_text(value):
            yield f"{before}{key}: must be text, in quotes."


def resource_problems(name: Any, table: Any, place: str) -> Iterator[str]:
    """Return what is wrong with a resource, of whatever service."""
    if not _is_text(name) or not name.strip() or any(unicodedata.category(sign) == "Cc" for sign in name):
        yield f"{name!r} cannot name a resource: a name is text, not empty, without control characters."
    elif not isinstance(table, dict):
        yield f"{place}: must be a table, under the heading [{place}]."
    else:
        yield from _field_problems(table, place)


def _field_problems(table: Mapping[str, Any], place: str) -> Iterator[str]:
    if not table.get("service"):
        yield f'{place}.service: is missing. Write what the resource is, such as "Airflow".'
    for key, value in table.items():
        if key in _NUMBERS and type(value) is int:
            continue
        if not _is_text(key) or not (_is_text(value) or (key not in _TEXTS and _is_list(value))):
            yield f"{place}.{key!s}: must be text, in quotes{'' if key in _TEXTS else ', or a list of such'}."


def _is_text(value: Any) -> bool:
    """Check whether it can be written as UTF-8, which half a surrogate pair cannot."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def as_text(value: Any) -> Any:
    """Return a value of the file as text: lists joined by commas."""
    return ",".join(value) if isinstance(value, list) else str(value) if type(value) is int else value


def filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given, without what is left empty."""
    return {key: _plain(value) for key, value in given.items() if value not in (None, "", [], (), {})}


def _plain(value: Any) -> Any:
    """Return what TOML has for the Python values that users give."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value
