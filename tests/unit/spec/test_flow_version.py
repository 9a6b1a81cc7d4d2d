"""What a spec may say of its version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.flow_version import GitFacts
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import FlowVersion
from tests.support.example_specs import VERSION_ID, compiled_document, native_document

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def version(**fields: Any) -> FlowVersion:
    document = native_document(version={"id": VERSION_ID, **fields})
    return parse(json.dumps(document).encode(), "flow.json").version


def test_who_why_and_from_where() -> None:
    git = {"commit": COMMIT, "clean": False}
    found = version(number=4, message="Äpfel & Birnen", published_by="ada", git=git, restores=2)
    assert (found.number, found.message, found.published_by) == (4, "Äpfel & Birnen", "ada")
    assert (found.git, found.restores) == (GitFacts(commit=COMMIT, clean=False), 2)


@pytest.mark.parametrize("found", [version(), parse(json.dumps(compiled_document()).encode(), "x").version])
def test_versions_of_earlier_releases_say_nothing(found: FlowVersion) -> None:
    assert (found.message, found.published_by, found.git, found.restores) == ("", "", None, None)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"message": "x" * 501}, "$.version.message"),
        ({"published_by": "x" * 201}, "$.version.published_by"),
        ({"restores": 0}, "$.version.restores"),
        ({"git": {"commit": COMMIT[1:], "clean": True}}, "$.version.git.commit"),
        ({"git": {"commit": COMMIT, "clean": "yes"}}, "$.version.git.clean"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError) as caught:
        version(**fields)
    assert [problem.path for problem in caught.value.problems] == [path]
