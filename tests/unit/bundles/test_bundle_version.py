from __future__ import annotations

import pytest

from aqueduct_provider.bundles.bundle_version import SpecFile, Version
from aqueduct_provider.errors import IntegrityError

A, B = "a" * 64, "b" * 64


def test_the_id_is_that_of_names_and_contents() -> None:
    version = Version({"x.json": SpecFile(A, "x"), "y.json": SpecFile(B, "y")})
    assert version.id == Version(dict(reversed(version.files.items()))).id
    assert len(version.id) == 64
    others = [
        Version({"x.json": SpecFile(A, "x")}),
        Version({"x.json": SpecFile(B, "x"), "y.json": SpecFile(A, "y")}),
        Version({"z.json": SpecFile(A, "x"), "y.json": SpecFile(B, "y")}),
        Version({"x.json": SpecFile("", problem="gone"), "y.json": SpecFile(B, "y")}),
        Version({}),
    ]
    assert len({version.id, *(other.id for other in others)}) == 6


def test_names_of_any_bytes() -> None:
    version = Version({"\udcff.json": SpecFile(A, "x")})
    assert Version.from_json(version.to_json(), version.id) == version


def test_of_two_files_with_one_dag_id_one_wins() -> None:
    files = {"b.json": SpecFile(A, "x"), "a.json": SpecFile(A, "x"), "y.json": SpecFile(A, "y")}
    assert Version(files).holders() == {"x": "a.json", "y": "y.json"}
    assert Version(files).holder("x") == "a.json"
    named = Version(files | {"x.json": SpecFile(B, "x")})
    assert named.holder("x") == named.holders()["x"] == "x.json"
    assert named.holder("nobody") == ""


def test_what_was_stored_is_verified() -> None:
    version = Version({"x.json": SpecFile(A, "x", "")})
    assert Version.from_json(version.to_json(), version.id) == version
    with pytest.raises(IntegrityError, match="changed by hand"):
        Version.from_json(version.to_json().replace(A.encode(), B.encode()), version.id)
    for damaged in (b"", b"[]", b"{}", b'{"files": {"x": [1, 2, 3, 4]}}', b'{"files": 1}'):
        with pytest.raises(IntegrityError, match="cannot be read"):
            Version.from_json(damaged, version.id)
