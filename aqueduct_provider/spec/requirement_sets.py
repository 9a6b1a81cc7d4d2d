"""Judge several requirements together, for the machines on which operators run: Linux and a Python version.

In: requirement lines that are valid. Out: which of them apply there, and which contradict each other. Pure;
packaging is imported at the last moment.
"""

from __future__ import annotations

import itertools
import platform
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from aqueduct_provider.spec.requirement_lines import parsed

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

# Functions run in the minor version of Python that they are published from.
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# Those that a function may have been published from, and later ones.
PYTHONS = tuple(f"3.{minor}" for minor in range(8, 20))
_MACHINES = ("x86_64", "aarch64")
# The time that the judgement of bounds takes grows with the cube of their number.
_MOST_BOUNDS = 100


@dataclass(frozen=True)
class Contradiction:
    """Requirements of one package that no version fulfils.

    :param name: of the package, normalised.
    :param places: of the lines, counted from 0.
    """

    name: str
    places: tuple[int, ...]


def applies(requirement: Requirement, python_version: str, extra: str = "") -> bool:
    """Check whether a requirement's marker can hold where operators run.

    :param python_version: minor version, ``3.11``.
    :param extra: by which the package that has this requirement is installed.
    """
    marker = requirement.marker
    if marker is None:
        return True
    return any(marker.evaluate({**one, "extra": extra}) for one in machines(python_version))


@lru_cache(maxsize=64)
def machines(python_version: str) -> tuple[Mapping[str, str], ...]:
    """Return the marker environments in which operators of this Python version may run."""
    own = platform.python_version()
    patches = [own] if own.startswith(f"{python_version}.") else []
    patches += [f"{python_version}.0", f"{python_version}.99"]
    return tuple(
        {
            "implementation_name": "cpython",
            "implementation_version": patch,
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": patch,
            "python_version": python_version,
            "sys_platform": "linux",
        }
        for patch in patches
        for machine in _MACHINES
    )


@lru_cache(maxsize=1024)
def contradiction(lines: tuple[str, ...], python_version: str | None) -> Contradiction | None:
    """Return the first package that these requirements make impossible; None when there is not any.

    Only what the lines themselves say is judged, not what the packages need: that is known to an index.

    :param lines: those that are not valid are passed over.
    :param python_version: None: it is not known, so only what no Python version allows is reported.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    requirements = [parsed(line) for line in lines]
    for place, requirement in enumerate(requirements):
        if requirement is not None:
            groups[_canonical(requirement.name)].append(place)
    pythons = PYTHONS if python_version is None else (python_version,)
    where = [machine for python in pythons for machine in machines(python)]
    for name, places in groups.items():
        group = [(place, one) for place in places if (one := requirements[place]) is not None]
        if all(one.marker is None for _, one in group):
            found = _impossible(group)
        else:
            # Where markers differ, one machine on which it works is enough.
            each = (_impossible([(place, one) for place, one in group if _holds(one, m)]) for m in where)
            found = _first_of_all(each)
        if found:
            return Contradiction(name, found)
    return None


def _first_of_all(found: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the first one when all have something, else nothing."""
    first: tuple[int, ...] = ()
    for one in found:
        if not one:
            return ()
        first = first or one
    return first


def _holds(requirement: Requirement, machine: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**machine, "extra": ""})


def _impossible(group: Sequence[tuple[int, Requirement]]) -> tuple[int, ...]:
    """Return the places of requirements of one package when no version fulfils them all."""
    for place, requirement in group:
        if not is_satisfiable(requirement.specifier):
            return (place,)
    if sum(len(requirement.specifier) for _, requirement in group) > _MOST_BOUNDS:
        return ()
    urls = {requirement.url: place for place, requirement in reversed(group) if requirement.url}
    if len(urls) > 1:
        return tuple(sorted(urls.values()))
    both = _intersection(requirement.specifier for _, requirement in group)
    if len(group) == 1 or is_satisfiable(both):
        return ()
    return tuple(place for place, requirement in group if requirement.specifier)


def _intersection(specifiers: Iterable[SpecifierSet]) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet

    both = SpecifierSet()
    for one in specifiers:
        both &= SpecifierSet(str(one))
    return both


@lru_cache(maxsize=4096)
def is_satisfiable(specifiers: SpecifierSet) -> bool:
    """Check whether any version can fulfil these bounds, be there such a release or not.

    Very many bounds are not judged: whoever installs them reports what is wrong with them.
    """
    if any(one.operator == "===" for one in specifiers) or not 0 < len(specifiers) <= _MOST_BOUNDS:
        return True
    return any(specifiers.contains(version, prereleases=True) for version in _candidates(specifiers))


def _candidates(specifiers: SpecifierSet) -> Iterator[Version]:
    """Yield versions of which at least one is within the bounds when any version is.

    The bounds are ends of intervals; what fulfils all of them is, or is just above, one of these ends. One
    more than there are exclusions of each kind, since an exclusion takes one of them away.
    """
    from packaging.version import Version

    yield Version("0")
    bounds = [Version(one.version.removesuffix(".*")) for one in specifiers]
    for bound in sorted(bounds):
        yield bound
        yield from map(Version, _just_above(bound, len(bounds) + 1))


def _just_above(bound: Version, count: int) -> Iterator[str]:
    release = f"{bound.epoch}!" + ".".join(map(str, bound.release))
    # Above all that begins as the bound does, which != 1.2.* excludes.
    following = f"{bound.epoch}!" + ".".join(map(str, (*bound.release[:-1], bound.release[-1] + 1)))
    yield from (f"{following}.dev0", following)
    depths = (0, 1, 6)
    for number, depth in itertools.product(range(1, count + 1), depths):
        yield f"{release}{'.0' * depth}.{number}"
    for number in range(count + 1):
        yield f"{release}.dev{number}"
        yield f"{release}.post{number}"
        yield f"{release}.post{(bound.post or 0) + number + 1}"
        yield f"{release}.dev{(bound.dev or 0) + number + 1}"
    if bound.pre is not None:
        kind, last = bound.pre
        for number in range(1, count + 1):
            yield f"{release}{kind}{last + number}"
            yield f"{release}{kind}{last}.post{number}"
            yield f"{release}{kind}{last}.dev{(bound.dev or 0) + number}"
        yield release
        yield from (f"{release}{other}0" for other in ("a", "b", "rc"))


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
