"""Values of parameters, as they are typed: ``-p name=value`` and ``-p name=@file``.

In: strings, and the parameters that the flow has. Out: Python values by parameter name.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.sdk.suggest import suggestion
from aqueduct_provider.spec.names import nfc
from aqueduct_provider.storage.files import expanded

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import Parameter

# Types whose values are text as they stand; those of ``json`` are text that is JSON.
_TEXTS = ("string", "json")
_PICKLES = {"picklable": "pickle", "tensorflow-keras-model": "tensorflow-keras-model"}
_KEYS = ". Keys are text in JSON: give a dictionary with other keys in Python, with client.trigger"
_FILES_ONLY = ("bytes", "image", "table", *_PICKLES)


def add_parameters(parser: ArgumentParser) -> None:
    """Add ``-p name=value``, once for each parameter."""
    parser.add_argument(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        dest="parameters",
        action="append",
        default=[],
        help="a parameter's value: JSON, or text; NAME=@FILE reads a file, NAME=@@... is text with an @",
    )


def values_of(typed: Sequence[str], parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Return the values that were typed, by parameter.

    :raises UsageError: an option is not of the form ``name=value``, names an unknown parameter, gives one
        twice, or its value cannot be read.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {}
    for text in typed:
        name, value = _split(text, known)
        if name in values:
            raise UsageError(f"-p {name} is given twice: give each parameter one value")
        values[name] = _value(known[name], value)
    return values


def _split(text: str, known: Collection[str]) -> tuple[str, str]:
    """Return name and value. A name may hold "=" itself."""
    signs = [place for place, sign in enumerate(text) if sign == "="]
    for place in reversed(signs):
        if (name := nfc(text[:place])) in known:
            return name, text[place + 1 :]
    if not signs:
        raise UsageError(f"-p {text}: write it as -p NAME=VALUE")
    name = nfc(text[: signs[0]])
    raise UsageError(f"-p {text}: the flow has no parameter {name!r}.{suggestion(name, known)}")


def _value(parameter: Parameter, text: str) -> Any:
    kind = parameter.type.value
    if text.startswith("@@"):
        text = text[1:]
    elif text.startswith("@"):
        return _from_file(parameter.name, kind, Path(text[1:]))
    if kind in _FILES_ONLY:
        raise UsageError(f"-p {parameter.name}: a value of type {kind} is read from a file: @FILE")
    return _from_text(parameter.name, kind, text)


def _from_text(name: str, kind: str, text: str) -> Any:
    if kind in _TEXTS:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if kind == "untyped":
            return text
        raise UsageError(
            f"-p {name}: {_short(text)} is not JSON, as a value of type {kind} must be:"
            f' 3, 0.5, true, [1, 2] or {{"a": 1}}{_KEYS if kind == "dictionary" else ""}'
        ) from error
    return tuple(value) if kind == "tuple" and isinstance(value, list) else value


def _from_file(name: str, kind: str, path: Path) -> Any:
    if kind in ("table", "image"):
        from aqueduct_provider.sdk.authoring.local_data import read_local

        return read_local(expanded(path), kind, path.suffix[1:])
    try:
        data = expanded(path).read_bytes()
    except OSError as error:
        raise UsageError(f"-p {name}: {path} cannot be read: {error.strerror}") from error
    if kind == "bytes":
        return data
    if kind in _PICKLES:
        return _unpickled(name, kind, path, data)
    try:
        return _from_text(name, kind, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"-p {name}: {path} is not UTF-8 text") from error


def _unpickled(name: str, kind: str, path: Path, data: bytes) -> Any:
    from aqueduct_provider.runner.codecs import CodecError, decode

    try:
        return decode(data, _PICKLES[kind], kind)
    except (CodecError, ImportError) as error:
        raise UsageError(f"-p {name}: {path} {error}") from error


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
