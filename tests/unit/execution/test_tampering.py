"""Whoever can write to the bucket, or trigger runs, runs no code on a worker."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import DigestMismatch, OperatorFailed, SpecError
from aqueduct_provider.execution.function_archive import ArchiveLimits, fetch_code
from aqueduct_provider.runner.codecs import dump_pickle, encode
from aqueduct_provider.spec.models import Code, WorkflowSpec
from aqueduct_provider.spec.run_values import StoredValue, check_conf, to_conf, value_digest
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.example_specs import FLOW_ID
from tests.support.flow_runs import LocalRun, function_zip
from tests.unit.execution.conftest import Desk

VALUES = FlowLayout(FLOW_ID)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "marker"


def param_flow(desk: Desk, kind: str, default: dict[str, str] | None = None) -> WorkflowSpec:
    """A parameter, and a function that reads it."""
    return desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        {
            "task_id": "f",
            "type": "function",
            "inputs": ["out"],
            "outputs": ["read"],
            "code": desk.code("def predict(value): return 1"),
        },
        types={"out": kind},
        parameters=({"name": "n", "type": kind, "default": default or {"value": None}},),
    )


def given(desk: Desk, data: bytes, serialization: str, kind: str) -> dict[str, StoredValue]:
    """A value, as it is stored and named for a run."""
    digest = value_digest(hashlib.sha256(data).hexdigest(), serialization)
    desk.store.put(VALUES.value(digest), data)
    return {"n": StoredValue(digest, serialization, kind)}


DATA = ["numeric", "boolean", "string", "json", "bytes", "image", "table"]


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("said", ["own", "picklable"])
def test_a_trigger_that_names_a_pickle(desk: Desk, marker: Path, kind: str, said: str) -> None:
    defaults = {"numeric": 1, "boolean": True, "string": "x", "json": "[]"}
    stored = {"key": "k", "serialization_type": "bytes", "sha256": "0" * 64}
    spec = param_flow(desk, kind, {"value": defaults[kind]} if kind in defaults else stored)
    run = LocalRun(spec, desk.store, desk.folder)
    run.given = given(desk, pickle.dumps(Bomb(marker)), "pickle", kind if said == "own" else said)
    with pytest.raises(SpecError, match=r"a value (must be of type|of type)"):
        check_conf(to_conf(run.given), spec)
    with pytest.raises(OperatorFailed, match=r"The parameter's value (must be of type|of type)"):
        run.run()
    assert not marker.exists()


def test_a_trigger_that_names_a_table_with_pickles(desk: Desk, marker: Path) -> None:
    spec = param_flow(desk, "table", {"key": "k", "serialization_type": "parquet", "sha256": "0" * 64})
    frame = pandas.DataFrame({"n": [Bomb(marker)]})
    run = LocalRun(spec, desk.store, desk.folder)
    run.given = given(desk, encode(frame, "table", "parquet", dump_pickle).data, "parquet", "table")
    check_conf(to_conf(run.given), spec)
    with pytest.raises(OperatorFailed, match="The parameter's value holds a pickle, which can run code"):
        run.run()
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["untyped", "picklable"])
def test_bytes_that_are_named_as_a_pickle(desk: Desk, marker: Path, kind: str) -> None:
    spec = param_flow(desk, kind, {"key": "k", "serialization_type": "pickle", "sha256": "0" * 64})
    bomb = pickle.dumps(Bomb(marker))
    # As someone has stored it who meant bytes.
    stored = given(desk, bomb, "bytes", "bytes")["n"]
    run = LocalRun(spec, desk.store, desk.folder)
    for digest in (stored.sha256, hashlib.sha256(bomb).hexdigest()):
        desk.store.put(VALUES.value(digest), bomb)
        run.given = {"n": StoredValue(digest, "pickle", "picklable")}
        with pytest.raises(DigestMismatch):
            run.run()
    assert not marker.exists()


def test_a_pickle_needs_leave(desk: Desk, marker: Path) -> None:
    spec = param_flow(desk, "picklable", {"key": "k", "serialization_type": "pickle", "sha256": "0" * 64})
    run = LocalRun(spec, desk.store, desk.folder)
    run.given = given(desk, pickle.dumps(Bomb(marker)), "pickle", "picklable")
    with pytest.raises(SpecError, match=r"\[aqueduct\] pickled_parameters is False"):
        check_conf(to_conf(run.given), spec, pickles=False)
    # Whoever triggers and writes values/ runs code, as the page on security says.
    check_conf(to_conf(run.given), spec)
    run.run("p")
    assert marker.exists()


def replaced_value(desk: Desk, run: LocalRun) -> str:
    run.given = given(desk, pickle.dumps({1}), "pickle", "picklable")
    return VALUES.value(run.given["n"].sha256)


def replaced_default(desk: Desk, _run: LocalRun) -> str:
    return "default"


def replaced_code(desk: Desk, _run: LocalRun) -> str:
    return next(iter(desk.store.list("code/")))


def replaced_artifact(desk: Desk, run: LocalRun) -> str:
    manifest = run.run("p")
    return manifest.artifacts["out"].key


@pytest.mark.parametrize("key_of", [replaced_value, replaced_default, replaced_code, replaced_artifact])
def test_what_is_in_the_bucket_and_was_replaced(
    desk: Desk, marker: Path, key_of: Callable[[Desk, LocalRun], str]
) -> None:
    plain = pickle.dumps({1})
    desk.store.put("default", plain)
    digest = hashlib.sha256(plain).hexdigest()
    default = {"key": "default", "serialization_type": "pickle", "sha256": digest}
    run = LocalRun(param_flow(desk, "picklable", default), desk.store, desk.folder)
    desk.store.put(key_of(desk, run), pickle.dumps(Bomb(marker)))
    with pytest.raises(DigestMismatch):
        run.run(*(("f",) if key_of is replaced_artifact else ()))
    assert not marker.exists()


def test_specs_of_the_original_pin_nothing(desk: Desk) -> None:
    # As ``spec/compiled.py`` makes it, without a digest.
    code = Code.model_construct(key="code", sha256="", requirements=(), python_version="3.11")
    limits = ArchiveLimits(max_bytes=1000, max_files=10)
    for name in ("first", "second"):
        desk.store.put("code", function_zip(f"def predict(): return '{name}'"))
        found = fetch_code(desk.store, code, desk.folder / name, cache=desk.folder / "cache", limits=limits)
        assert name in (found.path / "model.py").read_text()


# --- what a load may write


@pytest.mark.parametrize(
    ("filepath", "value"),
    [
        ("specs/churn.json", ""),
        ("{where}", "specs/churn.json"),
        ("{where}/code.zip", "functions"),
        ("out/{where}", "../flows/x/values/y"),
        ("{where}", "SPECS/x"),
        ("./bundles/{where}", "x"),
    ],
)
def test_a_load_into_what_workers_run(desk: Desk, filepath: str, value: str) -> None:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["n-out"]},
        {
            "task_id": "f",
            "type": "function",
            "outputs": ["out"],
            "code": desk.code("def predict(): return b'evil'"),
        },
        {
            "task_id": "l",
            "type": "load",
            "inputs": ["n-out", "out"] if value else ["out"],
            # Another connection, which is found to lead to the same store.
            "target": {"connector": "S3", "connection_id": "lake", "filepath": filepath},
        },
        types={"n-out": "string"},
        parameters=({"name": "n", "type": "string", "default": {"value": value}},),
    )
    before = set(desk.store.list("specs/"))
    with pytest.raises(OperatorFailed, match=r"is below \w+/ of the artifact store"):
        LocalRun(spec, desk.store, desk.folder).run()
    assert set(desk.store.list("specs/")) == before


@pytest.mark.parametrize(
    "filepath", ["specs/x.json", "a/../functions/x", "flows/{n}", "/bundles/x", "Specs/{n}/x"]
)
def test_a_spec_whose_load_writes_there_is_refused(desk: Desk, filepath: str) -> None:
    parameter = {"name": "n", "type": "string", "default": {"value": "x"}}
    with pytest.raises(SpecError, match=r"operators\[1\]\.target\.filepath: is below .* of the artifact"):
        desk.flow(
            {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["n-out"]},
            {
                "task_id": "l",
                "type": "load",
                "inputs": ["n-out", "n-out"],
                "target": {"connector": "S3", "connection_id": None, "filepath": filepath},
            },
            types={"n-out": "string"},
            parameters=(parameter,),
        )
