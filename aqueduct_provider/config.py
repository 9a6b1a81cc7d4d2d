"""The only reader of airflow.cfg: the ``[aqueduct]`` section as plain values.

Each option is read when its function is called, so that tests and long-lived processes see changes. The
options, their types and their defaults are in ``get_provider_info.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.get_provider_info import get_provider_info
from aqueduct_provider.storage.files import expanded
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION, DELIVERED_PREFIX

SECTION = "aqueduct"
Isolation = Literal["auto", "always", "never"]
MissingPython = Literal["fail", "worker", "download"]
SandboxKind = Literal["none", "bwrap"]
Switch = Literal["on", "off"]
RetryMode = Literal["standard", "adaptive"]

_BOOLEANS = {"true": True, "false": False}
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_Value = TypeVar("_Value")
_Number = TypeVar("_Number", int, float)


class QueueRule(NamedTuple):
    """Operators that need this much go to this queue.

    :param need: ``gpu``, ``use_llm``, ``num_cpus`` or ``memory_mb``.
    :param least: of it.
    """

    need: str
    least: int
    queue: str

    def fits(self, needs: Mapping[str, int]) -> bool:
        """Check whether operators with these needs go there."""
        return needs.get(self.need, 0) >= self.least


def cache_dir() -> Path:
    """Return this worker's folder for environments, archives and mirrored specs. It need not exist."""
    return _read("cache_dir", _path, "a path that begins with / or ~")


def environments_max_bytes() -> int:
    """Return the bytes of disk that cached environments may take."""
    return _size("environments_max_bytes")


def isolation() -> Isolation:
    """Return where operators run."""
    return cast(Isolation, _choice("isolation", Isolation))


def sandbox() -> SandboxKind:
    """Return what keeps operators' code away from the rest of the machine."""
    return cast(SandboxKind, _choice("sandbox", SandboxKind))


def sandbox_network() -> bool:
    """Check whether operators in a sandbox have the worker's network."""
    return _choice("sandbox_network", Switch) == "on"


def missing_python() -> MissingPython:
    """Return what happens when the worker lacks an operator's Python version."""
    return cast(MissingPython, _choice("missing_python", MissingPython))


def s3_retry_mode() -> RetryMode:
    """Return how botocore repeats requests."""
    return cast(RetryMode, _choice("s3_retry_mode", RetryMode))


def s3_max_attempts() -> int:
    """Return the tries of one S3 request, the first included."""
    return _count("s3_max_attempts")


def s3_connect_timeout() -> float:
    """Return the seconds to wait for a connection to S3."""
    return _seconds("s3_connect_timeout")


def s3_read_timeout() -> float:
    """Return the seconds to wait for the next bytes from S3."""
    return _seconds("s3_read_timeout")


def s3_patience() -> float:
    """Return the seconds for which a task keeps trying when S3 does not answer."""
    return _seconds("s3_patience")


def archive_max_bytes() -> int:
    """Return the unpacked size of a function archive."""
    return _size("archive_max_bytes")


def archive_max_files() -> int:
    """Return the number of files in a function archive."""
    return _count("archive_max_files")


def output_limit_bytes() -> int:
    """Return the bytes that are kept of each output stream of an operator."""
    return _size("output_limit_bytes")


def kill_grace() -> float:
    """Return the seconds between the polite and the forced end of a stopped operator."""
    return _seconds("kill_grace", below=5)


def parallel_requests() -> int:
    """Return the number of S3 requests that one task has under way at once."""
    return _count("parallel_requests")


def child_env_allow() -> frozenset[str]:
    """Return the names of further environment variables that operators see."""
    return _read("child_env_allow", _names, "names of environment variables, separated by commas")


def pickled_parameters() -> bool:
    """Return whether a run's conf may name a value that runs code when it is read."""
    return _read("pickled_parameters", lambda text: _BOOLEANS[text.lower()], "True or False")


def queues() -> tuple[QueueRule, ...]:
    """Return which queue the tasks of operators with resources go to; the first rule that fits counts."""
    return _read(
        "queues",
        _queue_rules,
        "rules NEED: QUEUE, separated by commas, such as gpu: gpu_queue, memory_mb>=16000: large; a need is"
        " gpu, use_llm, num_cpus>=N or memory_mb>=N",
    )


def airflow_retries() -> int:
    """Return the tries after the first that Airflow gives a task of which nothing else is said."""
    from aqueduct_provider.compat import conf

    return int(conf.getint("core", "default_task_retries", fallback=0))


def stores_of_bundles() -> frozenset[tuple[str, str]]:
    """Return connection and prefix of each store whose specs an ``AqueductDagBundle`` shows."""
    from aqueduct_provider.compat import conf

    bundles = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=[])
    ours = [
        bundle.get("kwargs") or {}
        for bundle in (bundles if isinstance(bundles, list) else ())
        if isinstance(bundle, dict) and str(bundle.get("classpath", "")).endswith(".AqueductDagBundle")
    ]
    return frozenset(
        (one.get("connection_id") or DEFAULT_CONNECTION, str(one.get("prefix", DELIVERED_PREFIX)).rstrip("/"))
        for one in ours
        if not one.get("folder")
    )


def airflow_home() -> Path:
    """Return the folder of ``airflow.cfg``."""
    from aqueduct_provider.compat import AIRFLOW_HOME

    return expanded(AIRFLOW_HOME)


def uses_kubernetes() -> bool:
    """Check for a KubernetesExecutor in ``[core] executor``, also under an alias, of a team or in another."""
    from aqueduct_provider.compat import conf

    names = re.split(r"[,;:=]", str(conf.get("core", "executor", fallback="")))
    return any(name.strip().endswith("KubernetesExecutor") for name in names)


def _size(option: str) -> int:
    return _read(option, _bytes, "a size above 0, such as 500 MB or 20 GB")


def _count(option: str) -> int:
    return _read(option, lambda text: _positive(int(text)), "an integer above 0")


def _seconds(option: str, below: float = float("inf")) -> float:
    limit = "" if below == float("inf") else f" and below {below}"
    return _read(option, lambda text: _positive(float(text), below), f"a number of seconds above 0{limit}")


def _choice(option: str, kind: Any) -> str:
    allowed: tuple[str, ...] = get_args(kind)
    return _read(option, lambda text: allowed[allowed.index(text.lower())], f"one of: {', '.join(allowed)}")


def _read(option: str, parse: Callable[[str], _Value], allowed: str) -> _Value:
    from aqueduct_provider.compat import conf

    # Airflow 2.11 knows a provider's own defaults only in some processes: hence the fallback.
    text = str(conf.get(SECTION, option, fallback=_defaults()[option])).strip()
    try:
        return parse(text)
    except (KeyError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"[{SECTION}] {option} = {text!r} in airflow.cfg, or the variable"
            f" AIRFLOW__{SECTION.upper()}__{option.upper()}: it must be {allowed}."
        ) from error


@cache
def _defaults() -> dict[str, str]:
    options = get_provider_info()["config"][SECTION]["options"]
    return {name: option["default"] for name, option in options.items()}


def _path(text: str) -> Path:
    path = expanded(text.replace("{AIRFLOW_HOME}", str(airflow_home())))
    if not path.is_absolute():
        raise ValueError(text)
    return path


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([0-9.]+)\s*([A-Za-z]*)", text)
    if found is None or found[2].upper() not in _UNITS:
        raise ValueError(text)
    return _positive(int(float(found[1]) * _UNITS[found[2].upper()]))


def _positive(number: _Number, below: float = float("inf")) -> _Number:
    if not 0 < number < below:
        raise ValueError(number)
    return number


def _names(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split(",")) - {""}
    if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names):
        raise ValueError(text)
    return names


_QUEUE_RULE = re.compile(r"(?:(gpu|use_llm)|(num_cpus|memory_mb)\s*>=\s*([1-9][0-9]*))\s*:\s*([^\s:]{1,256})")


def _queue_rules(text: str) -> tuple[QueueRule, ...]:
    return tuple(_queue_rule(rule.strip()) for rule in text.split(",")) if text else ()


def _queue_rule(text: str) -> QueueRule:
    found = _QUEUE_RULE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return QueueRule(found[1] or found[2], int(found[3] or 1), found[4])
