from __future__ import annotations

import pytest

from aqueduct_provider.bundles.bundle_version import BundleVersion, SpecFile
from aqueduct_provider.errors import IntegrityError

A, B = "a" * 64, "b" * 64


def test_the_id_is_that_of_names_and_contents() -> None:
    version = BundleVersion({"x.json": SpecFile(A, "x"), "y.json": SpecFile(B, "y")})
    assert version.id == BundleVersion(dict(reversed(version.files.items()))).id
    assert len(version.id) == 64
    others = [
        BundleVersion({"x.json": SpecFile(A, "x")}),
        BundleVersion({"x.json": SpecFile(B, "x"), "y.json": SpecFile(A, "y")}),
        BundleVersion({"z.json": SpecFile(A, "x"), "y.json": SpecFile(B, "y")}),
        BundleVersion({"x.json": SpecFile("", problem="gone"), "y.json": SpecFile(B, "y")}),
        BundleVersion({}),
    ]
    assert len({version.id, *(other.id for other in others)}) == 6


def test_names_of_any_bytes() -> None:
    version = BundleVersion({"\udcff.json": SpecFile(A, "x")})
    assert BundleVersion.from_json(version.to_json(), version.id) == version


def test_of_two_files_with_one_dag_id_one_wins() -> None:
    files = {"b.json": SpecFile(A, "x"), "a.json": SpecFile(A, "x"), "y.json": SpecFile(A, "y")}
    assert BundleVersion(files).holders() == {"x": "a.json", "y": "y.json"}
    assert BundleVersion(files).holder("x") == "a.json"
    named = BundleVersion(files | {"x.json": SpecFile(B, "x")})
    assert named.holder("x") == named.holders()["x"] == "x.json"
    assert named.holder("nobody") == ""


def test_what_was_stored_is_verified() -> None:
    version = BundleVersion({"x.json": SpecFile(A, "x", "")})
    assert BundleVersion.from_json(version.to_json(), version.id) == version
    with pytest.raises(IntegrityError, match="changed by hand"):
        BundleVersion.from_json(version.to_json().replace(A.encode(), B.encode()), version.id)
    for damaged in (b"", b"[]", b"{}", b'{"files": {"x": [1, 2, 3, 4]}}', b'{"files": 1}'):
        with pytest.raises(IntegrityError, match="cannot be read"):
            BundleVersion.from_json(damaged, version.id)
