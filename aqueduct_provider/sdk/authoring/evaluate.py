"""The recorded graph -> values, here and now.

In: an artifact of the graph, and values of parameters. Out: a copy of its value. What was computed with the
defaults is kept, encoded, for as long as the operator lives; every reader decodes a copy of its own, so that
a function that changes its input changes no other operator's. Walks without recursion: a chain may be longer
than Python's stack.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from aqueduct_provider.errors import AuthoringError, CheckFailed, OperatorFailed
from aqueduct_provider.runner.codecs import CodecError, Encoded, accepted_type, encode, infer_type
from aqueduct_provider.sdk.authoring.execute import TABLES, Results, decoded, run_extract, run_operator
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, upstream
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc_keys

_kept: WeakKeyDictionary[OperatorNode, Results] = WeakKeyDictionary()

_log = logging.getLogger("aqueduct")


def is_computed(operator: OperatorNode) -> bool:
    """Return whether the operator's outputs are kept, so that reading them computes nothing."""
    return operator in _kept


def kept(artifact: ArtifactNode) -> Encoded | None:
    """Return the artifact's value as it is kept; None where it was not computed."""
    results = _kept.get(artifact.producer)
    return results.outputs[artifact.producer.outputs.index(artifact)] if results else None


def compute(operator: OperatorNode) -> None:
    """Compute what is not computed yet, the operator and what it needs, and set the types of its outputs.

    :raises OperatorFailed: a function raised or returned what it must not return.
    :raises CheckFailed: the operator is a check of severity ``error`` that did not pass; its value is kept.
    """
    _results(operator, {})


def value_of(artifact: ArtifactNode, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return the artifact's value, a copy of the caller's own.

    :param parameters: values of parameters by name. What depends on them is computed again and not kept.
    :raises AuthoringError: when the artifact depends on no parameter of such a name, or the value is of
        another type than the default.
    :raises OperatorFailed: as :func:`compute`.
    """
    results = _results(artifact.producer, _checked(artifact, parameters))
    try:
        return decoded(_output(artifact, results))
    except (CodecError, ImportError) as exc:
        raise OperatorFailed(f"The value of {artifact.name!r} {exc}", deterministic=True) from exc


def parameters_of(artifacts: Iterable[ArtifactNode]) -> dict[str, ArtifactNode]:
    """Return the parameters that the artifacts depend on: name -> the parameter's artifact."""
    return {
        operator.name: operator.outputs[0] for operator in upstream(artifacts) if operator.kind == "param"
    }


def _results(target: OperatorNode, values: Mapping[str, Encoded]) -> dict[OperatorNode, Results]:
    """Return the results of ``target`` and of what it was computed from."""
    found: dict[OperatorNode, Results] = {}
    changed: set[OperatorNode] = set()
    for operator in _needed(target, everything=bool(values)):
        if _depends_on_changed(operator, changed, values):
            changed.add(operator)
            results = _evaluated(operator, found, values)
        elif operator in _kept:
            results = _kept[operator]
        else:
            results = _kept[operator] = _evaluated(operator, found, values)
            _set_types(operator, results)
        found[operator] = results
        if results.passed is False and operator.severity == "error":
            raise CheckFailed(_not_passed(operator))
    return found


def _needed(target: OperatorNode, *, everything: bool) -> list[OperatorNode]:
    """Return the operators to look at, in the order of creation: down from those whose results are kept."""
    found: dict[int, OperatorNode] = {}
    waiting = [target]
    while waiting:
        operator = waiting.pop()
        if operator.number in found:
            continue
        found[operator.number] = operator
        if everything or operator not in _kept:
            waiting.extend(artifact.producer for artifact in operator.inputs)
    return [found[number] for number in sorted(found)]


def _depends_on_changed(
    operator: OperatorNode, changed: set[OperatorNode], values: Mapping[str, Encoded]
) -> bool:
    if operator.kind == "param":
        return operator.name in values
    return any(artifact.producer in changed for artifact in operator.inputs)


def _evaluated(
    operator: OperatorNode, found: Mapping[OperatorNode, Results], values: Mapping[str, Encoded]
) -> Results:
    if operator.kind == "param":
        given = values.get(operator.name)
        return Results((given if given is not None else _default(operator),))
    if operator.kind == "system_metric":
        measured = found[operator.inputs[0].producer]
        number = measured.runtime if operator.system_metric == "runtime" else measured.max_memory
        return Results((encode(number, "numeric"),))
    inputs = [_output(artifact, found) for artifact in operator.inputs]
    if operator.kind == "extract":
        return run_extract(operator, inputs)
    results = run_operator(operator, inputs)
    if results.passed is False and operator.severity == "warning":
        _log.warning(_not_passed(operator))
    return results


def _output(artifact: ArtifactNode, found: Mapping[OperatorNode, Results]) -> Encoded:
    return found[artifact.producer].outputs[artifact.producer.outputs.index(artifact)]


def _not_passed(operator: OperatorNode) -> str:
    return f"The check {operator.name!r} did not pass (returned False)."


def _set_types(operator: OperatorNode, results: Results) -> None:
    # A parameter whose default is None takes values of every type.
    if operator.kind == "param" and _default_of(operator) is None:
        return
    for artifact, encoded in zip(operator.outputs, results.outputs, strict=True):
        if artifact.type == "untyped":
            artifact.type = encoded.artifact_type


def _checked(artifact: ArtifactNode, parameters: Mapping[str, Any] | None) -> dict[str, Encoded]:
    """Return the values of parameters, checked and encoded."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        raise AuthoringError(
            f"parameters must be a dict, name -> value, but it is a {type(parameters).__name__}."
        )
    parameters, known = nfc_keys(parameters), parameters_of([artifact])
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise AuthoringError(_unknown_parameter(artifact.name, str(unknown[0]), known))
    return {name: _given(known[name].producer, value) for name, value in parameters.items()}


def _unknown_parameter(artifact: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if not names:
        return f"{artifact!r} depends on no parameter, so {name!r} cannot be set."
    hint = suggestion(name, names)
    if not hint.startswith(" Did"):
        hint = ""
    return (
        f"{artifact!r} depends on no parameter {name!r}.{hint} Its parameters are: "
        f"{', '.join(map(repr, names))}."
    )


def _given(operator: OperatorNode, value: Any) -> Encoded:
    default = _default_of(operator)
    declared = operator.outputs[0].type
    expected = "untyped" if default is None else infer_type(default) if declared == "untyped" else declared
    try:
        kind = accepted_type(value, expected)
    except CodecError as exc:
        raise AuthoringError(f"The value of parameter {operator.name!r} {exc}, as its default is.") from exc
    return _stored(operator, value, kind)


def _default(operator: OperatorNode) -> Encoded:
    default = _default_of(operator)
    return _stored(operator, default, infer_type(default))


def _stored(operator: OperatorNode, value: Any, kind: str) -> Encoded:
    try:
        return encode(value, kind, TABLES)
    except (CodecError, ImportError) as exc:
        raise AuthoringError(f"The value of parameter {operator.name!r} {exc}.") from exc


def _default_of(operator: OperatorNode) -> Any:
    return None if operator.parameter is None else operator.parameter.default
