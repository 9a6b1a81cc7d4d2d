"""Secrets that would end in a spec, an archive or a stored default, which many users may read.

Messages name the place, never the secret. What is looked at: the artifact store's description, requirements,
defaults of parameters and of signatures, and every other text of the spec.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
from aqueduct_provider.sdk.authoring.nodes import OperatorNode
from aqueduct_provider.sdk.packaging.user_function import UserFunction, innermost
from aqueduct_provider.spec.secret_text import is_secret_name, is_secret_value, secret_in
from aqueduct_provider.spec.url_credentials import has_credentials, without_credentials

# Names of credentials, not of the files and profiles where they lie.
_SECRET_FIELD = re.compile(r"secret|password|token|access_key(?!.*(path|profile))", re.IGNORECASE)
# Fields of a spec that hold digests and keys of this package.
_OWN_FIELDS = frozenset({"sha256", "key"})
# Fields of prose, for human readers.
_PROSE = frozenset({"description", "message"})
_NOT_WALKED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
# Operations of a pickle that are looked at; the arrays of a model are one each.
_MAX_OPERATIONS = 500_000

_WHY = "and what is published is read by many"
_CURE = (
    "Values that a run is triggered with are not safer: Airflow shows them. Reach a data system through a "
    "connected resource with a connection_id, whose secret Airflow keeps. Read any other secret in the "
    'function itself, os.environ["NAME"], from a variable of Airflow\'s workers that is named by '
    "child_env_allow in their [aqueduct] section"
)


def refuse_secrets(
    artifact_store: Mapping[str, Any],
    operators: Iterable[OperatorNode],
    encode: Callable[[OperatorNode], EncodedValue],
) -> None:
    """Refuse a flow whose store, requirements or defaults hold credentials.

    :param encode: gives the stored default of a ``param`` operator.
    :raises AuthoringError: with the place of the first one.
    """
    for field, value in artifact_store.items():
        if (_SECRET_FIELD.search(field) and value) or (isinstance(value, str) and has_credentials(value)):
            raise AuthoringError(
                f"The artifact store's {field} holds credentials, and a spec is read by many. Name an AWS "
                "credentials file on the worker (s3_credentials_path) or an Airflow connection "
                "(connection_id) in the resource."
            )
    for operator in operators:
        if operator.parameter is not None:
            _refuse_default(operator, encode)
        if operator.function is not None:
            _refuse_requirements(operator.name, operator.function)
            _refuse_signature(operator.name, operator.function)


def refuse_secrets_in_text(document: Mapping[str, Any]) -> None:
    """Refuse a spec of which any other text, such as a description, holds a secret.

    :param document: the spec's JSON.
    :raises AuthoringError: with the place of the first one.
    """
    for path, text in _texts((), document):
        if kind := secret_in(text, prose=path[-1] in _PROSE):
            raise AuthoringError(f"{_place(path, document)} holds {kind}, {_WHY}. Remove it. {_CURE}.")


# --- requirements


def _refuse_requirements(name: str, function: UserFunction) -> None:
    for line in function.requirements:
        if secret_in(line):
            clean = without_credentials(line)
            shown = "" if secret_in(clean) else f": {clean}"
            raise AuthoringError(
                f"A requirement of {name!r} holds credentials{shown}. Write the URL without them; they "
                "belong to the worker, such as in its netrc file."
            )


# --- defaults


def _refuse_default(operator: OperatorNode, encode: Callable[[OperatorNode], EncodedValue]) -> None:
    (artifact,), parameter = operator.outputs, operator.parameter
    if parameter is None:
        return
    name = artifact.name.rpartition(":")[2] if parameter.implicit else artifact.name
    _refuse_value(f"The default of the parameter {artifact.name!r}", name, parameter.default)
    stored = encode(operator)
    if stored.serialization_type == "pickle":
        for text in _texts_of_pickle(stored.data):
            if kind := secret_in(text):
                raise AuthoringError(
                    f"The default of the parameter {artifact.name!r} holds {kind}, {_WHY}. {_CURE}."
                )


def _refuse_signature(operator: str, function: UserFunction) -> None:
    """Refuse secrets in defaults: one that is not used is still published with the function."""
    try:
        parameters = inspect.signature(innermost(function.call)).parameters.values()
    except (TypeError, ValueError):
        return
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            what = f"The default of the argument {parameter.name!r} of {operator!r}"
            _refuse_value(what, parameter.name, parameter.default)


def _refuse_value(what: str, name: str, value: Any) -> None:
    for path, own_name, text in _strings(name, value):
        shown = text if isinstance(text, str) else text.decode("latin-1")
        place = "".join(path)
        where = f"{what}, at {place}," if place and not secret_in(place) else what
        if kind := secret_in(shown):
            raise AuthoringError(f"{where} holds {kind}, {_WHY}. {_CURE}.")
        if is_secret_name(own_name) and is_secret_value(text):
            raise AuthoringError(
                f"{where} is a secret by its name, {_WHY}. {_CURE}. If it is not a secret, rename it."
            )


_Strings = Iterator[tuple[tuple[str, ...], str, str | bytes]]


def _strings(name: str, value: Any) -> _Strings:
    """Yield each text in a value, with where it is and the name that it goes by.

    Walks without recursion through collections, tables and the attributes of objects.
    """
    waiting: list[tuple[tuple[str, ...], str, Any]] = [((), name, value)]
    seen: dict[int, Any] = {}
    while waiting:
        path, own_name, item = waiting.pop()
        if isinstance(item, str | bytes):
            yield path, own_name, item
        elif item is not None and id(item) not in seen and not isinstance(item, int | float):
            # Kept, so that no other object gets its id meanwhile.
            seen[id(item)] = item
            waiting += [((*path, step), other, part) for step, other, part in _parts(own_name, item)]


def _parts(name: str, item: Any) -> Iterable[tuple[str, str, Any]]:
    """Return what is in a value: how it is written, the name that it goes by, and the part."""
    if isinstance(item, Mapping):
        named = [(f"[{key!r}]", key if isinstance(key, str) else name, part) for key, part in item.items()]
        return [*named, *(("", "", key) for key in item)]
    if isinstance(item, list | tuple | set | frozenset):
        fields = getattr(item, "_fields", None)
        if isinstance(fields, tuple):
            return [(f".{field}", field, part) for field, part in zip(fields, item, strict=False)]
        # The path would change with each entry, and a name says it better.
        return [("", name, part) for part in item]
    if type(item).__module__.partition(".")[0] == "pandas":
        return _cells(item)
    if isinstance(item, _NOT_WALKED):
        return ()
    return [(f".{field}", field, part) for field, part in getattr(item, "__dict__", {}).items()]


def _cells(table: Any) -> Iterable[tuple[str, str, Any]]:
    """Return the cells of a table's columns of text: a column named ``token`` holds words, so no names."""
    if not hasattr(table, "columns"):
        columns = [("", table)] if hasattr(table, "tolist") else []
    else:
        columns = [(f"[{name!r}]", table.iloc[:, place]) for place, name in enumerate(table.columns)]
    return [
        (where, "", cell)
        for where, column in columns
        if str(getattr(column, "dtype", "")) in ("object", "str", "string")
        for cell in column.tolist()
        if isinstance(cell, str | bytes)
    ]


def _texts_of_pickle(data: bytes) -> Iterator[str]:
    """Yield the strings in a pickle, which is not loaded."""
    import pickletools

    try:
        for count, (_, argument, _) in enumerate(pickletools.genops(data)):
            if count > _MAX_OPERATIONS:
                return
            if isinstance(argument, str):
                yield argument
            elif isinstance(argument, bytes):
                yield argument.decode("latin-1")
    except ValueError:
        # Of a format that this Python does not know: nothing more can be seen.
        return


# --- other strings of the spec


def _texts(path: tuple[str | int, ...], node: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, child in node.items():
            if key not in _OWN_FIELDS:
                yield from _texts((*path, key), child)
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from _texts((*path, index), child)


def _place(path: tuple[str | int, ...], document: Mapping[str, Any]) -> str:
    """Return the place in the words of the flow's author: ``The description of the operator 'train'``."""
    noun, field = str(path[0]), str(next(part for part in reversed(path) if isinstance(part, str)))
    if noun in ("operators", "artifacts", "parameters") and isinstance(path[1], int):
        name = str(document[noun][path[1]]["name"])
        known = f" {name!r}" if not secret_in(name) else f" number {path[1] + 1}"
        return f"The {field} of the {noun.removesuffix('s')}{known}"
    return f"The flow's {field}"
