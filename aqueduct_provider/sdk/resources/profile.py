"""What the SDK knows of its surroundings: the artifact store, and the resources that are connected by name.

In: the configuration file, environment variables, arguments of the client. Out: ``StoreProfile`` and
``ResourceProfile``. For a field of the store, arguments beat variables, which beat the file. Secrets of
resources come from variables, else from the file, else from the system keyring. What the fields of a resource
mean stands in ``resources.py``. Must not import at module level: anything heavy.
"""

from __future__ import annotations

import dataclasses
import os
import re
import unicodedata
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError, CredentialsError, NotFound
from aqueduct_provider.sdk.names import suggestion
from aqueduct_provider.sdk.resources import profile_file
from aqueduct_provider.sdk.resources.secret_keeping import SecretKeeper

if TYPE_CHECKING:
    from aqueduct_provider.storage.base import ObjectStore

SECRETS = ("password", "token")
_OVERRIDABLE = ("host", "username")
_TEXTS = ("service", "host", "username", *SECRETS)
_TABLES = ("store", "resources")


@dataclass(frozen=True)
class StoreProfile:
    """The artifact store as this machine reaches it. Empty texts mean: not configured.

    :param bucket: name, or ``s3://bucket/some/prefix``.
    :param root_dir: a further prefix.
    :param endpoint_url: for S3-compatible stores, such as MinIO.
    :param credentials_path: AWS credentials file on this machine; empty: boto3's own chain of sources.
    :param credentials_profile: profile in it.
    :param folder: a local folder instead of a bucket, for tests and local runs.
    """

    bucket: str = ""
    region: str = ""
    root_dir: str = ""
    endpoint_url: str = ""
    credentials_path: str = ""
    credentials_profile: str = ""
    folder: str = ""

    def connect(self) -> ObjectStore:
        """The store itself.

        :raises ConfigError: bucket, region or endpoint URL cannot be one.
        :raises CredentialsError: the credentials file, the profile or its keys are missing or unusable.
        """
        if self.folder:
            from aqueduct_provider.storage.local import LocalStore

            return LocalStore(Path(self.folder).expanduser().absolute())
        from aqueduct_provider.storage import s3

        if self.credentials_path and not Path(self.credentials_path).expanduser().is_file():
            raise CredentialsError(
                f"There is no credentials file {self.credentials_path} on this machine. Correct the"
                " credentials_path of the artifact store, or leave it out to use AWS's own places."
            )
        given = {name: getattr(self, name) for name in STORE_FIELDS if name != "folder"}
        return s3.connect(s3.S3Settings(**given))


STORE_FIELDS = tuple(known.name for known in dataclasses.fields(StoreProfile))


@dataclass(frozen=True)
class ResourceProfile:
    """A connected resource.

    :param service: what it is, such as ``Airflow``.
    :param fields: its configuration: text, or lists of text; secrets among it.
    """

    name: str
    service: str
    fields: Mapping[str, Any] = field(repr=False)


class Profile:
    """The configuration in force.

    :param path: the file. :param data: what it holds.
    :param environ: environment variables.
    :param overrides: fields of the store that beat all others.
    """

    def __init__(
        self, path: Path, data: dict[str, Any], environ: Mapping[str, str], overrides: dict[str, str]
    ) -> None:
        self.path = path
        self._data = data
        self._environ = environ
        self._overrides = overrides

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Profile:
        """Read the configuration; a file that is not there is an empty one.

        :param path: the file; None: the one that ``AQUEDUCT_CONFIG`` names, else ``~/.aqueduct/config.toml``.
        :param environ: environment variables; None: those of this process.
        :param overrides: fields of the store: text or paths; empty ones count as not given.
        :raises ConfigError: the file or an override is wrong.
        """
        environ = os.environ if environ is None else environ
        path = profile_file.config_path({profile_file.VARIABLE: str(path)} if path else environ)
        given = _filled(overrides or {})
        raise_problems("The artifact store", _store_problems(given))
        return cls(path, _read(path), environ, given)

    def __repr__(self) -> str:
        return f"Profile({str(self.path)!r})"

    @property
    def store(self) -> StoreProfile:
        """The artifact store.

        :raises ConfigError: none is named, or both a bucket and a folder are.
        """
        variables = {name: self._environ.get(f"AQUEDUCT_{name.upper()}") for name in STORE_FIELDS}
        layers = {
            "The arguments of aq.Client": self._overrides,
            "The environment": _filled(variables),
            str(self.path): _filled(self._data.get("store", {})),
        }
        for place, layer in layers.items():
            if {"bucket", "folder"} <= layer.keys():
                raise ConfigError(
                    f"{place}: the artifact store has both a bucket and a folder. Remove one of them."
                )
            # What a lower layer says of a bucket means nothing to a folder.
            if "folder" in layer:
                return StoreProfile(folder=layer["folder"])
            if "bucket" in layer:
                merged = {**ChainMap(*layers.values()), "folder": ""}
                return StoreProfile(**merged)
        raise ConfigError(
            "No artifact store is known. Name the S3 bucket in one of three ways: aq.Client(bucket="
            '"my-bucket"); the environment variable AQUEDUCT_BUCKET; or bucket = "my-bucket" under [store] in'
            f" {self.path}. For local runs a folder will do: the same three ways, with folder."
        )

    def resources(self) -> dict[str, ResourceProfile]:
        """The connected resources by name, with their secrets; lists of text are joined by commas."""
        return {name: self._resource(name, table) for name, table in self._data.get("resources", {}).items()}

    def services(self) -> dict[str, str]:
        """The connected resources, name -> service; no secret is read for it."""
        return {name: table["service"] for name, table in self._data.get("resources", {}).items()}

    def resource(self, name: str) -> ResourceProfile:
        """One connected resource, with its secrets; lists of text are joined by commas.

        :raises NotFound: there is none of this name.
        """
        known = self._data.get("resources", {})
        if name not in known:
            raise NotFound(
                f"There is no resource {name!r}.{suggestion(name, known)} Connect it with "
                f'client.connect_resource({name!r}, "Airflow", {{"host": ...}}).'
            )
        return self._resource(name, known[name])

    def save_resource(self, resource: ResourceProfile) -> str:
        """Keep a resource, instead of one of the same name if there is one.

        :returns: where its secrets are now, for people; empty when it has none.
        :raises ConfigError: its name or a field is wrong, or the file cannot be written.
        """
        given = {"service": resource.service, **_filled(resource.fields)}
        raise_problems(
            f"The resource {resource.name!r}", _resource_problems(resource.name, given, "its configuration")
        )
        data = _read(self.path)
        known = data.setdefault("resources", {})
        old = known.get(resource.name, {})
        table = self._without_kept_secrets(resource.name, given)
        # A list may also be written as text: what means the same keeps its form.
        known[resource.name] = {k: old[k] if _text(v) == _text(old.get(k)) else v for k, v in table.items()}
        self._save(data)
        if table.keys() & SECRETS:
            return str(self.path)
        return "the system keyring" if given.keys() & SECRETS else ""

    def delete_resource(self, name: str) -> None:
        """Forget a resource and its secrets.

        :raises NotFound: there is none of this name.
        """
        data = _read(self.path)
        known = dict(data.pop("resources", {}))
        if name not in known:
            raise NotFound(f"{self.path} has no resource {name!r}.{suggestion(name, known)}")
        del known[name]
        self._save({**data, "resources": known} if known else data)
        for secret in SECRETS:
            self._keeper.delete(name, secret)

    @property
    def _keeper(self) -> SecretKeeper:
        return SecretKeeper(self.path)

    def _without_kept_secrets(self, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Give the keyring the secrets that it takes; the rest of the table."""
        left = dict(table)
        for secret in SECRETS:
            if secret not in table:
                self._keeper.delete(name, secret)
            elif self._keeper.put(name, secret, table[secret]):
                del left[secret]
        return left

    def _save(self, data: dict[str, Any]) -> None:
        profile_file.write(self.path, data)
        self._data = data

    def _resource(self, name: str, table: Mapping[str, Any]) -> ResourceProfile:
        given = {key: _text(value) for key, value in table.items() if key != "service"}
        in_file = {secret: given.pop(secret, "") for secret in SECRETS}
        given |= {key: value for key, value in self._variables(name, _OVERRIDABLE).items() if value}
        # All secrets from one place: a password in a variable is not to meet a token in the keyring.
        secrets = self._variables(name, SECRETS)
        if not any(secrets.values()):
            secrets = in_file
        if not any(secrets.values()):
            secrets = {secret: self._keeper.get(name, secret) for secret in SECRETS}
        given |= {secret: value for secret, value in secrets.items() if value}
        return ResourceProfile(name, table["service"], given)

    def _variables(self, name: str, wanted: Iterable[str]) -> dict[str, str]:
        return {key: self._environ.get(variable_of(name, key), "") for key in wanted}


def variable_of(resource: str, key: str) -> str:
    """The environment variable that overrides a field of a resource: ``AQUEDUCT_MY_AIRFLOW_PASSWORD``."""
    return f"AQUEDUCT_{re.sub(r'[^A-Z0-9]', '_', resource.upper())}_{key.upper()}"


def raise_problems(subject: str, problems: Iterable[str]) -> None:
    """Raise one ``ConfigError`` of all the problems, if there are any."""
    found = list(problems)
    if len(found) == 1:
        raise ConfigError(f"{subject}: {found[0]}")
    if found:
        raise ConfigError("\n  ".join([f"{subject} has {len(found)} problems:", *found]))


# --- what a file may hold


def _read(path: Path) -> dict[str, Any]:
    data = profile_file.read(path)
    raise_problems(str(path), _problems(data))
    return data


def _problems(data: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key}: unknown.{suggestion(key, _TABLES)}" for key in data if key not in _TABLES)
    store, resources = data.get("store", {}), data.get("resources", {})
    if not isinstance(store, dict):
        yield "store: must be a table, under the heading [store]."
    else:
        yield from _filed_store_problems(store)
    if not isinstance(resources, dict):
        yield "resources: must be tables, under headings such as [resources.my_airflow]."
    else:
        for name, table in resources.items():
            yield from _resource_problems(name, table, f"resources.{name}")


def _filed_store_problems(store: Mapping[str, Any]) -> Iterator[str]:
    yield from _store_problems(store, "store.")
    # Another working directory must not mean another store.
    if isinstance(folder := store.get("folder", "/"), str) and not folder.startswith(("/", "~")):
        yield "store.folder: must begin with / or ~."


def _store_problems(store: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, value in store.items():
        if key not in STORE_FIELDS:
            yield f"{before}{key}: unknown.{suggestion(key, STORE_FIELDS)}"
        elif not _is_text(value):
            yield f"{before}{key}: must be text, in quotes."


def _resource_problems(name: Any, table: Any, place: str) -> Iterator[str]:
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
        if not _is_text(key) or not (_is_text(value) or (key not in _TEXTS and _is_list(value))):
            yield f"{place}.{key!s}: must be text, in quotes{'' if key in _TEXTS else ', or a list of such'}."


def _is_text(value: Any) -> bool:
    """Whether it can be written as UTF-8, which half a surrogate pair cannot."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _text(value: Any) -> Any:
    return ",".join(value) if isinstance(value, list) else value


def _filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, without what is left empty."""
    return {key: _plain(value) for key, value in given.items() if value not in (None, "", [], ())}


def _plain(value: Any) -> Any:
    """What TOML has for the Python values that people give."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value
