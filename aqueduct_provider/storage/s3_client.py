"""Make an S3 client of botocore from settings: credentials, endpoint, retries.

botocore alone decides what a profile means (keys, roles, SSO, processes). What is added is the order: what
the settings say, then the profile, then the environment, so that ``AWS_*`` variables of a worker fill gaps
and never override. Nothing global is changed, so clients with different credentials live side by side.

Importing botocore costs 125 ms and a client 40 ms, against 2 to 8 ms for a request: hence no boto3, imports
inside functions, and clients that are kept for the whole process.

Faster libraries were tried and cannot replace it. obstore 0.12 and opendal 0.47 are imported in 20 ms, but
once a process has used one, requests in its forked children hang (no answer and no error in 8 s). Airflow
forks tasks and parsers from processes that may have read specs from S3. obstore also refuses keys with
``//``, ``..`` or control characters; opendal writes the first two as other keys. minio takes longer to import
than botocore.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

from aqueduct_provider.errors import ConfigError, CredentialsError
from aqueduct_provider.storage.aws_credential_errors import (
    CREDENTIALS_TEXT,
    USUAL_FILES,
    CredentialSource,
    credentials_door,
    elsewhere,
)
from aqueduct_provider.storage.aws_credentials import give_keys, watch
from aqueduct_provider.storage.aws_files import usual_files
from aqueduct_provider.storage.files import expanded
from aqueduct_provider.storage.held_folder import temporary_folder
from aqueduct_provider.storage.s3_errors import S3Location, from_botocore

if TYPE_CHECKING:
    import boto3
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

# Threads that move the parts of one big object at once.
PART_THREADS = 8
_KEPT_CLIENTS = 8
# botocore's providers that know nothing of a profile.
_ELSEWHERE = ("ec2-credentials-file", "boto-config", "container-role", "iam-role")


@dataclass(frozen=True)
class S3Settings:
    """The location of a store and how to reach it. Empty strings mean: not configured.

    :param bucket: name, or ``s3://bucket/some/prefix``.
    :param root_dir: a further prefix.
    :param credentials_path: AWS credentials file on this machine, which may also hold what else a config file
        holds (region, endpoint_url, role_arn); ``~`` is expanded.
    :param credentials_profile: profile in it; empty: ``default``.
    :param access_keys: key id and secret; they beat the file.
    :param session_token: what temporary keys have as a third part.
    :param credentials_text: the content of a credentials file, instead of its path.
    :param max_attempts: tries of one request, the first included.
    :param connect_timeout: seconds.
    :param read_timeout: seconds between two pieces of an answer.
    :param max_connections: objects that are moved at once.
    """

    bucket: str
    region: str = ""
    root_dir: str = ""
    endpoint_url: str = ""
    credentials_path: str = ""
    credentials_profile: str = ""
    access_keys: tuple[str, str] | None = field(default=None, repr=False)
    session_token: str = field(default="", repr=False)
    credentials_text: str = field(default="", repr=False)
    retry_mode: Literal["standard", "adaptive"] = "standard"
    max_attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_connections: int = 10


_clients: OrderedDict[Hashable, S3Client] = OrderedDict()
_lock = threading.Lock()


def _forget() -> None:
    """Reset after a fork: a child must not share connections nor wait for a lock held in its parent."""
    global _lock
    _lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_forget)


def client_for(settings: S3Settings) -> S3Client:
    """Return the process's client for these settings; a new one if the credentials file has changed.

    :raises CredentialsError: the file, the profile in it or its keys are missing or unusable.
    :raises ConfigError: the endpoint URL or the region cannot be one.
    """
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    key = (replace(settings, bucket="", root_dir=""), _stamp(settings), environment)
    with _lock:
        client = _clients.get(key)
    if client is None:
        # It may wait for a process or a network; others need not.
        client = _new_client(settings)
    with _lock:
        client = _clients.setdefault(key, client)
        _clients.move_to_end(key)
        while len(_clients) > _KEPT_CLIENTS:
            _clients.popitem(last=False)
        return client


@contextmanager
def other_services(settings: S3Settings) -> Iterator[boto3.Session]:
    """Yield a session for clients of other AWS services, with the settings' credentials and region.

    :raises CredentialsError: the file, the profile in it or its keys are missing or unusable.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    _stamp(settings)
    try:
        with _session(settings) as session:
            yield boto3.Session(botocore_session=session, region_name=settings.region or None)
    except BotoCoreError as error:
        raise from_botocore(error, S3Location(_name(settings))) from error


def _stamp(settings: S3Settings) -> tuple[int, ...] | None:
    """Return a mark that changes with the credentials file. Raises ``CredentialsError``."""
    if settings.access_keys or not settings.credentials_path:
        return None
    path = expanded(settings.credentials_path)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
    except FileNotFoundError as error:
        raise CredentialsError(
            f"The credentials file {path} does not exist on this machine. The path is one on the Airflow "
            "machines: put the file there on each of them, or correct the path."
        ) from error
    except OSError as error:
        raise CredentialsError(
            f"The credentials file {path} cannot be read: {error.strerror}. Make it a file that the user who"
            " runs Airflow may read."
        ) from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def _new_client(settings: S3Settings) -> S3Client:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, InvalidRegionError

    config = Config(
        retries={"mode": settings.retry_mode, "total_max_attempts": settings.max_attempts},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.max_connections * PART_THREADS,
    )
    try:
        with _session(settings) as session:
            parsers = session.get_component("response_parser_factory")
            parsers.set_parser_defaults(timestamp_parser=_timestamp)
            client = cast(
                "S3Client",
                session.create_client(
                    "s3",
                    region_name=settings.region or None,
                    endpoint_url=settings.endpoint_url or None,
                    config=config,
                ),
            )
    except (ValueError, InvalidRegionError) as error:
        raise ConfigError(
            f"S3 cannot be reached with these settings: {error}. An endpoint URL looks like"
            " https://minio.example.com:9000, a region like eu-central-1."
        ) from error
    except BotoCoreError as error:
        raise from_botocore(error, S3Location(_name(settings))) from error
    client.meta.events.register("before-call.s3.HeadBucket", _do_not_redirect)
    client.meta.events.register("before-call.s3.GetObject", _ask_for_checksum)
    return client


def _timestamp(text: Any) -> datetime:
    """Parse S3's timestamps; botocore's own parser takes most of the time of a long list."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        from botocore.utils import parse_timestamp

        return parse_timestamp(text)


def _do_not_redirect(context: dict[str, Any], **_: Any) -> None:
    """botocore asks for a bucket's region with HeadBucket, endlessly when that is redirected too."""
    context.setdefault("s3_redirect", {})["redirected"] = True


def _ask_for_checksum(params: dict[str, Any], **_: Any) -> None:
    """S3 sends the checksum that it keeps. As an argument, botocore would digest each body once more."""
    params["headers"]["x-amz-checksum-mode"] = "ENABLED"


@contextmanager
def _session(settings: S3Settings) -> Iterator[Session]:
    """Yield a session for the settings; if they name keys or a profile, it knows nothing else."""
    from botocore.session import Session

    if settings.access_keys:
        session = Session(session_vars={"profile": (None, None, None, None)})
        _use_file(session, os.devnull)
        give_keys(session, *settings.access_keys, settings.session_token)
        yield session
    elif settings.credentials_text:
        with temporary_folder("keys") as folder:
            path = folder / "credentials"
            path.write_text(settings.credentials_text, encoding="utf-8")
            yield _profile_session(replace(settings, credentials_path=str(path)))
    elif settings.credentials_path or settings.credentials_profile:
        yield _profile_session(settings)
    else:
        yield _usual_session(settings)


def _usual_session(settings: S3Settings) -> Session:
    """Return a session that uses AWS's default credential chain."""
    from botocore.session import Session

    session = Session()
    _prepare(session, settings)
    source = watch(session, CredentialSource(USUAL_FILES, profile=session.profile or "default"))
    with credentials_door(source):
        found = session.get_credentials()
    if found is None:
        raise CredentialsError(
            f"No AWS credentials were found on this machine.{_unreadable()} Name a credentials file, in the"
            " Airflow connection or in the client's configuration, or provide any other source that boto3"
            " knows. If the machine has a role, its metadata service did not answer in time: raise"
            " AWS_METADATA_SERVICE_TIMEOUT and AWS_METADATA_SERVICE_NUM_ATTEMPTS, which are 1."
        )
    return session


def _unreadable() -> str:
    """Name the usual files that are there and may not be read, which botocore skips."""
    files = [str(path) for path in usual_files() if path.exists() and not os.access(path, os.R_OK)]
    return f" This user may not read {' and '.join(files)}." if files else ""


def _profile_session(settings: S3Settings) -> Session:
    from botocore.configprovider import ChainProvider, ConfigChainFactory
    from botocore.session import Session

    class ProfileSession(Session):
        """Its clients, also those that fetch credentials, use the profile's endpoints before others."""

        def create_client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
            kwargs["endpoint_url"] = kwargs.get("endpoint_url") or _profile_endpoint(self, service_name)
            return super().create_client(service_name, *args, **kwargs)

    session = ProfileSession(profile=settings.credentials_profile or "default")
    if settings.credentials_path:
        _use_file(session, str(expanded(settings.credentials_path)))
    store, factory = session.get_component("config_store"), ConfigChainFactory(session=session)
    for name, (option, *_, convert) in session.SESSION_VARIABLES.items():
        if option:
            profile_first = factory.create_config_chain(
                instance_name=name, config_property_names=option, conversion_func=convert
            )
            store.set_config_provider(name, ChainProvider([profile_first, store.get_config_provider(name)]))
    _prepare(session, settings)
    _check_profile(session, settings)
    return session


def _use_file(session: Session, path: str) -> None:
    session.set_config_variable("credentials_file", path)
    session.set_config_variable("config_file", path)


def _prepare(session: Session, settings: S3Settings) -> None:
    # No second digest of each object that is read: who reads one compares its sha256.
    session.set_config_variable("response_checksum_validation", "when_required")
    if settings.region:
        # Also for the clients that fetch credentials.
        session.set_config_variable("region", settings.region)


def _profile_endpoint(session: Session, service: str) -> str | None:
    profile = session.get_scoped_config()
    services = session.full_config.get("services", {}).get(profile.get("services"), {})
    own = services.get(service.replace("-", "_"), {})
    return (own.get("endpoint_url") if isinstance(own, dict) else None) or profile.get("endpoint_url")


def _check_profile(session: Session, settings: S3Settings) -> None:
    path = "" if settings.credentials_text else settings.credentials_path
    source = CredentialSource(_source_name(settings), path, str(session.profile))
    with credentials_door(source):
        known = [profile for profile in session.available_profiles if not profile.startswith("profile ")]
    if source.profile not in known:
        raise CredentialsError(
            f"{_name(settings)} has no profile {source.profile!r}; it has:"
            f" {', '.join(sorted(known)) or 'none'}."
            f" Correct the profile's name, or add it to the file.{_misspelled(session, source.profile)}"
            f"{elsewhere(source, source.profile)}{_unreadable() if not settings.credentials_path else ''}"
        )
    source = watch(session, source, without=_ELSEWHERE)
    if session.get_credentials() is None:
        raise CredentialsError(
            f"{source.subject} gives no credentials. Add aws_access_key_id and aws_secret_access_key to it,"
            f" or a role_arn with its source_profile.{elsewhere(source, source.profile)}"
        )


def _misspelled(session: Session, profile: str) -> str:
    """Return a hint for profile names with a space, which must be quoted."""
    found = f"profile {profile}" in session.available_profiles
    return f' Write [profile "{profile}"], with quotes, for [profile {profile}].' if found else ""


def _source_name(settings: S3Settings) -> str:
    if settings.credentials_text:
        return CREDENTIALS_TEXT
    return f"the credentials file {settings.credentials_path}" if settings.credentials_path else USUAL_FILES


def _name(settings: S3Settings) -> str:
    """Return the same for the beginning of a sentence."""
    name = _source_name(settings)
    return name[:1].upper() + name[1:]
