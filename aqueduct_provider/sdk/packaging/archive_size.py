"""How large a function archive may become.

In: a function, the size of its pickle and its files. Out: nothing, or an error that names what is large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.dependency_files import DependencyFiles, dependency_files
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.packaging.variables import variables_of

# Unpacked. Workers refuse larger ones later, by [aqueduct] archive_max_bytes and archive_max_files.
MAX_BYTES = 200_000_000
MAX_FILES = 5_000


def check_size(call: Callable[..., Any], name: str, pickle_size: int, files: DependencyFiles) -> None:
    """Refuse what is too large to be sent to every worker.

    Must run while the local modules are pickled by value.

    :param name: the operator's.
    :raises PackagingError: it names the largest variable of the function, or the largest files.
    """
    check_files(name, files)
    files_size = sum(file.stat().st_size for file in files.files.values())
    if pickle_size + files_size <= MAX_BYTES:
        return
    if pickle_size > MAX_BYTES / 2:
        raise PackagingError(
            f"The pickle of {name!r} has {_megabytes(pickle_size)}, and an archive may have "
            f"{_megabytes(MAX_BYTES)}. {_largest_variable(call)}"
        )
    raise _too_large(name, files)


def check_files(name: str, files: DependencyFiles) -> None:
    """Refuse files that are too large or too many to be sent to every worker.

    :param name: the operator's.
    :raises PackagingError: it names the largest files.
    """
    if len(files.files) > MAX_FILES:
        raise PackagingError(
            f"file_dependencies of {name!r} hold {len(files.files)} files, more than {MAX_FILES}. Name the "
            "files that the function reads, not a whole folder."
        )
    if sum(file.stat().st_size for file in files.files.values()) > MAX_BYTES:
        raise _too_large(name, files)


def check_declared_files(function: UserFunction, name: str) -> None:
    """Refuse ``file_dependencies`` that cannot be taken along, before the function is pickled.

    :param name: the operator's.
    :raises PackagingError: it names the entry and says what to do.
    """
    if function.file_dependencies:
        check_files(name, dependency_files(function, name))


def _too_large(name: str, files: DependencyFiles) -> PackagingError:
    sizes = {path: file.stat().st_size for path, file in files.files.items()}
    largest = sorted(sizes, key=lambda path: sizes[path], reverse=True)[:3]
    listed = ", ".join(f"{path} ({_megabytes(sizes[path])})" for path in largest)
    return PackagingError(
        f"file_dependencies of {name!r} have {_megabytes(sum(sizes.values()))}, and an archive may have "
        f"{_megabytes(MAX_BYTES)}. The largest: {listed}. Keep large files in S3, and read them in the "
        "function."
    )


def _largest_variable(call: Callable[..., Any]) -> str:
    """Return what takes most of the room, in a sentence."""
    sizes = {variable: _size(value) for variable, value in variables_of(call)}
    if not sizes:
        return "Pass large values as arguments."
    largest = max(sizes, key=lambda variable: sizes[variable])
    return (
        f"The largest part is {largest!r} ({_megabytes(sizes[largest])}): a table captured by the function? "
        "Pass it as an argument."
    )


def _size(value: object) -> int:
    import cloudpickle

    try:
        return len(cloudpickle.dumps(value))
    except Exception:
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
