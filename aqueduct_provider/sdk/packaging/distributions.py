"""Find what an environment made of some requirements holds, as far as this Python knows.

In: pip requirements. Out: which modules they bring along, directly or because one requires the other; and the
installed distribution that a module comes from. Reads metadata of installed packages only.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.spec import requirement_lines
from aqueduct_provider.spec.requirement_sets import THIS_PYTHON, applies

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# What sys.path names, and when each was last changed.
Stamp = tuple[tuple[str, int], ...]

_NEEDS = re.compile(r"^Requires-Dist:\s*(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Coverage:
    """The distributions that some requirements bring along.

    :param installed: names of distributions that are installed here: the required ones, and what these need.
    :param unchecked: names of those that are not installed here, so their modules are unknown.
    :param stamp: what was installed when this was found out.
    :param excluded: the lines whose markers exclude the machines on which operators run.
    """

    installed: frozenset[str]
    unchecked: frozenset[str]
    stamp: Stamp = field(repr=False)
    excluded: tuple[str, ...] = ()

    def holds(self, module: str) -> bool:
        """Return whether a top-level module is certainly there when the requirements are installed."""
        return _holds(self, module)

    @property
    def is_nothing(self) -> bool:
        """Check whether requirements exist and none of them is installed where operators run."""
        return bool(self.excluded) and not self.installed | self.unchecked

    def exclusion(self, names: Iterable[str]) -> str:
        """Return the excluded line that names one of these packages; empty when there is not any."""
        wanted = set(names)
        return next((line for line in self.excluded if _canonical(parsed(line).name) in wanted), "")

    def covers(self, module: str) -> bool:
        """Return whether it may be there: what is not installed here is known by its name only."""
        name = _canonical(module)
        if self.holds(module) or self._is_variant(name):
            return True
        owners = _owners_of(module, self.stamp) if self.unchecked else ()
        return any(self._is_variant(owner.name) for owner in owners)

    def _is_variant(self, name: str) -> bool:
        """Return whether an unchecked requirement is this, or a build of it, as ``tensorflow-cpu`` is."""
        return any(other == name or other.startswith(f"{name}-") for other in self.unchecked)


@dataclass(frozen=True)
class Owner:
    """An installed distribution."""

    name: str
    version: str

    @property
    def requirement(self) -> str:
        """The requirement that brings it along; a local build has no counterpart in an index."""
        return f"{self.name}=={self.version.partition('+')[0]}"


def coverage(requirements: tuple[str, ...]) -> Coverage:
    """Return what the requirements bring along on Linux, in this version of Python."""
    return _coverage(requirements, _stamp())


def owners_of(module: str) -> tuple[Owner, ...]:
    """Find the installed distributions of a top-level module; several share a namespace package."""
    return _owners_of(module, _stamp())


def parsed(requirement: str) -> Requirement:
    """Return a line of pip requirements that was found to be valid."""
    found = requirement_lines.parsed(requirement)
    if found is None:
        raise ValueError("not a requirement")
    return found


def is_installed(requirement: Requirement, extra: str = "") -> bool:
    """Check whether a requirement is installed where the functions that are packed here run."""
    return applies(requirement, THIS_PYTHON, extra)


def _stamp() -> Stamp:
    """Return a value that changes when something is installed, as notebooks do while they run."""
    return tuple(_stamps(path for path in sys.path if path))


def _stamps(paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    for path in paths:
        try:
            yield path, os.stat(path).st_mtime_ns  # noqa: PTH116
        except OSError:
            continue


@lru_cache(maxsize=4096)
def _holds(coverage: Coverage, module: str) -> bool:
    if _canonical(module) in coverage.installed | coverage.unchecked:
        return True
    return any(module in _modules_of(owner, coverage.stamp) for owner in coverage.installed)


@lru_cache(maxsize=256)
def _coverage(requirements: tuple[str, ...], stamp: Stamp) -> Coverage:
    excluded = tuple(line for line in requirements if not is_installed(parsed(line)))
    waiting = [part for line in requirements if line not in excluded for part in _parts(parsed(line))]
    seen, installed, unchecked = set[tuple[str, str]](), set[str](), set[str]()
    while waiting:
        name, extra = part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        found = _found(name)
        (installed if found else unchecked).add(name)
        for need in _needs(found) if found else ():
            requirement = parsed(need)
            if is_installed(requirement, extra):
                waiting += _parts(requirement)
    return Coverage(frozenset(installed), frozenset(unchecked), stamp, excluded)


def _parts(requirement: Requirement) -> Iterator[tuple[str, str]]:
    """Yield the distribution itself and each of its extras."""
    name = _canonical(requirement.name)
    yield name, ""
    yield from ((name, extra) for extra in requirement.extras)


def _needs(found: Distribution) -> list[str]:
    text = found.read_text("METADATA")
    if text is None:
        return found.requires or []
    # Parsing the whole file, long description included, takes far longer.
    return _NEEDS.findall(text.replace("\r\n", "\n").partition("\n\n")[0])


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=1024)
def _owners_of(module: str, stamp: Stamp) -> tuple[Owner, ...]:
    named = _found(_canonical(module))
    if named is not None:
        return (Owner(_canonical(module), named.version),)
    owners = (Owner(_canonical(found.metadata["Name"]), found.version) for found in distributions())
    return tuple(owner for owner in dict.fromkeys(owners) if module in _modules_of(owner.name, stamp))


@lru_cache(maxsize=4096)
def _modules_of(name: str, _: Stamp) -> frozenset[str]:
    """Return the top-level modules of an installed distribution."""
    found = _found(name)
    if found is None:
        return frozenset()
    listed = (found.read_text("top_level.txt") or "").split()
    return frozenset(listed or _modules_in_files(found))


def _modules_in_files(found: Distribution) -> Iterator[str]:
    for path in found.files or ():
        first = path.parts[0]
        if len(path.parts) > 1:
            yield first
        elif path.suffix == ".pth":
            yield from _modules_in_folders(path.read_text())
        else:
            yield inspect.getmodulename(first) or first


def _modules_in_folders(text: str) -> Iterator[str]:
    """Yield the packages of an editable install, whose only file is a list of folders."""
    for folder in map(Path, text.splitlines()):
        if folder.is_absolute() and folder.is_dir():
            yield from (path.parent.name for path in folder.glob("*/__init__.py"))


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
