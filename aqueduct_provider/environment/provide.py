"""Choose a Python: the worker's own, or one from the cache.

In: an :class:`EnvironmentSpec` and the configured isolation. Out: a :class:`PythonEnvironment`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from aqueduct_provider.environment.cache import WORKER, EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.fingerprint import (
    WORKER_PYTHON,
    EnvironmentSpec,
    satisfied_by_worker,
    unsatisfied,
)
from aqueduct_provider.errors import PythonNotFound, RequirementsError
from aqueduct_provider.process import OnLine

Isolation = Literal["auto", "always", "never"]

_WORKER = PythonEnvironment(Path(sys.executable), WORKER, reused=True, build_seconds=0.0)


@contextlib.contextmanager
def provide(
    spec: EnvironmentSpec,
    *,
    isolation: Isolation,
    cache: EnvironmentCache,
    on_line: OnLine,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[PythonEnvironment]:
    """Yield a Python for an operator, for as long as the context is open.

    :param spec: what it must have; requirements may be as users write them.
    :param isolation: ``always``: one from the cache; ``auto``: the worker's own when it satisfies every
        requirement, else one from the cache; ``never``: the worker's own, where a package of another version
        than asked for is a warning and a missing one an error.
    :param cache: where the others are.
    :param on_line: gets warnings and the output of a build.
    :param cancelled: asked often while building or waiting; true ends that.
    :raises RequirementsError: a requirement cannot be read, resolved or built, or is missing with ``never``.
    :raises PythonNotFound: this worker lacks the Python version.
    :raises EnvironmentFailure: the environment cannot be made for another reason.
    :raises ConfigError: the folder of the cache is not safe.
    :raises OperatorKilled: it was cancelled.
    """
    spec = spec.normalised()
    if isolation == "never":
        _check_worker(spec, on_line)
        yield _WORKER
    elif isolation == "auto" and satisfied_by_worker(spec):
        yield _WORKER
    else:
        with cache.lease(spec, on_line, cancelled=cancelled) as environment:
            yield environment


def _check_worker(spec: EnvironmentSpec, on_line: OnLine) -> None:
    remedy = "Set isolation = auto in the [aqueduct] section of airflow.cfg (--isolation auto in a local run)"
    if spec.python_version != WORKER_PYTHON:
        raise PythonNotFound(
            f"The operator asks for Python {spec.python_version}; isolation = never allows only the worker's "
            f"own, {WORKER_PYTHON}. {remedy}, or publish the flow from Python {WORKER_PYTHON}."
        )
    lacking = unsatisfied(spec.requirements, spec.constraints)
    missing = [item.requirement for item in lacking if item.installed is None]
    if missing:
        raise RequirementsError(
            f"The worker's own Python lacks {', '.join(missing)}, and isolation = never allows no other. "
            f"{remedy}, or install them on the worker."
        )
    for item in lacking:
        on_line("stderr", f"Warning: the operator asks for {item}; isolation = never.")
