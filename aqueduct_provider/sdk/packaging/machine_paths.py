"""Find paths of this machine in a function: they lead to files that no worker has.

An eager call finds such a file, for its path does not depend on the working directory. A worker might find
it, too, on a file system that both have, so this is only worth a warning.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from pathlib import Path

from aqueduct_provider.sdk.packaging.user_function import UserFunction, innermost
from aqueduct_provider.sdk.packaging.variables import names_in, variables_of


def machine_path_warnings(function: UserFunction, name: str) -> list[str]:
    """Return a sentence about each file of the function's own folder that it names by an absolute path.

    :param name: the operator's.
    """
    call = innermost(function.call)
    if not isinstance(call, types.FunctionType):
        return []
    folder = function.folder.resolve()
    found = {**dict(_paths(call)), **{value: value for value in _constants(call.__code__)}}
    places = {used: _inside(value, folder) for value, used in found.items()}
    sentences = [_sentence(name, used, place, folder) for used, place in places.items() if place]
    # A module that is taken along has a __file__ in the archive's folder, next to the declared files.
    if "__file__" in names_in(call.__code__) and not function.file_dependencies:
        sentences.append(
            f"{name!r} uses __file__, which is a path of this machine and leads nowhere on a worker: declare "
            "the files that it needs in file_dependencies=[...], and open them by their names."
        )
    return sentences


def _sentence(name: str, used: str, place: str, folder: Path) -> str:
    return (
        f"{name!r} uses {used}, the path of a file in {folder} on this machine, which leads nowhere on a "
        f"worker: declare it, file_dependencies=[{place!r}], and open {place!r}."
    )


def _paths(call: types.FunctionType) -> Iterator[tuple[str, str]]:
    """Yield the values of variables that may be paths -> the variables' names."""
    for variable, value in variables_of(call):
        if isinstance(value, str | Path) and variable != "__file__":
            yield str(value), variable


def _constants(code: types.CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, types.CodeType):
            yield from _constants(constant)


def _inside(path: str, folder: Path) -> str:
    """Return the path within the folder, of a file that is there; empty for everything else."""
    if not os.path.isabs(path) or "\0" in path or "\n" in path:  # noqa: PTH117
        return ""
    found = Path(path)
    if not found.is_relative_to(folder) or found == folder:
        return ""
    try:
        return found.relative_to(folder).as_posix() if found.exists() else ""
    except OSError:  # Too long a name.
        return ""
