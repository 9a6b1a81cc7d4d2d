from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from aqueduct_provider.runner.describe_output import describe_output


class Model:
    def __repr__(self) -> str:
        return "Model(depth=3)"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "content"
    file.write_bytes(b"x")
    return str(file)


@pytest.mark.parametrize(
    ("value", "kind", "glance"),
    [
        (0.25, "numeric", {"value": 0.25}),
        (np.int64(3), "numeric", {"value": 3}),
        (np.float32(0.5), "numeric", {"value": 0.5}),
        (float("nan"), "numeric", {"value": "nan"}),
        (10**50, "numeric", {}),
        (True, "boolean", {"value": True}),
        (np.bool_(False), "boolean", {"value": False}),
        ("short", "string", {"value": "short"}),
        ("x" * 201, "string", {"characters": 201}),
        ("<!DOCTYPE html><p>" + "x" * 200, "string", {"characters": 218, "format": "html"}),
        ("## Report\n", "string", {"value": "## Report\n", "format": "markdown"}),
        ('{"a": 1}', "json", {"value": '{"a": 1}'}),
        ({"a": 1}, "dictionary", {"items": 1}),
        ([1, 2], "list", {"items": 2}),
        ((), "tuple", {"items": 0}),
        (b"abc", "bytes", {}),
        (Image.new("RGB", (4, 3)), "image", {"width": 4, "height": 3}),
        (Model(), "picklable", {"class": "Model"}),
        (pd.DataFrame({"a": [1, 2]}), "table", {"rows": 2, "columns": 1}),
    ],
    ids=repr,
)
def test_glances(path: str, value: Any, kind: str, glance: dict[str, Any]) -> None:
    assert describe_output(value, kind, path, previews=False) == (glance, None)


@pytest.mark.parametrize(
    ("value", "kind", "preview"),
    [
        ("some text", "string", {"kind": "text", "text": "some text", "cut": False}),
        ("x" * 30_000, "string", {"kind": "text", "text": "x" * 20_000, "cut": True}),
        ("lone \ud800", "string", {"kind": "text", "text": "lone ?", "cut": False}),
        ('{"a":1}', "json", {"kind": "json", "text": '{\n  "a": 1\n}', "cut": False}),
        ([1], "list", {"kind": "json", "text": "[\n  1\n]", "cut": False}),
        ([Model()], "list", {"kind": "repr", "text": "[Model(depth=3)]", "cut": False}),
        (Model(), "picklable", {"kind": "repr", "text": "Model(depth=3)", "cut": False}),
        (Image.new("L", (4, 3)), "image", {"kind": "image", "width": 4, "height": 3}),
        (1.5, "numeric", None),
        (b"x", "bytes", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_previews(path: str, value: Any, kind: str, preview: Any) -> None:
    assert describe_output(value, kind, path, previews=True)[1] == preview


def test_the_repr_of_a_large_object_is_not_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as opened:
        opened.truncate(30_000_000)
    assert describe_output(Model(), "picklable", str(file), previews=True) == ({"class": "Model"}, None)


def test_of_a_long_collection_the_beginning_is_shown(path: str) -> None:
    _, preview = describe_output(list(range(10**6)), "list", path, previews=True)
    assert preview is not None
    assert preview["cut"]
    assert preview["text"].startswith("[\n  0,\n  1,")
    assert len(preview["text"]) == 20_000


def test_what_cannot_be_described_fails_nothing(path: str) -> None:
    assert describe_output(Broken(), "picklable", path, previews=True) == ({"class": "Broken"}, None)
    assert describe_output(object(), "table", path, previews=True) == ({}, None)
