"""Turn Airflow's configuration and connections into the plain values of a ``Worker``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from aqueduct_provider import config
from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.environment.provide import provide
from aqueduct_provider.execution.function_archive import ArchiveLimits
from aqueduct_provider.execution.known_secrets import variable_secrets
from aqueduct_provider.execution.sandbox import Sandbox, find_sandbox
from aqueduct_provider.execution.task import Worker
from aqueduct_provider.hooks.aqueduct import store_for, store_for_connector
from aqueduct_provider.hooks.connections import system_for
from aqueduct_provider.process import OnLine
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.files import expanded, usable_folder
from aqueduct_provider.storage.patience import STALL_SECONDS, Patience

_log = logging.getLogger(__name__)
# Variables of a worker that name files with credentials, which may be where everyone in a sandbox reads.
_CREDENTIALS_FILES = (
    "AIRFLOW_CONFIG AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_WEB_IDENTITY_TOKEN_FILE"
    " GOOGLE_APPLICATION_CREDENTIALS NETRC PGPASSFILE KUBECONFIG"
).split()


def worker_for(workflow: WorkflowSpec, on_line: OnLine, patience: Patience, redact: Redactor) -> Worker:
    """Return what this worker offers to the tasks of a flow.

    :param on_line: gets every line that a child prints.
    :param patience: how long the task waits for its stores.
    :param redact: masks what the task writes; learns the secrets of all that the task connects to.
    :raises ConfigError: a setting or the connection of the artifact store is wrong.
    :raises CredentialsError: the store's credentials are not available.
    """
    redact.add(variable_secrets(os.environ))
    for warning in config.unknown_options():
        _log.warning(warning)
    return Worker(
        store=store_for(workflow, patience, redact),
        patience=patience,
        connect=partial(store_for_connector, workflow, patience=patience, redact=redact),
        system=partial(system_for, workflow, redact=redact),
        provide=_provide,
        cache_dir=usable_folder(config.cache_dir(), "cache_dir in the [aqueduct] section of airflow.cfg"),
        archive_limits=ArchiveLimits(config.archive_max_bytes(), config.archive_max_files()),
        variables=os.environ,
        allowed_variables=config.child_env_allow(),
        output_limit=config.output_limit_bytes(),
        kill_grace=config.kill_grace(),
        requests=config.parallel_requests(),
        on_line=on_line,
        redact=redact,
        sandbox=_sandbox(),
    )


def patience() -> Patience:
    """Return how long a task waits for its stores, from the configuration.

    :raises ConfigError: a setting is wrong.
    """
    # Who lets S3 pause for longer between two pieces means that such a pause is not a fault.
    return Patience(config.s3_patience(), stall=max(STALL_SECONDS, config.s3_read_timeout()))


def _sandbox() -> Sandbox | None:
    if config.sandbox() == "none":
        return None
    files = [expanded(os.environ[name]) for name in _CREDENTIALS_FILES if os.environ.get(name)]
    hidden = (config.airflow_home(), config.cache_dir(), expanded("~"), *files)
    return find_sandbox(network=config.sandbox_network(), hidden=hidden)


def _provide(
    spec: EnvironmentSpec, on_line: OnLine, cancelled: Callable[[], bool]
) -> AbstractContextManager[PythonEnvironment]:
    builder = UvBuilder(missing_python=config.missing_python())
    cache = EnvironmentCache(
        config.cache_dir() / "environments", builder, max_bytes=config.environments_max_bytes()
    )
    return provide(spec, isolation=config.isolation(), cache=cache, on_line=on_line, cancelled=cancelled)
