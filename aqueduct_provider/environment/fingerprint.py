"""Identify an environment by the sha256 of its requirements and Python version.

In: requirement lines as users write them. Out: an :class:`EnvironmentSpec` in one spelling, its fingerprint,
and what this worker's own Python lacks of it. Runs no process and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import site
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from aqueduct_provider.errors import RequirementsError
from aqueduct_provider.spec.requirement_lines import parsed, problem_of, requirement_lines
from aqueduct_provider.spec.url_credentials import without_credentials

# Raised when the same document must no longer mean the same environment.
VERSION = 1
_LONGEST_SHOWN = 500

WORKER_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class EnvironmentSpec:
    """An environment that is asked for.

    :param requirements: PEP 508 requirements; those of :func:`normalise` make equal environments equal.
    :param python_version: minor version, ``3.11``.
    :param constraints: bounds, as PEP 508 requirements, for packages that are installed for another reason.
    """

    requirements: tuple[str, ...]
    python_version: str
    constraints: tuple[str, ...] = ()

    def normalised(self) -> EnvironmentSpec:
        """Return the same in one spelling.

        :raises RequirementsError: see :func:`normalise` and :func:`parse_python_version`.
        """
        return EnvironmentSpec(
            normalise(self.requirements),
            parse_python_version(self.python_version),
            normalise(self.constraints),
        )


@dataclass(frozen=True)
class Unsatisfied:
    """A requirement that the worker's own Python does not satisfy.

    :param requirement: in PEP 508.
    :param installed: the version that is there instead; None: the package is missing.
    """

    requirement: str
    installed: str | None

    def __str__(self) -> str:
        return f"{self.requirement} ({f'has {self.installed}' if self.installed else 'not installed'})"


def parse_requirements_file(text: str) -> tuple[str, ...]:
    """Return the requirements that a ``requirements.txt`` holds, normalised.

    :raises RequirementsError: see :func:`normalise`; the message names the line.
    """
    return normalise(text.removeprefix("\ufeff").splitlines())


def normalise(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return requirement lines in one spelling: without comments, sorted, each once.

    :param requirements: lines of a requirements file; comments, blank lines and lines that are continued are
        allowed.
    :raises RequirementsError: a line is an option (``-r``, ``--hash``, ...), a relative path or not a PEP 508
        requirement.
    """
    return tuple(sorted({_normalise_line(*line) for line in requirement_lines(requirements)}))


def parse_python_version(text: str) -> str:
    """Return the minor version of ``3.11``, ``3.11.7`` or ``Python 3.11.7``.

    :raises RequirementsError: there is none in it.
    """
    found = re.fullmatch(r"(?:[Pp]ython\s*)?(3\.\d+)(?:\.\d+\S*)?", text.strip())
    if found is None:
        raise RequirementsError(f"{text[:50]!r} is not a Python version; write it as 3.11.")
    return found[1]


def fingerprint(spec: EnvironmentSpec, platform: str) -> str:
    """Return the name of the environment: a sha256 in hex.

    :param platform: what binary packages are chosen by, such as ``linux-x86_64``.
    """
    document: dict[str, Any] = {
        "version": VERSION,
        "requirements": list(spec.requirements),
        "python_version": spec.python_version,
        "platform": platform,
    }
    if spec.constraints:
        document["constraints"] = list(spec.constraints)
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=256)
def satisfied_by_worker(spec: EnvironmentSpec) -> bool:
    """Check whether this worker's own Python has the version, every requirement, and nothing out of bounds.

    Cached, for what is installed does not change while a process runs.
    """
    return spec.python_version == WORKER_PYTHON and not any(_unsatisfied(spec.requirements, spec.constraints))


def unsatisfied(requirements: Iterable[str], constraints: Iterable[str] = ()) -> tuple[Unsatisfied, ...]:
    """Return what this worker's own Python lacks, or has in a version that is out of bounds.

    Looks where ``python -I`` looks: not in ``PYTHONPATH``, not in the user's site-packages. Of extras, their
    dependencies are checked too. A requirement that names a URL counts as unsatisfied, for what is installed
    may come from elsewhere.
    """
    return tuple(dict.fromkeys(_unsatisfied(requirements, constraints)))


def _unsatisfied(requirements: Iterable[str], constraints: Iterable[str]) -> Iterator[Unsatisfied]:
    wanted = list(map(Requirement, requirements))
    yield from _lacking(wanted)
    if bounds := list(map(Requirement, constraints)):
        names = _with_dependencies(wanted)
        outside = _lacking(bound for bound in bounds if canonicalize_name(bound.name) in names)
        yield from (item for item in outside if item.installed is not None)


def _with_dependencies(requirements: Iterable[Requirement]) -> set[str]:
    """Return the packages of requirements and, as far as they are installed, all that those need."""
    names: set[str] = set()
    waiting = [requirement for requirement in requirements if _applies(requirement, "")]
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name not in names:
            names.add(name)
            found = _installed(name)
            needs = map(Requirement, (found.requires or ()) if found else ())
            waiting += [need for need in needs if _applies(need, "")]
    return names


def _normalise_line(number: int, line: str) -> str:
    requirement = parsed(line)
    # A file of this worker is not refused here: what was published may rely on wheels that every worker has.
    if requirement is None or (problem_of(line) and not (requirement.url or "").startswith("file:///")):
        # What is shortened may end within a password, which could not be found in the rest.
        shown = without_credentials(line) if len(line) <= _LONGEST_SHOWN else "..."
        raise RequirementsError(f"Requirement line {number}: {shown!r} {problem_of(line)}.")
    requirement = Requirement(line)
    requirement.name = canonicalize_name(requirement.name)
    requirement.extras = {canonicalize_name(extra) for extra in requirement.extras}
    return str(requirement)


def _lacking(
    requirements: Iterable[Requirement], extra: str = "", seen: frozenset[str] = frozenset()
) -> Iterator[Unsatisfied]:
    for requirement in requirements:
        if str(requirement) in seen or not _applies(requirement, extra):
            continue
        found = _installed(requirement.name)
        version = _version(found) if found else None
        if found is None or version is None or not _accepts(requirement, version):
            yield Unsatisfied(str(requirement), version)
            continue
        for name in sorted(requirement.extras):
            yield from _lacking(_needs_of(found, name), name, seen | {str(requirement)})


def _accepts(requirement: Requirement, version: str) -> bool:
    return requirement.url is None and requirement.specifier.contains(version, prereleases=True)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _needs_of(found: Distribution, extra: str) -> Iterator[Requirement]:
    """Yield the dependencies that apply only with an extra."""
    for requirement in map(Requirement, found.requires or ()):
        if not _applies(requirement, "") and _applies(requirement, extra):
            yield requirement


def _version(found: Distribution) -> str | None:
    # Distribution.version parses the whole file, long description included: five times slower.
    header = re.search(r"^Version:\s*(\S+)", found.read_text("METADATA") or "", re.MULTILINE)
    return header[1] if header else found.version


def _installed(name: str) -> Distribution | None:
    return next(iter(Distribution.discover(name=name, path=site.getsitepackages())), None)
