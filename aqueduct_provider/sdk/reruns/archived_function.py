"""Load the function of an archive into this process, and leave the process as it was.

In: an unpacked archive that is verified. Out: the user's function, while a context is open. As on a worker,
modules of the archive come before those of the same name that are imported here.
"""

from __future__ import annotations

import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.function_source import NO_SOURCE
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.contract import FunctionCall
from aqueduct_provider.runner.invoke import load_function
from aqueduct_provider.sdk.packaging.package import PYTHON_VERSION, source_stem
from aqueduct_provider.sdk.packaging.user_function import innermost

if TYPE_CHECKING:
    from aqueduct_provider.execution.function_archive import CodeFolder
    from aqueduct_provider.spec.models import CallOperator

_MAIN = "__main__"


@dataclass(frozen=True)
class Archive:
    """An unpacked archive of an operator.

    :param label: what its version is called, such as ``v3 (7d49f3c4)``.
    """

    folder: CodeFolder
    operator: CallOperator
    label: str


@contextmanager
def loaded_function(archive: Archive) -> Iterator[Callable[..., Any]]:
    """Load the function; its folder is the working directory and importable already.

    :raises AuthoringError: this Python cannot load it.
    """
    name, wanted = archive.operator.name, archive.folder.python_version
    if wanted not in (None, PYTHON_VERSION):
        raise AuthoringError(
            f"{name!r} was published from Python {wanted}, whose code Python {PYTHON_VERSION} cannot load. "
            "Replay it with isolated=True (--isolated), which runs it in an environment of its own."
        )
    with _process_of_worker(archive.folder.path):
        try:
            function = load_function(_call(archive.operator))
        except ImportError as error:
            raise AuthoringError(_missing(name, error)) from error
        _show_source(archive, function)
        yield function


def _call(operator: CallOperator) -> FunctionCall:
    code = operator.code
    return FunctionCall("", code.entry_file, code.entry_class, code.entry_method, code.custom_args)


def _missing(name: str, error: ImportError) -> str:
    module = (error.name or str(error)).partition(".")[0]
    return (
        f"{name!r} needs the module {module!r}, which cannot be imported here ({error}). Install its "
        "package, or replay it with isolated=True (--isolated), which runs it in an environment of its own."
    )


# --- the process


@contextmanager
def _process_of_worker(folder: Path) -> Iterator[None]:
    """Hide what is imported here of the archive's modules; afterwards the process has what it had."""
    main, finders = sys.modules[_MAIN], list(sys.meta_path)
    by_value = _taken_by_value()
    hidden = _hide(path.name.partition(".")[0] for path in folder.iterdir())
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.modules[_MAIN] = main
        for finder in [one for one in sys.meta_path if one not in finders]:
            # Modules that travelled in the pickle: what they are here is none of the process.
            _hide(getattr(finder, "_modules", ()))
        sys.meta_path[:] = finders
        _hide(path.name.partition(".")[0] for path in folder.iterdir())
        sys.modules.update(hidden)
        _forget_by_value(_taken_by_value() - by_value)
        importlib.invalidate_caches()


def _hide(names: Iterable[str]) -> dict[str, types.ModuleType]:
    """Take modules, and those in them, out of the imported ones; return them."""
    tops = {name for name in names if name != _MAIN}
    found = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in tops}
    for name in found:
        del sys.modules[name]
    return found


def _taken_by_value() -> set[str]:
    import cloudpickle

    return set(cloudpickle.list_registry_pickle_by_value())


def _forget_by_value(names: Iterable[str]) -> None:
    import cloudpickle

    for name in names:
        with suppress(ValueError):
            cloudpickle.unregister_pickle_by_value(types.ModuleType(name))


# --- the source text


def _show_source(archive: Archive, function: Callable[..., Any]) -> None:
    """Let tracebacks and debuggers show the text that was published, whatever its file holds today."""
    owner = getattr(function, "__self__", None)
    plain = innermost(getattr(owner, "function", function))
    plain = getattr(plain, "__func__", plain)
    text = _source(archive)
    if not (text and isinstance(plain, types.FunctionType)):
        return
    code, lines = plain.__code__, text.splitlines(keepends=True)
    first = code.co_firstlineno - 1
    if linecache.getlines(code.co_filename)[first : first + len(lines)] == lines:
        return
    file = f"<{archive.operator.name}, {archive.label}>"
    padded = ["\n"] * first + lines
    # Without a time, it is never looked for on the disk.
    linecache.cache[file] = (sum(map(len, padded)), None, padded, file)
    plain.__code__ = _renamed(code, {code.co_filename: file})


def _source(archive: Archive) -> str:
    """Return the function's own text; empty where it was not known when the archive was made."""
    stem = source_stem(archive.operator.name)
    for path in sorted(archive.folder.path.glob("*.py")):
        if path.stem.rstrip("_") == stem.rstrip("_"):
            text = path.read_text(encoding="utf-8", errors="replace")
            return "" if text.startswith(NO_SOURCE) else text
    return ""


def _renamed(code: types.CodeType, names: Mapping[str, str]) -> types.CodeType:
    """Return the code, and that of the functions in it, as if it were of another file."""
    constants = tuple(
        _renamed(constant, names) if isinstance(constant, types.CodeType) else constant
        for constant in code.co_consts
    )
    return code.replace(co_filename=names.get(code.co_filename, code.co_filename), co_consts=constants)
