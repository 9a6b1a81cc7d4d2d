"""A version as users see it: its facts, and the source of its operators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.versions.version import Version, diff_versions
from aqueduct_provider.spec.loader import parse
from tests.support.composed_flows import ComposedFlows
from tests.support.example_specs import native_document

ID = "7d49f3c4-58c1-4f7e-8a3e-6c1f2b5d4e90"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def add(rows: int) -> int:
    return rows + 2


def version(flows: ComposedFlows, number: int | None = 12, **fields: Any) -> Version:
    document = native_document(version={"id": ID, **fields})
    return Version(flows.store, parse(json.dumps(document).encode(), "flow.json"), number)


@pytest.fixture
def flows(tmp_path: Path) -> ComposedFlows:
    return ComposedFlows(tmp_path)


@pytest.fixture
def made(flows: ComposedFlows) -> Version:
    rows = artifact_for(parameter_node("rows", 3, "", implicit=False))
    return Version(flows.store, flows.compose(aq.op("adds", requirements=[])(add).lazy(rows)), 1)


def test_what_it_says(flows: ComposedFlows) -> None:
    moment = "2026-01-31T12:00:00+00:00"
    git = {"commit": COMMIT, "clean": True}
    made = version(
        flows, created_at=moment, message="Fix it", published_by="ada", git=git, restores=3, number=12
    )
    assert (made.id, made.label, made.number, str(made)) == (ID, "v12", 12, "v12 (7d49f3c4)")
    assert (made.message, made.published_by, made.restores) == ("Fix it", "ada", 3)
    assert made.created_at is not None
    assert made.created_at.isoformat() == moment
    assert made.git is not None
    assert (made.git.commit, made.git.clean) == (COMMIT, True)
    assert repr(made) == "<Version v12 (7d49f3c4), 2026-01-31 12:00 by ada: Fix it>"


def test_what_is_not_known(flows: ComposedFlows) -> None:
    made = version(flows, None)
    assert (made.label, str(made)) == ("7d49f3c4", "version 7d49f3c4")
    assert repr(made) == "<Version version 7d49f3c4>"
    assert (made.created_at, made.git, made.changes) == (None, None, None)


def test_what_others_wrote_does_not_steer_a_terminal(flows: ComposedFlows) -> None:
    made = version(flows, message="\x1b]0;owned\x07\u202e", published_by="a\x1b[2J")
    assert repr(made) == (f"<Version v12 ({ID[:8]}) by a\\x1b[2J: \\x1b]0;owned\\x07\\u202e>")


def test_the_source_of_an_operator(made: Version) -> None:
    assert made.source("adds") == "def add(rows: int) -> int:\n    return rows + 2\n"


def test_modules_that_came_along_are_part_of_it(flows: ComposedFlows, tmp_path: Path) -> None:
    from tests.support.function_archives import function_in

    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "help_of_versions.py").write_text("amount = 2\n")
    function = function_in(folder, "def churn(table):\n    return table\n")
    operator = aq.op("churn", requirements=[], file_dependencies=["help_of_versions.py"])(function)
    table = artifact_for(parameter_node("table", 3, "", implicit=False))
    made = Version(flows.store, flows.compose(operator.lazy(table)), 1)
    assert made.source("churn") == (
        "# --- churn.py\ndef churn(table):\n    return table\n\n# --- help_of_versions.py\namount = 2\n"
    )


def test_reading_it_unpickles_nothing(flows: ComposedFlows, tmp_path: Path) -> None:
    mark = tmp_path / "unpickled"

    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (mark,)

    trap = Trap()

    def uses(rows: int) -> int:
        return rows if trap else 0

    rows = artifact_for(parameter_node("rows", 3, "", implicit=False))
    spec = flows.compose(aq.op("uses", requirements=[])(uses).lazy(rows))
    mark.unlink(missing_ok=True)
    made = Version(flows.store, spec, 1)
    assert "return rows if trap" in made.source("uses")
    assert diff_versions(made, made).is_empty
    assert not mark.exists()


def test_what_has_no_source(made: Version) -> None:
    with pytest.raises(NotFound, match=r"^v1 \(.{8}\) has no operator 'add'\. Did you mean 'adds'\?$"):
        made.source("add")
    with pytest.raises(NotFound, match=r"'rows' of v1 .* has no code of its own: it is of the type 'param'"):
        made.source("rows")
    (key,) = made.store.list("functions/")
    made.store.put(key, b"other")
    with pytest.raises(NotFound, match=r"source of 'adds' of v1 .* cannot be read: .* was changed after"):
        made.source("adds")
