"""This machine as the worker of a local run: plain values where Airflow has its ``[aqueduct]`` section.

In: a spec, its store and a few choices. Out: a ``Worker``. Every other setting has the default of
``get_provider_info.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aqueduct_provider.get_provider_info import get_provider_info
from aqueduct_provider.sdk.local.systems import Find, nothing, system_order
from aqueduct_provider.storage.files import expanded, usable_folder

if TYPE_CHECKING:
    from aqueduct_provider.environment.cache import PythonEnvironment
    from aqueduct_provider.environment.fingerprint import EnvironmentSpec
    from aqueduct_provider.execution.task import Provide, Worker
    from aqueduct_provider.process import OnLine
    from aqueduct_provider.spec.models import WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

Isolation = Literal["auto", "always", "never"]
MissingPython = Literal["fail", "worker", "download"]

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Return where environments and code are kept between runs: ``$XDG_CACHE_HOME/aqueduct``."""
    base = variables.get("XDG_CACHE_HOME", "")
    # A relative path does not count, by the XDG Base Directory Specification.
    return (Path(base) if base.startswith("/") else expanded("~/.cache")) / "aqueduct"


def local_worker(
    spec: WorkflowSpec,
    store: ObjectStore,
    *,
    isolation: Isolation,
    missing_python: MissingPython,
    find: Find = nothing,
) -> Worker:
    """Return what this machine offers to the operators of a flow.

    :param isolation: where operators run, as the setting of this name has it.
    :param missing_python: what happens when this machine lacks an operator's Python version.
    :param find: finds the resources that stand for Airflow connections.
    :return: its ``on_line`` does nothing; replace it.
    :raises ConfigError: the folder for what is kept between runs cannot be written.
    """
    from aqueduct_provider.execution.function_archive import ArchiveLimits
    from aqueduct_provider.execution.known_secrets import store_secrets, variable_secrets
    from aqueduct_provider.execution.task import Worker
    from aqueduct_provider.sdk.local.local_stores import connector_store
    from aqueduct_provider.spec.redactor import Redactor

    redact = Redactor((*spec.secrets, *variable_secrets(os.environ), *store_secrets(store)))
    cache = usable_folder(cache_folder(os.environ), "XDG_CACHE_HOME")
    return Worker(
        store=store,
        connect=partial(connector_store, spec, store, find),
        system=partial(system_order, spec, find, redact),
        provide=_provider(cache, isolation, missing_python),
        cache_dir=cache,
        archive_limits=ArchiveLimits(size_of("archive_max_bytes"), int(_default("archive_max_files"))),
        variables=os.environ,
        allowed_variables=frozenset(_default("child_env_allow").split()),
        output_limit=size_of("output_limit_bytes"),
        kill_grace=float(_default("kill_grace")),
        requests=int(_default("parallel_requests")),
        on_line=lambda *_: None,
        redact=redact,
    )


def _provider(folder: Path, isolation: Isolation, missing_python: MissingPython) -> Provide:
    from aqueduct_provider.environment.builder import UvBuilder
    from aqueduct_provider.environment.cache import EnvironmentCache
    from aqueduct_provider.environment.provide import provide

    cache = EnvironmentCache(
        folder / "environments",
        UvBuilder(missing_python=missing_python),
        max_bytes=size_of("environments_max_bytes"),
    )

    def lease(
        wanted: EnvironmentSpec, on_line: OnLine, cancelled: Callable[[], bool]
    ) -> AbstractContextManager[PythonEnvironment]:
        return provide(wanted, isolation=isolation, cache=cache, on_line=on_line, cancelled=cancelled)

    return lease


def size_of(option: str) -> int:
    """Return the default of a setting that is a size, in bytes."""
    number, unit = _default(option).split()
    return int(number) * _UNITS[unit]


def _default(option: str) -> str:
    default: str = get_provider_info()["config"]["aqueduct"]["options"][option]["default"]
    return default
