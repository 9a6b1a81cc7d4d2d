"""A user's function -> its function archive (Aqueduct formats, section 3).

In: a function, its requirements and files. Out: a zip that a worker can run without the user's modules, with
the same bytes for the same function. What would fail on a worker is refused here.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.function_source import NO_SOURCE
from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.archive_size import check_size
from aqueduct_provider.sdk.packaging.dependency_files import RESERVED, DependencyFiles, dependency_files
from aqueduct_provider.sdk.packaging.distributions import coverage, is_installed, parsed
from aqueduct_provider.sdk.packaging.local_modules import OWN, local_modules, origin_of, pickled_by_value
from aqueduct_provider.sdk.packaging.needed_modules import Supply, check_needed_modules
from aqueduct_provider.sdk.packaging.pickling import Pickled, pickled
from aqueduct_provider.sdk.packaging.source_text import source_of
from aqueduct_provider.sdk.packaging.unpicklable import unpicklable
from aqueduct_provider.sdk.packaging.user_function import UserFunction, innermost

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# The archive's only folder; any name will do.
_FOLDER = "function"
# Bytes below which a file is not compressed: of the few hundred that most have, that spares next to nothing.
_SMALL = 16_384
# What a worker imports.
_MODEL = Path(__file__).with_name("entry_file.py")

_NO_SOURCE = NO_SOURCE + " {!r} is not known: it was not defined in a file.\n"


@dataclass(frozen=True)
class Package:
    """A function archive.

    :param data: the zip.
    :param python_version: minor version of the Python that made it, ``3.11``; it has to run in the same.
    """

    data: bytes = field(repr=False)
    sha256: str
    python_version: str


def package(function: UserFunction, name: str) -> Package:
    """Make the archive of a function.

    :param name: the operator's, for the source file in the archive and for messages.
    :raises PackagingError: the function cannot be pickled, needs a module that no worker would have, or is
        too large; or a file dependency cannot be taken along.
    """
    files = dependency_files(function, name)
    requirements = _pinned(function.requirements, name)
    supply = supply_of(function, files)
    modules = by_value(function.call, supply)
    with pickled_by_value(modules):
        result = _snapshot(function) or _pickled(function, modules, name)
        check_size(function.call, name, len(result.data), files)
    check_needed_modules(name, result, supply)
    contents = {
        "model.py": _MODEL.read_bytes(),
        "model.pkl": result.data,
        "requirements.txt": "".join(f"{line}\n" for line in requirements).encode(),
        "python_version.txt": PYTHON_VERSION.encode(),
        **{path: _read(file, path, name) for path, file in files.files.items()},
    }
    contents[_source_name(name, {*contents}, supply)] = _source(function.call, name).encode()
    data = _zipped(contents)
    return Package(data, hashlib.sha256(data).hexdigest(), PYTHON_VERSION)


def supply_of(function: UserFunction, files: DependencyFiles) -> Supply:
    """Return what a worker will have for the function."""
    return Supply(coverage(function.requirements), files.modules(), function.requirements)


def by_value(call: Callable[..., Any], supply: Supply) -> tuple[str, ...]:
    """Return the local modules that the pickle must hold, for a worker does not have them."""
    # A worker must not import the module of the function itself, which makes a flow.
    own = {*OWN, getattr(innermost(call), "__module__", None)}
    return tuple(module for module in local_modules() if module in own or not supply.has_local(module))


def _snapshot(function: UserFunction) -> Pickled | None:
    """Return the function as it was when its call was recorded."""
    return function.snapshot.pickled if function.snapshot else None


def _pickled(function: UserFunction, modules: tuple[str, ...], name: str) -> Pickled:
    try:
        return pickled(function.call, modules)
    except Exception as error:
        raise unpicklable(error, name) from error


def _pinned(requirements: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the requirements, and last the cloudpickle that makes the pickle."""
    from cloudpickle import __version__ as version

    others = []
    for line in requirements:
        requirement = parsed(line)
        if requirement.name.lower() != "cloudpickle" or not is_installed(requirement):
            others.append(line)
        elif not requirement.specifier.contains(version, prereleases=True):
            raise PackagingError(
                f"The requirements of {name!r} ask for {line!r}, but its function is pickled here by "
                f"cloudpickle {version}, which must also read it. Remove the line, or install that "
                "cloudpickle here."
            )
    return (*others, f"cloudpickle=={version}")


# --- the archive


def _read(file: Path, path: str, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PackagingError(
            f"file_dependencies of {name!r}: {path} cannot be read: {error.strerror}."
        ) from error


def _source_name(name: str, taken: set[str], supply: Supply) -> str:
    """Choose a free name for the source file. It must not hide a module: its folder is searched first."""
    safe = source_stem(name)
    while f"{safe}.py" in taken | {*RESERVED} or safe in supply.files or _is_importable(safe):
        safe += "_"
    return f"{safe}.py"


def source_stem(name: str) -> str:
    """Return what the source file of an operator is called, without suffix and the underscores at its end."""
    return re.sub(r"[^\w. -]", "_", name).strip(". ")[:100] or "function"


def _is_importable(name: str) -> bool:
    if not name.isidentifier():
        return False
    return name in sys.stdlib_module_names or origin_of(name) == "installed"


def _source(call: Callable[..., Any], name: str) -> str:
    """Return the function's text, to be read; nothing runs it."""
    return source_of(innermost(call)) or _NO_SOURCE.format(name)


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, data in _entries(contents):
            archive.writestr(entry, data, zipfile.ZIP_STORED if len(data) < _SMALL else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _entries(contents: Mapping[str, bytes]) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    # The original looks for a folder among the entries.
    yield _entry(f"{_FOLDER}/", stat.S_IFDIR | 0o755), b""
    for name in sorted(contents):
        yield _entry(f"{_FOLDER}/{name}", stat.S_IFREG | 0o644), contents[name]


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    """Make an entry that holds nothing of this machine or moment: ZipInfo's own date is 1980."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return entry
