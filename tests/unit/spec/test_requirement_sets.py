"""Which requirements apply where operators run, and which contradict each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from aqueduct_provider.spec.requirement_sets import (
    THIS_PYTHON,
    applies,
    contradiction,
    is_satisfiable,
    machines,
)


@pytest.mark.parametrize(
    ("marker", "answer"),
    [
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("platform_system == 'Darwin'", False),
        ("os_name == 'nt'", False),
        ("sys_platform != 'win32' and python_version >= '3.11'", True),
        ("python_version < '3.11'", False),
        ("python_full_version >= '3.11.4'", True),
        ("python_full_version < '3.11.4'", True),
        ("platform_machine == 'aarch64'", True),
        ("platform_machine == 'AMD64'", False),
        ("implementation_name == 'pypy'", False),
        ("extra == 'test'", False),
    ],
)
def test_markers_are_judged_for_linux_and_the_functions_python(marker: str, answer: bool) -> None:
    assert applies(Requirement(f"numpy; {marker}"), "3.11") is answer


def test_an_extra_that_is_asked_for() -> None:
    assert applies(Requirement("numpy; extra == 'test'"), THIS_PYTHON, "test")
    assert applies(Requirement("numpy"), THIS_PYTHON)
    assert {one["python_version"] for one in machines("3.9")} == {"3.9"}


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (("numpy==1.0", "numpy==2.0"), (0, 1)),
        (("rich", "NumPy==1.0", "numpy>=2"), (1, 2)),
        (("foo_bar[a]==1", "Foo.Bar[b]==2"), (0, 1)),
        (("numpy>=2", "numpy", "numpy<2"), (0, 2)),
        (("numpy>2,<1",), (0,)),
        (("numpy==1.0,==2.0", "rich"), (0,)),
        (("a @ https://example.com/1.whl", "a @ https://example.com/2.whl"), (0, 1)),
        (("numpy==1.0; python_version >= '3.8'", "numpy==2.0"), (0, 1)),
    ],
)
def test_contradictions(lines: tuple[str, ...], places: tuple[int, ...]) -> None:
    for python in ("3.11", None):
        found = contradiction(lines, python)
        assert found is not None
        assert found.places == places
        assert found.name == found.name.lower()


@pytest.mark.parametrize(
    "lines",
    [
        ("numpy==1.0", "numpy<2"),
        ("numpy==1.0; python_version < '3.10'", "numpy==2.0; python_version >= '3.10'"),
        ("numpy==1.0; sys_platform == 'win32'", "numpy==2.0"),
        ("numpy==1.0; platform_machine == 'x86_64'", "numpy==2.0; platform_machine == 'aarch64'"),
        ("torch==2.1", "torch==2.1+cpu"),
        ("numpy===weird", "numpy==1"),
        ("a @ https://example.com/1.whl", "a==1"),
        ("not a requirement", "numpy"),
    ],
)
def test_what_may_hold_together(lines: tuple[str, ...]) -> None:
    for python in ("3.11", None):
        assert contradiction(lines, python) is None


def test_a_contradiction_in_one_version_of_python() -> None:
    lines = ("numpy==1.0; python_version >= '3.12'", "numpy==2.0")
    assert contradiction(lines, "3.11") is None
    assert contradiction(lines, "3.12") is not None
    # Which it will be is not known: there is one in which they hold.
    assert contradiction(lines, None) is None


VERSIONS = [
    f"{release}{end}"
    for release in ("0", "1", "1.0", "1.2", "1.2.1", "1.3", "2.0", "1!0")
    for end in ("", ".dev1", "a1", "a2.dev1", "rc1", "rc1.post1", ".post0", ".post2")
]


@st.composite
def specifiers(draw: st.DrawFn) -> SpecifierSet:
    parts = []
    for version in draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=4)):
        operator = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]))
        if operator == "~=" and len(Version(version).release) < 2:
            operator = "=="
        wild = operator in ("==", "!=") and not any(one.isalpha() for one in version) and draw(st.booleans())
        parts.append(f"{operator}{version}{'.*' if wild else ''}")
    return SpecifierSet(",".join(parts))


@given(specifiers())
def test_bounds_that_a_version_fulfils_are_satisfiable(bounds: SpecifierSet) -> None:
    known = [*VERSIONS, *(f"{one}.0.0.0.1" for one in ("0", "1", "1.2", "1.2.1", "1.3", "2.0"))]
    if any(bounds.contains(version, prereleases=True) for version in known):
        assert is_satisfiable(bounds)


@given(specifiers())
def test_the_same_as_newer_versions_of_packaging_say(bounds: SpecifierSet) -> None:
    if hasattr(bounds, "is_unsatisfiable"):
        assert is_satisfiable(bounds) is not bounds.is_unsatisfiable()
