"""The base of all connected data systems: their configuration, checked, and how they describe it.

In: the configuration of a resource, as users give it. Out: a :class:`ConnectedSystem` that is reached from
here with its own fields, and from runs by an Airflow connection; or all problems in the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aqueduct_provider.connectors.system import DataSystem, option_text, url_options
from aqueduct_provider.connectors.system_options import option_problems
from aqueduct_provider.errors import AuthoringError, ConfigError
from aqueduct_provider.sdk.enums import LoadUpdateMode, ServiceType
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.resources.missing_methods import ExplainsMissingMethods
from aqueduct_provider.sdk.resources.profile_checks import filled, raise_problems
from aqueduct_provider.sdk.resources.urls import fields_of, public_options
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.storage.files import expanded

if TYPE_CHECKING:
    from aqueduct_provider.connectors.requests import SystemOrder

# Fields that are not for the connector.
_OURS = ("connection_id", "url", "service_account_credentials_path")
_AWS_TYPES = {
    "config_file_content": "config_file_content",
    "config_file_path": "config_file_path",
    "access_key_id": "access_key",
}


@suggest_keywords_of_methods
class ConnectedSystem(ExplainsMissingMethods):
    """A connected data system.

    :param name: the name that users give it.
    :param config: its fields, or ``url`` in place of them; fields beat what the URL says. ``connection_id``:
        the Airflow connection by which runs reach it.
    :raises ConfigError: with all that is wrong.
    """

    def __init__(self, service: DataSystem, name: str, config: Mapping[str, Any]) -> None:
        self.service = service
        self._name = name
        self._fields = normalised(service, name, config)
        self.connection_id: str = self._fields.get("connection_id", "")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r}, {self.service.name})"

    def name(self) -> str:
        """Return the name that users give it."""
        return self._name

    def type(self) -> ServiceType:
        """The kind of resource."""
        return ServiceType(self.service.name)

    @property
    def place(self) -> str:
        """Where it is, in a few words, without secrets."""
        known = self._fields
        host = ":".join(filter(None, (known.get("host"), known.get("port"))))
        names = ("account_identifier", "project_id", "database", "bucket", "schema")
        return "/".join(filter(None, (host, *(known.get(name) for name in names))))

    @property
    def fields(self) -> dict[str, str]:
        """The fields to be kept."""
        return dict(self._fields)

    @property
    def system(self) -> SystemOrder:
        """How it is reached from here; holds its secrets."""
        from aqueduct_provider.connectors.requests import SystemOrder

        config: dict[str, Any] = {key: value for key, value in self._fields.items() if key not in _OURS}
        if options := config.pop("options", ""):
            config["options"] = url_options(options)
        config |= {key: str(expanded(config[key])) for key in self.service.paths if key in config}
        return SystemOrder(self.service.name, config)

    def check_connection(self) -> str:
        """Check whether it can be reached and lets this user in; return a sentence or two.

        :raises DataSystemError: it does not.
        """
        from aqueduct_provider.connectors import run

        return run.check(self.system)

    def describe(self) -> None:
        """Print what it is and how it is reached, without secrets."""
        public = {
            key.replace("_", " "): value
            for key, value in self._fields.items()
            if key not in (*self.service.secrets, "connection_id")
        }
        if "options" in public:
            public["options"] = public_options(public["options"])
        runs = (
            f"Airflow connection {self.connection_id!r}" if self.connection_id else self._without_connection()
        )
        rows = {"service": self.service.name, **public, "in runs": runs}
        width = max(map(len, rows)) + 2
        print(f"Resource {self._name!r}")
        for key, value in rows.items():
            print(f"  {key + ':':<{width}}{value}")

    def discover(self) -> list[str]:
        """Return the names of what it holds, in order: tables, collections, or the first files.

        :raises DataSystemError: it cannot be reached.
        """
        from aqueduct_provider.connectors import run

        return run.discover(self.system)

    def _without_connection(self) -> str:
        return "none: give a connection_id to publish flows with it"

    def spec_place(self) -> dict[str, Any]:
        """Return its part of a spec's source or target; publishing refuses one without connection."""
        connection = {"connection_id": self.connection_id} if self.connection_id else {}
        return {"connector": self.service.name, **connection}


def mode_of(given: Any) -> str:
    """Return the update mode for a string or a ``LoadUpdateMode``. Raises ``AuthoringError``."""
    modes = [mode.value for mode in LoadUpdateMode]
    if given not in modes:
        raise AuthoringError(f"update_mode must be one of {', '.join(map(repr, modes))}, but is {given!r}.")
    return str(getattr(given, "value", given))


def name_of(what: str, given: Any) -> str:
    """Return the name of a table or a collection. Raises ``AuthoringError``."""
    if not isinstance(given, str) or not given.strip():
        raise AuthoringError(f"A {what}'s name must be a non-empty string, not {given!r}.")
    return given


def normalised(service: DataSystem, name: str, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a configuration as text, those of a URL among them.

    :raises ConfigError: with all that is wrong.
    """
    given = {key: _text(key, value) for key, value in filled(config).items()}
    subject = f"The {service.name} resource {name!r}"
    raise_problems(subject, _form_problems(service, given))
    if url := given.pop("url", ""):
        given = {**_of_url(subject, url, service), **given}
    given = {**given, **_of_file(subject, given), **_aws_type(service, given)}
    raise_problems(subject, _problems(service, given))
    # In the order of the service, so that the file is the same whatever the order was.
    return {key: given[key] for key in service.fields if key in given}


def _text(key: str, value: Any) -> Any:
    if key == "options" and isinstance(value, Mapping):
        return urlencode({str(option): option_text(setting) for option, setting in value.items()})
    if key == "type":
        return str(getattr(value, "value", value))
    return str(value) if type(value) is int else value


def _form_problems(service: DataSystem, given: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        if key not in service.fields:
            yield f"{key}: unknown.{suggestion(str(key), service.fields)}"
        elif not isinstance(value, str):
            yield f"{key}: must be text."


def _problems(service: DataSystem, given: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{key}: is missing." for key in service.needed if key not in given)
    if not given.get("port", "1").isdigit():
        yield "port: must be a number."
    if options := given.get("options", ""):
        yield from (f"options: {one}." for one in option_problems(service.name, url_options(options)))
    if {"access_key_id", "config_file_profile"} <= given.keys() and given.get("type") == "access_key":
        yield "config_file_profile: is not used together with keys. Remove one of them."
    if "@" in given.get("host", ""):
        yield "host: must not hold a user or a password. Give them as username and password."
    for key in service.paths:
        if not given.get(key, "/").startswith(("/", "~")):
            # The next program that reads it has another working directory.
            yield f"{key}: must be the path of a file that begins with / or ~."


def _of_url(subject: str, url: str, service: DataSystem) -> dict[str, str]:
    try:
        return fields_of(url, service)
    except ConfigError as error:
        raise ConfigError(f"{subject}: {error}") from error


def _of_file(subject: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the credentials in the file that the original's field names."""
    path = given.get("service_account_credentials_path")
    if not path or "service_account_credentials" in given:
        return {}
    try:
        return {"service_account_credentials": expanded(path).read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{subject}: service_account_credentials_path: {path} cannot be read.") from error


def _aws_type(service: DataSystem, given: Mapping[str, str]) -> dict[str, str]:
    """Return which of the ways to give AWS credentials is meant, where no field says it."""
    if "type" not in service.fields or "type" in given:
        return {}
    return next(({"type": kind} for field, kind in _AWS_TYPES.items() if field in given), {})
