"""Versions as terminals and notebooks show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.versions.version import Version, Versions
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import native_document


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    def made(number: int, changes: tuple[str, ...] | None, **fields: Any) -> Version:
        document = native_document(version={"id": f"0000000{number}-58c1-4f7e-8a3e-6c1f2b5d4e90", **fields})
        spec = parse(json.dumps(document).encode(), "flow.json")
        return Version(LocalStore(tmp_path), spec, number, changes)

    git = {"commit": "a" * 40, "clean": False}
    return Versions(
        [
            made(4, ("changed train",), restores=1, message="Back <b>", published_by="ada"),
            made(3, (), git={**git, "clean": True}),
            made(2, ("added train", "changed the schedule"), git=git),
            made(1, None),
        ]
    )


def test_in_a_terminal(versions: Versions) -> None:
    assert str(versions).splitlines() == [
        "version  id        by   commit                 message   what changed",
        "v4       00000004  ada                         Back <b>  restored v1; changed train",
        "v3       00000003       aaaaaaaa                         nothing",
        "v2       00000002       aaaaaaaa, and changes            added train; changed the schedule",
        "v1       00000001",
    ]


def test_in_a_notebook(versions: Versions) -> None:
    html = versions._repr_html_()
    assert "Back &lt;b&gt;" in html
    assert html.count("<tr>") == 5
    assert Versions()._repr_html_() == "<div>No version is in the store.</div>"
