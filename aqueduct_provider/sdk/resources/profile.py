"""The SDK's profile: the artifact store, and the resources that are connected by name.

In: the configuration file, environment variables, arguments of the client. Out: ``StoreProfile`` and
``ResourceProfile``. For a field of the store, arguments beat variables, which beat the file. Secrets of
resources come from variables, else from the file, else from the system keyring. Which fields a resource may
have is in ``services.py``.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import shlex
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError, CredentialsError, Hint, NotFound
from aqueduct_provider.sdk.resources import profile_file
from aqueduct_provider.sdk.resources.profile_checks import (
    as_text,
    file_problems,
    filled,
    raise_problems,
    resource_problems,
    store_problems,
)
from aqueduct_provider.sdk.resources.secret_keeping import SecretKeeper
from aqueduct_provider.sdk.resources.services import overridable, service_of
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.storage.files import expanded

if TYPE_CHECKING:
    from aqueduct_provider.storage.object_store import ObjectStore

_log = logging.getLogger("aqueduct")

# Of services that this release does not know.
_USUAL_SECRETS = ("password", "token")
_USUAL_FIELDS = ("host", "username")


@dataclass(frozen=True)
class StoreProfile:
    """The artifact store as this machine reaches it. Empty strings mean: not configured.

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

    @property
    def place(self) -> str:
        """Where it is, as a URL or a folder."""
        if self.folder:
            return self.folder
        parts = (self.bucket.removeprefix("s3://"), self.root_dir)
        return "s3://" + "/".join(part.strip("/") for part in parts if part.strip("/"))

    def connect(self) -> ObjectStore:
        """Connect the store itself.

        :raises ConfigError: bucket, region or endpoint URL cannot be one.
        :raises CredentialsError: the credentials file, the profile or its keys are missing or unusable.
        """
        if self.folder:
            from aqueduct_provider.storage.local import LocalStore

            return LocalStore(expanded(self.folder).absolute())
        from aqueduct_provider.storage import s3

        if self.credentials_path and not expanded(self.credentials_path).is_file():
            raise CredentialsError(
                f"The credentials file {self.credentials_path} does not exist on this machine. Correct the"
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

    :param path: the file.
    :param data: what it holds.
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
        given_path = path
        path = profile_file.config_path({profile_file.VARIABLE: str(path)} if path else environ)
        if given_path and not path.exists():
            _log.warning(
                "The configuration file %s does not exist, so no resource is connected. Correct the path, or "
                "connect a resource, which makes it.",
                path,
            )
        given = filled(overrides or {})
        raise_problems("The artifact store", store_problems(given, STORE_FIELDS))
        return cls(path, _read(path), environ, given)

    def reload(self) -> bool:
        """Read the file again, and return whether it has changed.

        :raises ConfigError: the file is wrong.
        """
        before, self._data = self._data, _read(self.path)
        return self._data != before

    def __repr__(self) -> str:
        return f"Profile({str(self.path)!r})"

    @property
    def store_variables(self) -> list[str]:
        """The environment variables that name the store, in place of the configuration file."""
        places = [name for name in ("bucket", "folder", "root_dir") if not self._overrides.get(name)]
        return [name for name in (f"AQUEDUCT_{one.upper()}" for one in places) if self._environ.get(name)]

    @property
    def store(self) -> StoreProfile:
        """The artifact store.

        :raises ConfigError: none is named, or both a bucket and a folder are.
        """
        variables = {name: self._environ.get(f"AQUEDUCT_{name.upper()}") for name in STORE_FIELDS}
        layers = {
            "The client's arguments, or the options": self._overrides,
            "The environment": filled(variables),
            str(self.path): filled(self._data.get("store", {})),
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
            "No artifact store is known. Name the S3 bucket by the environment variable AQUEDUCT_BUCKET, or "
            f'by bucket = "my-bucket" under [store] in {self.path}; for local runs, name a folder so.',
            hint=Hint('Or give aq.Client(bucket="my-bucket").', "Or give --bucket NAME, or --folder DIR."),
        )

    def services(self) -> dict[str, str]:
        """Return the services of the connected resources by name, without reading a secret."""
        return {name: table["service"] for name, table in self._data.get("resources", {}).items()}

    def connections(self) -> dict[str, str]:
        """Return the ids of Airflow connections by resource, without reading a secret."""
        return self._given("connection_id")

    def hosts(self) -> dict[str, str]:
        """Return the hosts of resources by name, without reading a secret."""
        return self._given("host")

    def _given(self, field: str) -> dict[str, str]:
        tables = self._data.get("resources", {})
        given = {
            name: self._variables(name, [field])[field] or table.get(field, "")
            for name, table in tables.items()
        }
        return {name: str(value) for name, value in given.items() if value}

    def resource(self, name: str) -> ResourceProfile:
        """Return one connected resource, with its secrets; join lists of text by commas.

        :raises NotFound: there is none of this name.
        """
        known = self._data.get("resources", {})
        if name not in known:
            raise NotFound(
                f"No resource is named {name!r}.{suggestion(name, known)}",
                hint=Hint(
                    f"Connect it with client.connect_resource({name!r}, service, {{...}}).",
                    f"Connect it with aqueduct-airflow connect {shlex.quote(name)} --service SERVICE.",
                ),
            )
        return self._resource(name, known[name])

    def save_resource(self, resource: ResourceProfile) -> str:
        """Keep a resource, instead of one of the same name if there is one.

        :returns: where its secrets are now, as text to print; empty when it has none.
        :raises ConfigError: its name or a field is wrong, or the file cannot be written.
        """
        given = {"service": resource.service, **filled(resource.fields)}
        raise_problems(
            f"The resource {resource.name!r}", resource_problems(resource.name, given, "its configuration")
        )
        data = _read(self.path)
        known = data.setdefault("resources", {})
        old = known.get(resource.name, {})
        table = self._without_kept_secrets(resource.name, old.get("service", ""), given)
        # A list may also be written as text: what means the same keeps its form.
        known[resource.name] = {
            k: old[k] if as_text(v) == as_text(old.get(k)) else v for k, v in table.items()
        }
        self._save(data)
        secrets = _secrets_of(resource.service)
        if table.keys() & secrets:
            return str(self.path)
        return "the system keyring" if given.keys() & secrets else ""

    def delete_resource(self, name: str) -> None:
        """Forget a resource and its secrets.

        :raises NotFound: there is none of this name.
        """
        data = _read(self.path)
        known = dict(data.pop("resources", {}))
        if name not in known:
            raise NotFound(f"{self.path} has no resource {name!r}.{suggestion(name, known)}")
        service = known.pop(name)["service"]
        self._save({**data, "resources": known} if known else data)
        for secret in _secrets_of(service):
            self._keeper.delete(name, secret)

    @property
    def _keeper(self) -> SecretKeeper:
        return SecretKeeper(self.path)

    def _without_kept_secrets(self, name: str, before: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Give the keyring the secrets that it takes; the rest of the table.

        :param before: the service that a resource of this name had.
        """
        left = dict(table)
        for secret in dict.fromkeys(
            (*_secrets_of(table["service"]), *(_secrets_of(before) if before else ()))
        ):
            if secret not in table:
                self._keeper.delete(name, secret)
            elif self._keeper.put(name, secret, table[secret]):
                del left[secret]
        return left

    def _save(self, data: dict[str, Any]) -> None:
        profile_file.write(self.path, data)
        self._data = data

    def _resource(self, name: str, table: Mapping[str, Any]) -> ResourceProfile:
        given = {key: as_text(value) for key, value in table.items() if key != "service"}
        service, secrets = service_of(table["service"]), _secrets_of(table["service"])
        in_file = {secret: given.pop(secret, "") for secret in secrets}
        overrides = filled(self._variables(name, overridable(service) if service else _USUAL_FIELDS))
        # All secrets from one place: a password in a variable is not to meet a token in the keyring.
        found = self._variables(name, secrets)
        if "url" in overrides:
            # It says all but what runs use, and the password of another one must not meet it.
            given = {key: value for key, value in given.items() if key == "connection_id"}
        elif not any(found.values()):
            found = in_file
            if not any(in_file.values()):
                found = {secret: self._keeper.get(name, secret) for secret in secrets}
        given |= overrides | filled(found)
        return ResourceProfile(name, table["service"], given)

    def _variables(self, name: str, wanted: Iterable[str]) -> dict[str, str]:
        return {key: self._environ.get(variable_of(name, key), "") for key in wanted}


def _secrets_of(service: str) -> tuple[str, ...]:
    known = service_of(service)
    return known.secrets if known else _USUAL_SECRETS


def variable_of(resource: str, key: str) -> str:
    """Return the variable that overrides a field of a resource, such as ``AQUEDUCT_MY_AIRFLOW_PASSWORD``."""
    return f"AQUEDUCT_{re.sub(r'[^A-Z0-9]', '_', resource.upper())}_{key.upper()}"


def _read(path: Path) -> dict[str, Any]:
    data = profile_file.read(path)
    raise_problems(str(path), file_problems(data, STORE_FIELDS))
    return data
