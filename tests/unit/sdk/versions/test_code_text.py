"""Code of two versions compared: archives that are made by hand."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import pytest

from aqueduct_provider.artifacts.function_source import function_source
from aqueduct_provider.sdk.packaging import entry_file
from aqueduct_provider.sdk.versions.code_text import CodeDifference, code_difference, code_text
from aqueduct_provider.spec.models import Code
from aqueduct_provider.storage.local import LocalStore
from tests.support.flow_runs import function_zip

ENTRY = Path(entry_file.__file__).read_text("utf-8")
NAMES = ("v1", "v2")


class Archives:
    """Archives in a store."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder)
        self.read = partial(function_source, self.store)

    def code(self, entry: str = ENTRY, **files: str) -> Code:
        data = function_zip(entry, **{name.replace("__", "."): text for name, text in files.items()})
        digest = hashlib.sha256(data).hexdigest()
        self.store.put(f"{digest}.zip", data)
        return Code(key=f"{digest}.zip", sha256=digest)

    def compare(self, old: Code | None, new: Code | None) -> CodeDifference:
        return code_difference(old, new, NAMES, self.read)


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    return Archives(tmp_path)


def test_an_entry_file_that_was_tampered_with_is_compared(archives: Archives) -> None:
    old = archives.code(train__py="x = 1\n")
    new = archives.code(ENTRY + "open('owned', 'w')\n", train__py="x = 1\n")
    found = archives.compare(old, new)
    assert found.source.startswith("--- model.py  v1\n+++ model.py  v2\n")
    changed = [line for line in found.source.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["+open('owned', 'w')"]
    assert found.note == ""
    # Both have it: it is the same.
    assert archives.compare(
        new, archives.code(ENTRY + "open('owned', 'w')\n", train__py="x = 2\n")
    ).source == ("--- train.py  v1\n+++ train.py  v2\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")


def test_what_hides_behind_a_harmless_change_is_named(archives: Archives) -> None:
    old = archives.code(train__py="x = 1\n", requirements__txt="a==1\n", model__pkl="1", data__csv="1")
    source = archives.code(train__py="x = 2\n", requirements__txt="a==1\n", model__pkl="2", data__csv="2")
    found = archives.compare(old, source)
    assert found.source.endswith("-x = 1\n+x = 2\n")
    assert found.note == (
        "The text does not show all that changed: by their bytes, these differ in its archive: data.csv, "
        "model.pkl (the pickled function, with the values, helper functions and modules that it takes along)."
    )
    requirements = archives.code(
        train__py="x = 1\n", requirements__txt="a==2\n", model__pkl="1", data__csv="2"
    )
    found = archives.compare(old, requirements)
    assert found.requirements == ({"a": "a==1"}, {"a": "a==2"})
    assert found.note.endswith("these differ in its archive: data.csv.")
    only = archives.code(train__py="x = 1\n", requirements__txt="a==2\n", model__pkl="1", data__csv="1")
    assert archives.compare(old, only).note == ""


def test_a_changed_helper_module_is_shown(archives: Archives) -> None:
    old, new = (archives.code(train__py="import helpers\n", helpers__py=f"x = {n}\n") for n in (1, 2))
    assert archives.compare(old, new).source.startswith("--- helpers.py  v1\n")


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1c"])
def test_code_does_not_pass_as_a_comment_that_was_there(archives: Archives, mark: str) -> None:
    # To str.splitlines(), the second line was there before.
    old = archives.code(train__py=f"#{mark}import os\n")
    new = archives.code(train__py="#\nimport os\n")
    assert archives.compare(old, new).source.endswith(f"-#{mark}import os\n+#\n+import os\n")


def test_line_ends_that_differ_are_named(archives: Archives) -> None:
    old, new = archives.code(train__py="x = 1\n"), archives.code(train__py="x = 1\r\n")
    found = archives.compare(old, new)
    assert found.source == ""
    assert found.note.endswith("these differ in its archive: train.py.")


def test_limits_are_told(archives: Archives) -> None:
    long = "".join(f"x = {number}\n" for number in range(30_000))
    old, new = archives.code(long__py="y\n" + long), archives.code(long__py="z\n" + long)
    found = archives.compare(old, new)
    assert "-y\n+z\n" in found.source
    assert "these differ in its archive: long.py. long.py is longer than is read here." in found.note
    assert archives.compare(
        archives.code(long__py=long + "a"), archives.code(long__py=long + "b")
    ).note.startswith(
        "Its code changed, but not its text: by their bytes, these differ in its archive: long.py."
    )
    many = {f"m{number:02}__py": "x\n" for number in range(12)}
    found = archives.compare(archives.code(**many), archives.code(**{**many, "m11__py": "y\n"}))
    assert found.source == ""
    assert "archive: m11.py. 2 more files of Python are not read here." in found.note
    assert code_text(archives.code(**many), NAMES, archives.read, "+")[1] == (
        "2 more files of Python are not read here."
    )


def test_archives_that_differ_in_their_packing(archives: Archives) -> None:
    old = archives.code(train__py="x\n", data__csv="1")
    new = archives.code(data__csv="1", train__py="x\n")
    assert archives.compare(old, new).note == (
        "Its archive is packed in another way; each file in it is the same."
    )


def test_code_of_one_side(archives: Archives) -> None:
    code = archives.code(train__py="x\n")
    assert archives.compare(None, code).source.endswith("+++ train.py  v2\n@@ -0,0 +1 @@\n+x\n")
    assert archives.compare(code, None).source.endswith("+++ train.py  v2\n@@ -1 +0,0 @@\n-x\n")
    assert archives.compare(None, None) == CodeDifference()
    assert code_difference(None, code, NAMES, None) == CodeDifference()
