"""The arguments of decorators: what users wrote -> what the graph holds, or one clear error.

``where`` begins every message: it names the decorator and the operator, ``@op 'churn'``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import Options, Severity
from aqueduct_provider.sdk.enums import CheckSeverity
from aqueduct_provider.sdk.keywords import RunOptions
from aqueduct_provider.sdk.suggest import suggestion, tidy

# The spec's limits (``spec/models.py``).
_MAX_RETRIES = 100
_MAX_SECONDS = 31_536_000
_TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
# As in the original, where the code that comes from there was tuned.
_MB_IN = {"MB": 1, "GB": 1024}
_RESOURCES = ("num_cpus", "memory", "gpu_resource_name", "cuda_version", "use_llm")


@dataclass(frozen=True)
class Outputs:
    """The names of an operator's outputs.

    :param names: those that were given; empty: each is called after the operator.
    """

    count: int
    names: tuple[str, ...]


def outputs_of(where: str, num_outputs: Any, outputs: Any) -> Outputs:
    """Return how many outputs, and their names.

    :param num_outputs: None: as many as there are names, or one.
    """
    if num_outputs is not None and (not _is_int(num_outputs) or num_outputs < 1):
        raise AuthoringError(f"{where}: num_outputs must be a positive integer, not {num_outputs!r}.")
    if outputs is None:
        return Outputs(num_outputs or 1, ())
    names = tuple(map(tidy, strings(where, "outputs", outputs, example="['train', 'test']")))
    if not names:
        raise AuthoringError(f"{where}: outputs is empty; name each output, or leave it out.")
    if num_outputs is not None and num_outputs != len(names):
        raise AuthoringError(
            f"{where}: outputs has {len(names)} names, but num_outputs is {num_outputs}; make them equal, or "
            "leave num_outputs out."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AuthoringError(f"{where}: outputs has {twice[0]!r} twice; give each output a name of its own.")
    return Outputs(len(names), names)


def output_of(where: str, output: Any, outputs: Any) -> Outputs:
    """Return the one output of a metric or a check, from ``output`` or a list of one name."""
    if output is not None and outputs is not None:
        raise AuthoringError(f"{where}: give output or outputs, not both.")
    names = outputs_of(where, None, outputs if output is None else [output])
    if names.count != 1:
        raise AuthoringError(f"{where} has one output, but outputs has {names.count} names; give one.")
    return names


def options_of(where: str, how: RunOptions, resources: Any = None) -> Options:
    """Return how the operator is to be run."""
    return replace(
        retry_of(where, how.get("retries"), how.get("retry_delay")),
        timeout=_seconds(where, "timeout", how.get("timeout")),
        pool=optional_text(where, "pool", how.get("pool")),
        fuse=_task_id(where, "fuse", how.get("fuse")),
        resources=_resources(where, resources),
    )


def retry_of(where: str, retries: Any, retry_delay: Any) -> Options:
    """Return how often something is tried again, and after which time; what is None is left open."""
    if retries is not None and not (_is_int(retries) and 0 <= retries <= _MAX_RETRIES):
        raise AuthoringError(
            f"{where}: retries must be an integer from 0 to {_MAX_RETRIES}, not {retries!r}."
        )
    return Options(retries=retries, retry_delay=_seconds(where, "retry_delay", retry_delay))


def severity_of(where: str, severity: Any) -> Severity:
    """Return what a failed check does, as plain text.

    :param severity: ``warning``, ``error`` or a ``CheckSeverity``.
    :raises AuthoringError: it is something else.
    """
    if severity == CheckSeverity.WARNING:
        return "warning"
    if severity == CheckSeverity.ERROR:
        return "error"
    raise AuthoringError(
        f"{where}: severity must be 'warning' or 'error', or of CheckSeverity, not {severity!r}."
    )


def requirements_of(where: str, requirements: Any) -> str | Path | tuple[str, ...] | None:
    """Return a path, lines, or None; what the lines say is read when the operator is called."""
    if requirements is None or isinstance(requirements, Path):
        return requirements
    if isinstance(requirements, str) and requirements.strip():
        return requirements
    kinds = "the path of a requirements file, or a list of strings"
    return _strings(where, "requirements", requirements, f"{kinds} such as ['pandas==2.2.3']")


def strings(where: str, argument: str, given: Any, *, example: str) -> tuple[str, ...]:
    """Return a list of strings, none of which is empty."""
    names = _strings(where, argument, given, f"a list of strings such as {example}")
    if not all(name.strip() for name in names):
        raise AuthoringError(f"{where}: {argument} has an empty entry; fill or remove it.")
    return names


def _strings(where: str, argument: str, given: Any, wanted: str) -> tuple[str, ...]:
    found = "blank text" if isinstance(given, str) and not given.strip() else type(given).__name__
    if isinstance(given, (list, tuple)):
        names = tuple(str(item) if isinstance(item, Path) else item for item in given)
        others = [item for item in names if not isinstance(item, str)]
        if not others:
            return names
        found = f"a list with an entry of type {type(others[0]).__name__}"
    raise AuthoringError(f"{where}: {argument} must be {wanted}, not {found}.")


def optional_text(where: str, argument: str, given: Any) -> str | None:
    """Return text that is not empty, or None."""
    if given is None or (isinstance(given, str) and given.strip()):
        return given
    found = "empty" if isinstance(given, str) else type(given).__name__
    raise AuthoringError(f"{where}: {argument} must be text, not {found}.")


def refuse_engine_and_image(where: str, engine: Any, image: Any) -> None:
    """Refuse two arguments of the original that have no meaning for single operators on Airflow."""
    if engine is not None:
        raise AuthoringError(
            f"{where}: an operator has no engine of its own, for Airflow runs whole flows. Name it when you "
            "publish: client.publish_flow(..., engine=...)."
        )
    if image is not None:
        raise AuthoringError(
            f"{where}: an operator has no image, for Airflow runs operators in environments that are built "
            "from their requirements. Name the packages in requirements instead."
        )


def _task_id(where: str, argument: str, given: Any) -> str | None:
    """Return what can be the id of an Airflow task and a part of a key."""
    name = optional_text(where, argument, given)
    if name is not None and not _TASK_ID.fullmatch(name):
        raise AuthoringError(
            f"{where}: {argument} names an Airflow task: letters, digits, '_', '-' and '.', at most 200, not "
            f"{name!r}."
        )
    return name


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seconds(where: str, argument: str, given: Any) -> float | None:
    if given is None:
        return None
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise AuthoringError(
            f"{where}: {argument} must be seconds or a timedelta, not {type(given).__name__}."
        )
    if not 0 < seconds <= _MAX_SECONDS:
        raise AuthoringError(
            f"{where}: {argument} must be more than 0 seconds and at most a year, not {seconds:g}."
        )
    return float(seconds)


def _resources(where: str, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise AuthoringError(
            f"{where}: resources must be a dict such as {{'num_cpus': 2, 'memory': '2GB'}}, not "
            f"{type(given).__name__}."
        )
    for key in given:
        if key not in _RESOURCES:
            raise AuthoringError(f"{where}: unknown resource {key!r}.{suggestion(str(key), _RESOURCES)}")
    asked = {key: value for key, value in given.items() if value is not None}
    if "cuda_version" in asked and "gpu_resource_name" not in asked:
        raise AuthoringError(f"{where}: resources has a cuda_version, so it needs a gpu_resource_name, too.")
    return dict(_resource(where, key, value) for key, value in asked.items())


def _resource(where: str, key: str, value: Any) -> tuple[str, Any]:
    """Return field and value of the spec's ``Resources``."""
    match key:
        case "num_cpus" if _is_int(value) and value > 0:
            return key, value
        case "memory":
            return "memory_mb", _megabytes(where, value)
        case "gpu_resource_name" | "cuda_version":
            return key, optional_text(where, f"resources[{key!r}]", value)
        case "use_llm" if isinstance(value, bool):
            return key, value
    wanted = "a positive integer" if key == "num_cpus" else "True or False"
    raise AuthoringError(f"{where}: resources[{key!r}] must be {wanted}, not {value!r}.")


def _megabytes(where: str, value: Any) -> int:
    if _is_int(value) and value > 0:
        return int(value)
    if isinstance(value, str):
        text = value.strip().upper()
        number, unit = text[:-2].strip(), text[-2:]
        if unit in _MB_IN and number.isascii() and number.isdigit() and int(number) > 0:
            return int(number) * _MB_IN[unit]
    raise AuthoringError(
        f"{where}: resources['memory'] must be a positive integer of MB, or text such as '200MB' or "
        f"'2GB', not {value!r}."
    )
