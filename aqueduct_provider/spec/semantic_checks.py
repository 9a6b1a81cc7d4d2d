"""Check what single fields must fulfil beyond their type (pure).

In: a ``WorkflowSpec`` of either dialect. Out: problems at the JSON paths of its own document. Messages
never repeat a requirement or a default: both may hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.assets import asset_problems
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec.graph import Locate
from aqueduct_provider.spec.models import (
    JSON_TYPES,
    AfterFlowsSchedule,
    ArtifactType,
    AssetsSchedule,
    CallOperator,
    CheckOperator,
    Code,
    CronSchedule,
    ExtractOperator,
    FunctionOperator,
    InlineDefault,
    LoadOperator,
    MetricOperator,
    S3ArtifactStore,
    WorkflowSpec,
)
from aqueduct_provider.spec.requirement_lines import problem_of, requirement_lines
from aqueduct_provider.spec.requirement_sets import contradiction
from aqueduct_provider.spec.run_values import VALUES_KEY
from aqueduct_provider.spec.system_operator_checks import data_system_problems, protected_problems
from aqueduct_provider.spec.types import MAX_INTEGER, MIN_INTEGER

# Far longer than any that users write. croniter takes more time for each further part of a list.
_LONGEST_CRON = 500
_RANDOM_CRON = re.compile(r"(?i)(?:^|[\s,])[rh]")
_LONGEST_TIMEZONE = 255
# Airflow's own (airflow.utils.dates.cron_presets).
CRON_PRESETS = frozenset(["@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly"])


def check(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    """Find every rule on a single field that is broken."""
    yield from _schedule_problems(spec, at)
    yield from _parameter_name_problems(spec, at)
    yield from _default_problems(spec, at)
    store = spec.artifact_store
    if isinstance(store, S3ArtifactStore) and not store.bucket.removeprefix("s3://").partition("/")[0]:
        yield Problem(at("artifact_store", "bucket"), "names no bucket; write bucket or s3://bucket/prefix")
    yield from protected_problems(spec, at)
    types = {artifact.id: artifact.type for artifact in spec.artifacts}
    if _has_too_long_requirements(spec):
        yield Problem("$", _LONG_REQUIREMENTS)
        return
    for index, operator in enumerate(spec.operators):
        match operator:
            case FunctionOperator() | MetricOperator() | CheckOperator():
                yield from _code_problems(operator.code, index, at)
            case ExtractOperator() | LoadOperator():
                yield from data_system_problems(operator, index, types, at)


# --- schedule


def _schedule_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    match spec.schedule:
        case CronSchedule(cron=cron, timezone=timezone):
            if not is_cron(cron):
                yield Problem(at("schedule", "cron"), BAD_CRON)
            if not is_timezone(timezone):
                yield Problem(
                    at("schedule", "timezone"), "no such time zone; give an IANA name: Europe/Berlin"
                )
        case AfterFlowsSchedule(flows=flows):
            if spec.flow.name in flows:
                place = flows.index(spec.flow.name)
                yield Problem(at("schedule", "flows", place), "a flow cannot wait for itself; name another")
        case AssetsSchedule(assets=assets):
            yield from asset_problems(assets, spec, at)


BAD_CRON = (
    "not a cron expression that fires at fixed times; give minute, hour, day of month, month and day of "
    f"week, such as 0 6 * * 1-5, or one of {' '.join(sorted(CRON_PRESETS))}"
)


@lru_cache(maxsize=1024)
def is_cron(expression: str) -> bool:
    """Check whether Airflow, which reads them with the same library, can run by this expression."""
    from croniter import croniter  # type: ignore[import-untyped]

    if expression in CRON_PRESETS:
        return True
    if len(expression) > _LONGEST_CRON:
        return False
    # Airflow ignores, or refuses, columns for seconds and years, and knows no other presets.
    if expression.startswith("@") or len(expression.split()) != 5:
        return False
    # R is another random time whenever Airflow parses the DAG, and H is one without a seed.
    if _RANDOM_CRON.search(expression):
        return False
    try:
        croniter(expression).get_next()
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return False
    return True


@lru_cache(maxsize=1024)
def is_timezone(name: str) -> bool:
    """Check whether this is the IANA name of a time zone."""
    if len(name) > _LONGEST_TIMEZONE:
        return False
    try:
        ZoneInfo(name)
    # The name becomes a file's path: anything but the file of a time zone fails in many ways.
    except (KeyError, ValueError, OSError):
        return False
    return True


# --- parameters

_WORDS = {
    ArtifactType.STRING: "text, in quotes",
    ArtifactType.BOOLEAN: "true or false",
    ArtifactType.NUMERIC: "a number",
    ArtifactType.DICTIONARY: "an object, in { }",
    ArtifactType.TUPLE: "a list, in [ ]",
    ArtifactType.LIST: "a list, in [ ]",
    ArtifactType.JSON: "JSON; where it is text, the text must be JSON",
}


def _parameter_name_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    for index, parameter in enumerate(spec.parameters):
        if parameter.name == VALUES_KEY:
            message = f"'{VALUES_KEY}' is the key of a run's values that are not JSON; rename the parameter"
            yield Problem(at("parameters", index, "name"), message)


def _default_problems(spec: WorkflowSpec, at: Locate) -> Iterator[Problem]:
    for index, parameter in enumerate(spec.parameters):
        if not isinstance(parameter.default, InlineDefault):
            continue
        if parameter.type not in JSON_TYPES:
            message = f"a value of type {parameter.type.value} is not JSON; give its key in the store instead"
            yield Problem(at("parameters", index, "default"), message)
        elif not _fits(parameter.default.value, parameter.type):
            message = f"the parameter is of type {parameter.type.value}; give {_WORDS[parameter.type]}"
            yield Problem(at("parameters", index, "default", "value"), message)
        elif _holds_too_large_integer(parameter.default.value):
            message = "Airflow's params have no integers of more than 64 bits; give its key in the store"
            yield Problem(at("parameters", index, "default", "value"), message)


def _holds_too_large_integer(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, int) and not MIN_INTEGER <= item <= MAX_INTEGER:
            return True
    return False


def _fits(value: Any, wanted: ArtifactType) -> bool:
    match wanted:
        case ArtifactType.STRING:
            return isinstance(value, str)
        case ArtifactType.BOOLEAN:
            return isinstance(value, bool)
        case ArtifactType.NUMERIC:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ArtifactType.DICTIONARY:
            return isinstance(value, dict)
        case ArtifactType.TUPLE | ArtifactType.LIST:
            return isinstance(value, list)
        case ArtifactType.JSON:
            return not isinstance(value, str) or _json(value) is not _NOT_JSON
    return True


_NOT_JSON = object()


def _json(text: str) -> Any:
    try:
        return json_value(text)
    except ValueError:
        return _NOT_JSON


# --- code

# Characters of all different requirement lines: each of their markers is judged for many machines.
_MAX_REQUIREMENTS = 300_000
_LONG_REQUIREMENTS = (
    f"its operators' requirements have more than {_MAX_REQUIREMENTS:,} characters; give them fewer packages"
)


def _code_problems(code: Code, index: int, at: Locate) -> Iterator[Problem]:
    if code.custom_args and not isinstance(_json(code.custom_args), dict):
        yield Problem(at("operators", index, "code", "custom_args"), "must be a JSON object as text; fix it")
    if code.entry_file.startswith("/") or ".." in code.entry_file.split("/"):
        message = "leads out of the archive's folder; give a path relative to it"
        yield Problem(at("operators", index, "code", "entry_file"), message)
    yield from _requirement_problems(code, index, at)


def _has_too_long_requirements(spec: WorkflowSpec) -> bool:
    lists = {operator.code.requirements for operator in spec.operators if isinstance(operator, CallOperator)}
    lines = {line for requirements in lists for line in requirements or ()}
    return sum(map(len, lines)) > _MAX_REQUIREMENTS


def _requirement_problems(code: Code, index: int, at: Locate) -> Iterator[Problem]:
    lines = code.requirements or ()
    for place, line in enumerate(lines):
        if message := _requirement_problem(line):
            yield Problem(at("operators", index, "code", "requirements", place), message)
    if found := contradiction(lines, code.python_version):
        here = at("operators", index, "code", "requirements", found.places[-1])
        others = [at("operators", index, "code", "requirements", place) for place in found.places[:-1]]
        hint = f"contradicts {' and '.join(others)}; keep one of them" if others else "correct its bounds"
        yield Problem(here, f"no version of {found.name} fulfils this; {hint}")


@lru_cache(maxsize=4096)
def _requirement_problem(line: str) -> str:
    """Return what is wrong with a requirement line; empty when nothing is."""
    if not any(requirement_lines([line])):
        return "is a comment; remove it"
    return problem_of(line.strip())
