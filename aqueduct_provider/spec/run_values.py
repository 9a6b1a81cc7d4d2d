"""Values given for one run that are not JSON: what the run's ``conf`` says of them.

Such a value is in the artifact store, under a digest (``FlowLayout.value``) of its bytes and of how they
are encoded: what was stored as bytes cannot be read as a pickle. The ``conf`` of the run names it under one
key of its own, in an encoding that values of the parameter's own type can have::

    {"aqueduct_values": {"model": {"sha256": "...", "serialization_type": "pickle",
                                   "artifact_type": "picklable"}}}

In: a ``conf``, which whoever may trigger runs has written: nothing in it is trusted. Out: values by
parameter name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.runner import serializations
from aqueduct_provider.runner.contract import SERIALIZATION_TYPES
from aqueduct_provider.spec.document import json_path
from aqueduct_provider.spec.models import DIGEST_PATTERN, ArtifactType, WorkflowSpec
from aqueduct_provider.spec.names import nfc_keys
from aqueduct_provider.spec.validation import suggestion

# The key of a run's conf; no parameter of a flow may have this name.
VALUES_KEY = "aqueduct_values"

# Keys of a conf that are not the flow's: TriggerDagRunOperator adds the first one for OpenLineage, Airflow's
# own are like airflow/task_span_detail_level.
_OTHER_KEYS = re.compile(r"openlineage|airflow/.*", re.DOTALL)

_CONF = "the conf of this run"
_NOT_IN_COMPILED = (
    "compiled flows do not know this key; give them values that are JSON, under the parameter's own name, or "
    "publish the flow with aqueduct_provider.sdk"
)
_ARTIFACT_TYPES = frozenset(kind.value for kind in ArtifactType)
# More are shown once the first ones are fixed.
_MAX_PROBLEMS = 20


@dataclass(frozen=True)
class StoredValue:
    """A parameter's value for one run, in the artifact store.

    :param sha256: :func:`value_digest` of it, which is also the last part of its key.
    :param serialization_type: how its bytes are encoded, such as ``parquet`` or ``pickle``.
    :param artifact_type: what it is, such as ``table``.
    """

    sha256: str
    serialization_type: str
    artifact_type: str


def value_digest(content_sha256: str, serialization_type: str) -> str:
    """Return the digest by which a value is given to a run.

    :param content_sha256: digest of its bytes alone.
    """
    return hashlib.sha256(f"{serialization_type}\n{content_sha256}".encode()).hexdigest()


def given_problem(wanted: ArtifactType, value: StoredValue, *, pickles: bool = True) -> str:
    """Return why a run may not be given a value; empty where it may.

    :param wanted: the type of the parameter.
    :param pickles: whether it may be what runs code when it is read, for parameters whose type allows that.
    """
    kind, serialization = value.artifact_type, value.serialization_type
    if kind != wanted.value and wanted is not ArtifactType.UNTYPED:
        return f"must be of type {wanted.value}, not {kind}"
    fitting = serializations.given_to(kind)
    if serialization not in fitting:
        return (
            f"of type {kind} must be encoded as {' or '.join(sorted(fitting)) or 'JSON'}, not {serialization}"
        )
    if serialization in serializations.RUNS_CODE and not pickles:
        return (
            f"is encoded as {serialization}, which can run code when it is read, and the administrator "
            "allows no such values: [aqueduct] pickled_parameters is False"
        )
    return ""


def values_from_conf(conf: Mapping[str, Any] | None) -> dict[str, StoredValue]:
    """Return the values that a run's ``conf`` names, by parameter.

    :raises SpecError: they are not as this module writes them; with all that is wrong.
    """
    if not conf or VALUES_KEY not in conf:
        return {}
    given = conf[VALUES_KEY]
    if problems := list(islice(_problems(given), _MAX_PROBLEMS)):
        raise SpecError(_CONF, problems)
    return {name: StoredValue(**value) for name, value in nfc_keys(given).items()}


def check_conf(conf: Mapping[str, Any] | None, spec: WorkflowSpec, *, pickles: bool = True) -> None:
    """Refuse a ``conf`` with keys that mean nothing to the flow, for a mistyped name would be ignored.

    Refused are values in the store, too, that the flow's parameters cannot be given.

    :param pickles: whether those may be what runs code when it is read.
    :raises SpecError: names each of them, and what was probably meant.
    """
    given = nfc_keys(conf or {})
    stored = given.pop(VALUES_KEY, None) or {}
    if stored and spec.compiled is not None:
        raise SpecError(_CONF, [Problem(json_path([VALUES_KEY]), _NOT_IN_COMPILED)])
    places = {name: [name] for name in given if not _OTHER_KEYS.fullmatch(name)}
    places |= {name: [VALUES_KEY, name] for name in nfc_keys(stored)}
    known = [parameter.name for parameter in spec.parameters]
    unknown = [name for name in places if name not in known][:_MAX_PROBLEMS]
    if unknown:
        raise SpecError(
            _CONF, [Problem(json_path(places[name]), _no_parameter(name, known)) for name in unknown]
        )
    refused = {
        name: given_problem(spec.parameter(name).type, value, pickles=pickles)
        for name, value in values_from_conf(conf).items()
    }
    if any(refused.values()):
        raise SpecError(
            _CONF,
            [
                Problem(json_path([VALUES_KEY, name]), f"a value {why}")
                for name, why in refused.items()
                if why
            ],
        )


def _no_parameter(name: str, known: list[str]) -> str:
    if not known:
        return "this flow has no parameters; remove it"
    meant = suggestion(name, known)
    listed = ", ".join(known[:_MAX_PROBLEMS]) + (", ..." if len(known) > _MAX_PROBLEMS else "")
    hint = f"did you mean '{meant}'?" if meant else f"remove it; the flow's parameters: {listed}"
    return f"the flow has no parameter of this name, {hint}"


def to_conf(values: Mapping[str, StoredValue]) -> dict[str, Any]:
    """Return the part of a ``conf`` that names these values; empty when there are none."""
    return {VALUES_KEY: {name: asdict(value) for name, value in values.items()}} if values else {}


_FIELDS: dict[str, tuple[Callable[[str], object], str]] = {
    "sha256": (re.compile(DIGEST_PATTERN).fullmatch, "must be a sha256: 64 digits 0-9 a-f"),
    "serialization_type": (
        SERIALIZATION_TYPES.__contains__,
        f"must be one of {', '.join(sorted(SERIALIZATION_TYPES))}",
    ),
    "artifact_type": (_ARTIFACT_TYPES.__contains__, f"must be one of {', '.join(sorted(_ARTIFACT_TYPES))}"),
}
_OBJECT = (
    f"must be an object with {', '.join(_FIELDS)}; values that are JSON are in conf under the parameter's "
    "own name, all others are given with client.trigger of the SDK"
)


def _problems(given: Any) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        message = "must be an object: parameter name -> where its value is; remove it, or use client.trigger"
        yield Problem(json_path([VALUES_KEY]), message)
        return
    for name, value in given.items():
        if not isinstance(value, Mapping):
            yield Problem(json_path([VALUES_KEY, name]), _OBJECT)
            continue
        for field in sorted(value.keys() - _FIELDS.keys()):
            yield Problem(json_path([VALUES_KEY, name, field]), "unknown field; remove it")
        for field, (fits, message) in _FIELDS.items():
            found = value.get(field)
            if not isinstance(found, str) or not fits(found):
                yield Problem(json_path([VALUES_KEY, name, field]), message)
