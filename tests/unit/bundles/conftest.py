"""A bundle's folder, a folder of specs, and what Airflow would make of the stubs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from aqueduct_provider.bundles import latest
from aqueduct_provider.bundles.source import BundleFolder, keep_source
from tests.support.example_specs import FLOW_ID, native_document

Write = Callable[[str, Any], Path]


def flow(dag_id: str, **overrides: Any) -> dict[str, Any]:
    return native_document(dag_id=dag_id, flow={"id": FLOW_ID, "name": dag_id}, **overrides)


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder of specs."""
    path = tmp_path / "specs"
    path.mkdir()
    return path


@pytest.fixture
def write(specs: Path) -> Write:
    """Write a document, or a text, to a file of the folder."""

    def write_file(name: str, content: Any) -> Path:
        path = specs / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_file


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The folder of a bundle."""
    path = tmp_path / "bundle"
    path.mkdir()
    return path


class Bundle:
    """A bundle without Airflow: look, show, and what was shown before."""

    def __init__(self, specs: Path, base: Path) -> None:
        self.source, self.base = BundleFolder(str(specs)), base

    def refresh(self) -> latest.BundleState:
        found = self.source.specs(self.base)
        keep_source(self.base, self.source, found.origin)
        before = latest.state_of(self.base)
        return latest.write_stubs(latest.scan(found, self.base, before), self.base, before)

    def load(self, stub: Path) -> dict[str, Any]:
        """What Airflow finds in a stub, whose compiled form Python keeps."""
        loader = SourceFileLoader("stub", str(stub))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "dont_write_bytecode", False)
            found = vars(module := ModuleType("stub", None))
            module.__file__ = str(stub)
            exec(loader.get_code("stub"), found)
        return {name: value for name, value in found.items() if hasattr(value, "dag_id")}

    @property
    def stubs(self) -> dict[str, Path]:
        return {path.name: path for path in (self.base / "tracking").iterdir() if path.is_file()}

    def run(self, stub: Path) -> dict[str, Any]:
        """What Airflow finds in a stub."""
        found: dict[str, Any] = {"__file__": str(stub), "__name__": "stub"}
        exec(compile(stub.read_text(), str(stub), "exec"), found)
        return {name: value for name, value in found.items() if hasattr(value, "dag_id")}


@pytest.fixture
def bundle(specs: Path, base: Path) -> Bundle:
    """The bundle of the folder of specs."""
    return Bundle(specs, base)


@pytest.fixture
def connect(
    s3_server: str, bucket: str, credentials_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Define the connection ``team``, with changes; S3 that is away is not asked again."""
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_MAX_ATTEMPTS", "1")

    def define(**changes: str) -> None:
        extra = {"bucket": bucket, "region": "us-east-1", "credentials_path": str(credentials_file)}
        value = {"conn_type": "aqueduct", "extra": {**extra, "endpoint_url": s3_server, **changes}}
        monkeypatch.setenv("AIRFLOW_CONN_TEAM", json.dumps(value))

    define()
    return define
