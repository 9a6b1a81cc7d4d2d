"""A flow as it was recorded -> the spec of one version of it, and the objects that the spec names.

In: a request, whose artifacts are nodes of the graph. Out: a spec that every later room may trust, its JSON,
function archives and parameter values; nothing is uploaded here. The same flow gives the same bytes, but for
the version's id and time. What would fail later is refused here.
"""

from __future__ import annotations

import json
import logging
import sys
import uuid
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError, SpecError
from aqueduct_provider.sdk.authoring.encode_values import EncodedValue, encoded_default
from aqueduct_provider.sdk.authoring.nodes import (
    NO_OPTIONS,
    ArtifactNode,
    OperatorNode,
    Options,
)
from aqueduct_provider.sdk.packaging.machine_paths import machine_path_warnings
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.publishing.current_resources import Lookup
from aqueduct_provider.sdk.publishing.data_needs import check_inputs
from aqueduct_provider.sdk.publishing.flow_graph import Encode, FlowGraph, flow_graph
from aqueduct_provider.sdk.publishing.flow_names import check_flow_name
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of as dag_id_of
from aqueduct_provider.sdk.publishing.flow_names import flow_id_of as flow_id_of
from aqueduct_provider.sdk.publishing.flow_problems import FlowProblems
from aqueduct_provider.sdk.publishing.inline_secrets import refuse_secrets, refuse_secrets_in_text
from aqueduct_provider.sdk.publishing.origin import this_user, version_message
from aqueduct_provider.sdk.publishing.selection import select, unreported, wrong_kinds
from aqueduct_provider.sdk.publishing.spec_parts import (
    Json,
    artifact_part,
    operator_part,
    parameter_part,
)
from aqueduct_provider.sdk.schedule import OnAssets
from aqueduct_provider.storage.layout import FlowLayout, function_archive

if TYPE_CHECKING:
    from aqueduct_provider.sdk.packaging.package import Package
    from aqueduct_provider.spec.models import WorkflowSpec

_log = logging.getLogger("aqueduct")

# Of Airflow's owner, in characters; the spec has no more.
_LONGEST_OWNER = 200
_UNREPORTED = (
    "Left out of %r, so that nobody is notified of them: the checks %s. Name what they are on in "
    "artifacts=[...], or the checks themselves in checks=[...]."
)

Packager = Callable[[UserFunction, str], "Package"]
Unloadable = Callable[[Sequence[tuple[str, bytes]]], Sequence[AuthoringError | None]]


@dataclass(frozen=True)
class FlowRequest:
    """A flow to be published; ``Client.publish_flow`` says what each field means.

    :param metrics: None: all that were computed on artifacts of the flow.
    :param checks: None: all that were computed on artifacts of the flow.
    :param schedule: a cron expression, or assets; empty: none. A ``CronText`` brings its time zone.
    :param source_flows: names of the flows after which this one runs.
    :param k_latest_runs: how many runs keep their artifacts; None: all.
    :param disable_snapshots: whether the outputs of functions need not be kept.
    :param owner: of the DAG; empty: Airflow's default; None: the user of this machine.
    :param notifications: who is notified of its checks and failures, as the spec has it.
    :param retry: how often operators are tried again whose decorators say nothing of it.
    :param fuse: whether all operators run in one Airflow task; None: as their authors said.
    :param message: what this version changes, and why.
    """

    name: str
    artifacts: Sequence[ArtifactNode] = ()
    metrics: Sequence[ArtifactNode] | None = None
    checks: Sequence[ArtifactNode] | None = None
    description: str = ""
    schedule: str | OnAssets = ""
    source_flows: tuple[str, ...] = ()
    k_latest_runs: int | None = None
    disable_snapshots: bool = False
    tags: tuple[str, ...] = ()
    fuse: bool | None = None
    retry: Options = NO_OPTIONS
    owner: str | None = ""
    notifications: tuple[Mapping[str, Any], ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Composition:
    """A version of a flow, ready to be uploaded.

    :param text: the spec's JSON.
    :param objects: what the spec names: key in the artifact store -> bytes; keys hold the bytes' digest.
    """

    spec: WorkflowSpec
    text: bytes
    objects: Mapping[str, bytes]

    def separate_loads(self) -> list[str]:
        """Return the names of the loads that the text fuses and that run in a task of their own."""
        fused = {operator["id"] for operator in json.loads(self.text)["operators"] if operator.get("fuse")}
        return [one.name for one in self.spec.operators if one.id in fused and not one.fuse]

    def archives(self) -> list[tuple[str, bytes]]:
        """Return the function archives, each with the name of its operator."""
        from aqueduct_provider.spec.models import CallOperator

        calls = [one for one in self.spec.operators if isinstance(one, CallOperator)]
        return [(one.name, self.objects[one.code.key]) for one in calls]


def compose(
    flow: FlowRequest,
    artifact_store: Mapping[str, Any],
    *,
    version_id: str = "",
    created_at: datetime | None = None,
    number: int | None = None,
    origin: Mapping[str, Any] | None = None,
    packager: Packager | None = None,
    resources: Lookup | None = None,
    problems: FlowProblems | None = None,
    unloadable: Unloadable | None = None,
) -> Composition:
    """Compose a version of the flow; ``selection.py`` says what belongs to it.

    :param artifact_store: the field of the spec.
    :param version_id: empty: a new one.
    :param created_at: with a time zone; None: now.
    :param number: of the version; None: unknown.
    :param origin: further fields of the version: who publishes it, and the commit of its code.
    :param packager: makes the archive of a function; it is also given the operator's name.
    :param resources: finds the connected resource of a name; None: those that were recorded are current.
    :param problems: those that are known already.
    :param unloadable: returns for each archive, given with its operator's name, why no worker could load it.
    :raises AuthoringError: the flow would fail later; with all that is wrong with it.
    :raises PackagingError: functions cannot be packaged, and nothing else is wrong.
    """
    version = {
        "id": version_id or str(uuid.uuid4()),
        "number": number,
        "created_at": (created_at or datetime.now(timezone.utc)).isoformat(),
        **(origin or {}),
    }
    problems = FlowProblems(flow.name) if problems is None else problems
    head = _head(flow, artifact_store, version, problems)
    is_head_good = not problems
    encode = cache(encoded_default)
    selected = _selected(flow, encode, problems)
    if flow.checks is None and (missing := unreported(selected)):
        _log.warning(_UNREPORTED, flow.name, ", ".join(missing))
    defaults = _checked_defaults(selected, encode, problems)
    with problems.of():
        refuse_secrets(artifact_store, (), encode)
    packages = _packages(selected, packager, unloadable, problems)
    graph = _graph(selected, defaults, encode, problems)
    defaults = {operator: defaults[operator] for operator in graph.operators if operator in defaults}
    document = {**head, **_content(flow, graph, defaults, packages, resources, problems)}
    text = json.dumps(document, indent=2).encode()
    spec = _parsed(text, document, graph, problems, only_content=not is_head_good)
    if problems or spec is None:
        raise problems.error()
    stored = [default for default in defaults.values() if default.inline() is None]
    values = {FlowLayout(str(spec.flow.id)).value(default.sha256): default.data for default in stored}
    archives = {function_archive(package.sha256): package.data for package in packages.values()}
    return Composition(spec, text, values | archives)


# --- the flow itself


def _head(
    flow: FlowRequest, artifact_store: Mapping[str, Any], version: Json, problems: FlowProblems
) -> Json:
    problems.attempt(lambda: check_flow_name(flow.name), None)
    name = flow.name if isinstance(flow.name, str) else ""
    message = problems.attempt(lambda: version_message("publish_flow", flow.message), dict[str, str]())
    k_latest_runs = problems.attempt(lambda: _k_latest_runs(flow.k_latest_runs), None)
    head = {
        "spec_version": 1,
        "flow": {
            "id": flow_id_of(name),
            "name": name,
            "description": flow.description,
            "tags": list(flow.tags),
            "owner": problems.attempt(lambda: _owner(flow.owner), ""),
        },
        "version": {**version, **message},
        "dag_id": dag_id_of(name),
        "schedule": problems.attempt(lambda: _schedule(flow), None),
        "artifact_store": dict(artifact_store),
        "retention": {"k_latest_runs": k_latest_runs},
        **({"notifications": [dict(one) for one in flow.notifications]} if flow.notifications else {}),
    }
    with problems.of():
        refuse_secrets_in_text(head)
    return head


def _owner(owner: str | None) -> str:
    if owner is None:
        return this_user()
    if not isinstance(owner, str) or len(owner) > _LONGEST_OWNER:
        raise AuthoringError(
            f"publish_flow: owner must be text of at most {_LONGEST_OWNER} characters, the name of who "
            "answers for the flow, or None: the user here."
        )
    return owner


def _schedule(flow: FlowRequest) -> Json | None:
    from aqueduct_provider.spec.semantic_checks import BAD_CRON, is_cron

    schedule: Any = flow.schedule
    if not isinstance(schedule, str | OnAssets):
        raise AuthoringError(
            "A schedule is cron text, or what aq.daily(...), aq.cron(...), aq.on_assets(...) and their like "
            f"give, not {type(schedule).__name__}."
        )
    cron = schedule.strip() if isinstance(schedule, str) else ""
    if flow.source_flows and (cron or isinstance(schedule, OnAssets)):
        raise AuthoringError(
            f"A flow runs by a schedule ({cron or 'on_assets'}) or after other flows "
            f"({', '.join(flow.source_flows)}), not both: give schedule=... or source_flow=..."
        )
    if flow.source_flows:
        return {"type": "after_flows", "flows": list(flow.source_flows)}
    if isinstance(schedule, OnAssets):
        return {"type": "assets", "assets": list(schedule.uris)}
    if not cron:
        return None
    if not is_cron(cron):
        raise AuthoringError(f"The schedule {cron!r} is {BAD_CRON}.")
    return {"type": "cron", "cron": cron, "timezone": getattr(schedule, "timezone", "UTC")}


def _k_latest_runs(count: int | None) -> int | None:
    if count is not None and (type(count) is not int or count < 1):
        raise AuthoringError(
            f"k_latest_runs={count!r}: give an integer from 1, or None to keep the artifacts of all runs."
        )
    return count


# --- its operators


def _selected(flow: FlowRequest, encode: Encode, problems: FlowProblems) -> list[OperatorNode]:
    for error, operator in wrong_kinds(flow.metrics, flow.checks):
        problems.add(error, operator)

    def value_key(operator: OperatorNode) -> Hashable:
        try:
            return encode(operator).sha256
        except AuthoringError:  # It is noted with the other defaults.
            return operator

    with problems.of():
        return select(flow.artifacts, flow.metrics, flow.checks, value_key)
    raise problems.error()


def _checked_defaults(
    operators: Iterable[OperatorNode], encode: Encode, problems: FlowProblems
) -> dict[OperatorNode, EncodedValue]:
    """Return the defaults of parameters; look for secrets, and for what readers of values lack."""
    defaults: dict[OperatorNode, EncodedValue] = {}
    for operator in operators:
        with problems.of(operator):
            if operator.kind == "param":
                defaults[operator] = encode(operator)
            refuse_secrets({}, [operator], encode)
        with problems.of(operator):
            check_inputs([operator], defaults)
    return defaults


def _graph(
    selected: Sequence[OperatorNode],
    defaults: Container[OperatorNode],
    encode: Encode,
    problems: FlowProblems,
) -> FlowGraph:
    if all(operator.kind != "param" or operator in defaults for operator in selected):
        with problems.of():
            return flow_graph(selected, encode)
    raise problems.error()


def _packages(
    operators: Iterable[OperatorNode],
    packager: Packager | None,
    unloadable: Unloadable | None,
    problems: FlowProblems,
) -> dict[OperatorNode, Package]:
    """Return the archive of each operator that has a function; one that several share is made once."""
    from aqueduct_provider.sdk.packaging.package import package

    make = packager or package
    made: dict[int, Package] = {}
    packages: dict[OperatorNode, Package] = {}
    for operator in operators:
        function = operator.function
        if function is None:
            continue
        with problems.of(operator):
            if id(function) not in made:
                for warning in machine_path_warnings(function, operator.name):
                    _log.warning(warning)
                made[id(function)] = make(function, operator.name)
            packages[operator] = made[id(function)]
    if unloadable:
        errors = unloadable([(operator.name, package.data) for operator, package in packages.items()])
        for operator, error in zip(packages, errors, strict=True):
            if error:
                problems.add(error, operator)
    return packages


# --- the finished document


def _content(
    flow: FlowRequest,
    graph: FlowGraph,
    defaults: Mapping[OperatorNode, EncodedValue],
    packages: Mapping[OperatorNode, Package],
    resources: Lookup | None,
    problems: FlowProblems,
) -> Json:
    """Return the artifacts, parameters and operators.

    :raises AuthoringError: one of them cannot be written down; with all problems that are known then.
    """
    artifacts, parameters, operators = list[Json](), list[Json](), list[Json]()
    for operator in graph.operators:
        default = defaults.get(operator)
        with problems.of(operator):
            if default:
                parameters.append(parameter_part(graph, operator, default, flow_id_of(flow.name)))
                refuse_secrets_in_text({"parameters": parameters[-1:]})
            for one in operator.outputs:
                artifacts.append(artifact_part(graph, one, default, disable_snapshots=flow.disable_snapshots))
                refuse_secrets_in_text({"artifacts": artifacts[-1:]})
            package = packages.get(operator) or (_unpackaged() if operator.function else None)
            operators.append(operator_part(graph, operator, package, flow.fuse, resources, flow.retry))
            refuse_secrets_in_text({"operators": operators[-1:]})
    if len(operators) < len(graph.operators):
        raise problems.error()
    return {"artifacts": artifacts, "parameters": parameters, "operators": operators}


def _unpackaged() -> Package:
    """Return what stands for a function that cannot be packaged, so that the rest can be checked."""
    from aqueduct_provider.sdk.packaging.package import Package

    return Package(b"", "0" * 64, f"{sys.version_info.major}.{sys.version_info.minor}")


def _parsed(
    text: bytes, document: Json, graph: FlowGraph, problems: FlowProblems, *, only_content: bool
) -> WorkflowSpec | None:
    """Return the spec; note its problems.

    :param only_content: note only those of operators, artifacts and parameters.
    """
    from aqueduct_provider.spec.loader import parse

    try:
        return parse(text, document["dag_id"])
    except SpecError as error:
        problems.add_of_spec(error, document, graph, only_content=only_content)
        return None
