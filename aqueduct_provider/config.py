"""The only reader of airflow.cfg: the ``[aqueduct]`` section as plain values.

Each option is read when its function is called, so that tests and long-lived processes see changes. The
options, their types and their defaults are in ``get_provider_info.py``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.get_provider_info import get_provider_info
from aqueduct_provider.storage.files import expanded
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION, DELIVERED_PREFIX

SECTION = "aqueduct"
_VARIABLE = f"AIRFLOW__{SECTION.upper()}__"
Isolation = Literal["auto", "always", "never"]
MissingPython = Literal["fail", "worker", "download"]
SandboxKind = Literal["none", "bwrap"]
RetryMode = Literal["standard", "adaptive"]

_BOOLEANS = {"true": True, "false": False}
_SWITCH = {"on": True, "off": False}
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


class NotifierRule(NamedTuple):
    """A notifier that flows may use.

    :param argument: its argument for the id of a connection.
    :param connection_type: the type that the connection must have.
    :param text: its argument for the message.
    """

    path: str
    argument: str
    connection_type: str
    text: str


def _option(name: str, parse: Callable[[str], _Value], allowed: str) -> Callable[[], _Value]:
    """Return the function that reads an option.

    :param allowed: what it must be, for the error.
    """

    def read() -> _Value:
        from aqueduct_provider.compat import conf

        # Airflow 2.11 knows a provider's own defaults only in some processes: hence the fallback.
        text = str(conf.get(SECTION, name, fallback=_defaults()[name])).strip()
        try:
            return parse(text)
        except (KeyError, ValueError, OverflowError) as error:
            raise ConfigError(
                f"[{SECTION}] {name} = {text!r} in airflow.cfg, or the variable"
                f" {_VARIABLE}{name.upper()}: it must be {allowed}."
            ) from error

    return read


def _size(name: str) -> Callable[[], int]:
    return _option(name, _bytes, "a size above 0, such as 500 MB or 20 GB")


def _count(name: str) -> Callable[[], int]:
    return _option(name, lambda text: _positive(int(text)), "an integer above 0")


def _seconds(name: str, below: float = float("inf")) -> Callable[[], float]:
    limit = "" if below == float("inf") else f" and below {below}"
    return _option(name, lambda text: _positive(float(text), below), f"a number of seconds above 0{limit}")


def _choice(name: str, kind: Any) -> Callable[[], Any]:
    allowed: tuple[str, ...] = get_args(kind)
    return _option(name, lambda text: allowed[allowed.index(text.lower())], f"one of: {', '.join(allowed)}")


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


_NOTIFIER_RULE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)\s+([a-z_]\w*):([\w-]+)\s+([a-z_]\w*)")


def _notifier_rules(text: str) -> Mapping[str, NotifierRule]:
    found = [_NOTIFIER_RULE.fullmatch(rule.strip()) for rule in text.split(",")] if text else []
    rules = [NotifierRule(*one.groups()) for one in found if one]
    if len(rules) != len(found):
        raise ValueError(text)
    return {rule.path: rule for rule in rules}


# --- the options; ``get_provider_info.py`` describes them

cache_dir = _option("cache_dir", _path, "a path that begins with / or ~")
environments_max_bytes = _size("environments_max_bytes")
isolation: Callable[[], Isolation] = _choice("isolation", Isolation)
sandbox: Callable[[], SandboxKind] = _choice("sandbox", SandboxKind)
sandbox_network = _option("sandbox_network", lambda text: _SWITCH[text.lower()], "one of: on, off")
missing_python: Callable[[], MissingPython] = _choice("missing_python", MissingPython)
s3_retry_mode: Callable[[], RetryMode] = _choice("s3_retry_mode", RetryMode)
s3_max_attempts = _count("s3_max_attempts")
s3_connect_timeout = _seconds("s3_connect_timeout")
s3_read_timeout = _seconds("s3_read_timeout")
s3_patience = _seconds("s3_patience")
archive_max_bytes = _size("archive_max_bytes")
archive_max_files = _count("archive_max_files")
output_limit_bytes = _size("output_limit_bytes")
kill_grace = _seconds("kill_grace", below=5)
parallel_requests = _count("parallel_requests")
child_env_allow = _option("child_env_allow", _names, "names of environment variables, separated by commas")
pickled_parameters = _option("pickled_parameters", lambda text: _BOOLEANS[text.lower()], "True or False")
pages = _option("pages", lambda text: _BOOLEANS[text.lower()], "True or False")
queues = _option(
    "queues",
    _queue_rules,
    "rules NEED: QUEUE, separated by commas, such as gpu: gpu_queue, memory_mb>=16000: large; a need is"
    " gpu, use_llm, num_cpus>=N or memory_mb>=N",
)
notifiers = _option(
    "notifiers",
    _notifier_rules,
    "rules CLASS ARGUMENT:TYPE TEXT, separated by commas, such as my.module.Notifier my_conn_id:discord text",
)

# --- what Airflow's own sections say


@cache
def unknown_options() -> tuple[str, ...]:
    """Return a sentence for each option of the section that does not exist: Airflow ignores them."""
    from aqueduct_provider.compat import conf

    known, found = _defaults(), []
    # Airflow 2.11 has no section where neither airflow.cfg nor a provider that it has loaded names it.
    given = set(conf.options(SECTION)) if conf.has_section(SECTION) else set()
    given |= {name[len(_VARIABLE) :].lower() for name in os.environ if name.startswith(_VARIABLE)}
    for option in sorted(given - known.keys()):
        close = difflib.get_close_matches(option, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else "Remove it; docs/configuration.md has all of them."
        found.append(
            f"[{SECTION}] {option} in airflow.cfg, or the variable {_VARIABLE}{option.upper()}, is not an "
            f"option and has no effect. {hint}"
        )
    return tuple(found)


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


def base_url() -> str:
    """Return where users reach Airflow's UI; empty: Airflow does not know."""
    from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS, conf

    return str(conf.get("api" if AIRFLOW_V_3_0_PLUS else "webserver", "base_url", fallback="") or "")
