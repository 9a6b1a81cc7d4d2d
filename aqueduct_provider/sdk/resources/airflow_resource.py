"""The resource that flows run on: Airflow, and how it is reached, reaches the store and gets its specs.

In: the configuration of a resource, as users give it. Out: an ``AirflowResource``, or every problem in the
configuration at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.enums import ServiceType
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.resources.missing_methods import ExplainsMissingMethods
from aqueduct_provider.sdk.resources.profile import StoreProfile, variable_of
from aqueduct_provider.sdk.resources.profile_checks import raise_problems
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.storage.files import expanded
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.resources.delivery import Delivery
    from aqueduct_provider.storage.object_store import ObjectStore

_SERVICE = SERVICES["Airflow"]
_FIELDS, _SECRETS = _SERVICE.fields, _SERVICE.secrets


@suggest_keywords_of_methods
class AirflowResource(ExplainsMissingMethods):
    """An Airflow that flows are published to.

    :param name: the name that users give it.
    :param config: ``host`` (``host:port``, or a URL) is needed. ``username`` and ``password``, or ``token``,
        unless this Airflow lets everyone in; ``ca_file``: certificates to trust, PEM. How its workers reach
        the bucket: ``connection_id`` of an Airflow connection of type ``aqueduct``; or
        ``s3_credentials_path`` and ``s3_credentials_profile``, an AWS credentials file on its machines;
        else the connection ``aqueduct_default``. ``dags_folder``: deliver specs into this folder of this
        machine, instead of the bucket. ``python_versions``: those its workers have, such as
        ``["3.11", "3.12"]`` or ``"3.11,3.12"``.
    :raises ConfigError: with all that is wrong.
    """

    service: ClassVar[str] = _SERVICE.name

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        fields = {key: _text(key, value) for key, value in config.items() if value not in (None, "", [], ())}
        raise_problems(f"The Airflow resource {name!r}", _problems(name, fields))
        self._name = name
        self.host: str = fields["host"]
        self.username: str = fields.get("username", "")
        self.python_versions: tuple[str, ...] = fields.get("python_versions", ())
        self._fields = fields

    def __repr__(self) -> str:
        return f"AirflowResource({self._name!r}, host={self.host!r})"

    def name(self) -> str:
        """Return the name that users give it."""
        return self._name

    def type(self) -> ServiceType:
        """The kind of resource."""
        return ServiceType.AIRFLOW

    @property
    def place(self) -> str:
        """Where it is, in a few words."""
        return self.host

    def airflow(self) -> Airflow:
        """Return a client of its REST API; close it after use."""
        from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin

        wanted = ("host", "username", *_SECRETS, "ca_file")
        return Airflow(AirflowLogin(**{key: self._fields.get(key, "") for key in wanted}))

    def check_connection(self) -> str:
        """Check whether it can be reached and lets this user in; return a sentence that says so.

        :raises AirflowError: it does not.
        """
        with self.airflow() as airflow:
            return airflow.check()

    def artifact_store(self, store: StoreProfile) -> dict[str, Any]:
        """Return how its workers reach the store: the field of that name in a native spec.

        :param store: the store as this machine reaches it.
        :raises ConfigError: it is a folder.
        """
        if store.folder:
            raise ConfigError(
                f"The artifact store is the folder {store.folder}, which the workers of {self._name!r} do not"
                " have: Airflow needs an S3 bucket. Name one with aq.Client(bucket=...), AQUEDUCT_BUCKET or"
                " bucket under [store]; a folder serves local runs only."
            )
        path, profile = (self._fields.get(f"s3_credentials_{part}", "") for part in ("path", "profile"))
        if "connection_id" in self._fields or not (path or profile):
            connection = self._fields.get("connection_id", DEFAULT_CONNECTION)
            return {"type": "connection", "connection_id": connection}
        where = {key: getattr(store, key) for key in ("bucket", "region", "root_dir", "endpoint_url")}
        given = {"type": "s3", **where, "credentials_path": path, "credentials_profile": profile}
        return {key: value for key, value in given.items() if value}

    def delivery(self, store: ObjectStore) -> Delivery:
        """Return how its specs get to it."""
        from aqueduct_provider.sdk.resources.delivery import FolderDelivery, StoreDelivery

        folder = self._fields.get("dags_folder", "")
        return FolderDelivery(expanded(folder)) if folder else StoreDelivery(store)

    def describe(self) -> None:
        """Print what it is and how it is reached, without secrets."""
        rows = {
            "service": self.service,
            "host": self.host,
            "user": self.username or "-",
            "login": self._login_words(),
            "artifact store": self._store_words(),
            "specs": self._fields.get("dags_folder") or "below specs/ in the artifact store",
            "Python": ", ".join(self.python_versions) or "any",
        }
        print(f"Resource {self._name!r}")
        for key, value in rows.items():
            print(f"  {key + ':':<16}{value}")

    def _login_words(self) -> str:
        return next((f"with a {secret}" for secret in _SECRETS if secret in self._fields), "none")

    def _store_words(self) -> str:
        path, profile = (self._fields.get(f"s3_credentials_{part}") for part in ("path", "profile"))
        if "connection_id" in self._fields or not (path or profile):
            return f"Airflow connection {self._fields.get('connection_id', DEFAULT_CONNECTION)!r}"
        file = f"credentials file {path} on the workers" if path else "AWS's usual places on the workers"
        return f"{file}, profile {profile or 'default'}"


def _text(key: str, value: Any) -> Any:
    """Return the value in its plain form; a value without one stays as it is."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if key == "python_versions":
        items = value.split(",") if isinstance(value, str) else value
        if isinstance(items, (list, tuple)) and all(isinstance(item, str) for item in items):
            return tuple(item.strip() for item in items)
    return value


def _problems(name: str, fields: Mapping[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        if key not in _FIELDS:
            yield f"{key}: unknown.{suggestion(str(key), _FIELDS)}"
        elif key == "python_versions":
            yield from _version_problems(value)
        elif not isinstance(value, str):
            yield f"{key}: must be text."
    if "host" not in fields:
        yield "host: is missing, such as airflow.example.com:8080 or https://airflow.example.com."
    elif isinstance(host := fields["host"], str) and "@" in host:
        yield "host: must not hold a user or a password. Give them as username and password."
    for key in ("ca_file", "dags_folder"):
        # The next program that reads them has another working directory.
        if not str(fields.get(key, "/")).startswith(("/", "~")):
            yield f"{key}: must begin with / or ~."
    yield from _login_problems(name, fields)


def _version_problems(versions: Any) -> Iterator[str]:
    fits = isinstance(versions, tuple)
    if not fits or not all(re.fullmatch(r"3\.[0-9]{1,3}", version) for version in versions):
        # The number 3.10 is 3.1.
        yield 'python_versions: must be a list of minor versions as text, such as ["3.10", "3.11"].'


def _login_problems(name: str, fields: Mapping[str, Any]) -> Iterator[str]:
    if "token" in fields and "password" in fields:
        yield "token, password: give one of them, not both."
    elif "password" in fields and "username" not in fields:
        yield "password: needs the username that it belongs to."
    elif "username" in fields and not fields.keys() & set(_SECRETS):
        yield (
            "username: needs a password, or a token. Connect the resource again with one, or set the"
            f" environment variable {variable_of(name, 'password')} or {variable_of(name, 'token')}."
        )
