from __future__ import annotations

import functools
import linecache
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.packaging.source_text import imports_of, imports_of_text, source_of


class Model:
    def fit(self) -> None:
        """Does nothing."""


def executed(text: str, file: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "elsewhere"}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


def marked(*_: Any) -> Any:
    return lambda function: function


@marked(
    "a",
    lambda: 1,
)
@marked()
async def decorated() -> str:
    return """
at the margin
"""


def holder(number: int) -> Any:
    if number:
        for _ in range(number):

            def inner() -> int:
                # The last line is a comment's.
                return number

        return inner
    try:
        raise ValueError
    except ValueError:
        return [
            1,
            lambda: (
                number,
                2,
            ),
        ][1]


first, second = lambda: 1, lambda: 2


def test_of_functions_and_classes() -> None:
    assert source_of(Model).startswith("class Model:\n    def fit")
    assert source_of(Model.fit).startswith("    def fit(self)")
    assert source_of(Model().fit) == source_of(Model.fit)


def test_of_functions_in_others_and_under_decorators() -> None:
    text = source_of(decorated)
    assert text.startswith('@marked(\n    "a",')
    assert text.endswith('at the margin\n"""\n')
    assert source_of(holder(2)).strip().startswith("def inner()")
    assert source_of(holder(2)).endswith("return number\n")


def test_of_a_lambda_it_is_the_statement() -> None:
    assert source_of(holder(0)).strip().startswith("return [\n")
    assert source_of(holder(0)).endswith("][1]\n")
    assert source_of(second) == source_of(first) == "first, second = lambda: 1, lambda: 2\n"


@pytest.mark.parametrize("value", [len, int, 3, executed("def f(): pass", "<string>")])
def test_of_what_has_none(value: object) -> None:
    assert source_of(value) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def f():\n    x = (\n",
        "def f():\n        x\n    y\n  z\n",
        "def f():\n    '''\n",
        "def g():\n    import json\n",
        "x = 1\n",
        "\0",
    ],
)
@pytest.mark.parametrize("before", ["def f():\n    import json\n", "f = lambda: 3\n"])
def test_of_a_file_that_was_changed_since(tmp_path: Path, text: str, before: str) -> None:
    file = tmp_path / "changed.py"
    file.write_text(f"\n\n{before}")
    function = executed(file.read_text(), str(file))
    assert source_of(function) == before
    file.write_text(f"\n\n{text}" if text else "")
    linecache.checkcache()
    assert source_of(function) == ""
    assert imports_of(function) == ()


def test_odd_text_gives_no_warning(tmp_path: Path) -> None:
    text = "def f():\n    import json\n    return '\\d'\n"
    file = tmp_path / "odd.py"
    file.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = executed(text, str(file))
    assert source_of(function) == text
    assert imports_of(function) == ("json",)


# --- imports


def plain() -> Any:
    import json
    import xml.dom.minidom as dom
    from decimal import Decimal, localcontext

    return json, dom, Decimal, localcontext


def nested() -> Any:
    def inner() -> Any:
        if plain():
            import json
        return json

    return inner


def guarded() -> Any:
    try:
        import sklearn
    except ImportError:
        sklearn = None
    try:
        pass
    finally:
        import scipy
    return sklearn, scipy


def none() -> Any:
    return [number + 1 for number in range(3)]


class Holder:
    def method(self) -> Any:
        text = """
not indented
"""
        import json

        return json, text


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plain, ("json", "xml.dom.minidom", "decimal")),
        (nested, ("json",)),
        (guarded, ()),
        (none, ()),
        (Holder.method, ("json",)),
    ],
)
def test_imports_in_a_body(function: Any, expected: tuple[str, ...]) -> None:
    assert imports_of(function) == expected


def test_without_source_text_nothing_is_found() -> None:
    namespace: dict[str, Any] = {}
    exec("def f():\n    import json", namespace)
    assert imports_of(namespace["f"]) == ()


def test_a_wrapper_has_imports_of_its_own() -> None:
    def decorator(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper() -> Any:
            import fractions

            return function(fractions)

        return wrapper

    assert imports_of(decorator(plain)) == ("fractions",)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], types.FunctionType]:
    """A function ``f`` of a file, in a package."""

    def write(text: str, package: str) -> types.FunctionType:
        file = tmp_path / "written.py"
        file.write_text(text)
        namespace: dict[str, Any] = {"__name__": f"{package}.written", "__package__": package}
        exec(compile(text, str(file), "exec"), namespace)
        found: types.FunctionType = namespace["f"]
        return found

    return write


def test_relative_imports_have_their_package(written: Callable[[str, str], types.FunctionType]) -> None:
    lines = [
        "def f():",
        "from . import one",
        "from .two import x",
        "from ..three import y",
        "from .... import z",
    ]
    found = imports_of(written("\n    ".join(lines), "top.sub"))
    assert found == ("top.sub", "top.sub.two", "top.three")


def test_text_that_is_no_python_says_nothing(
    written: Callable[[str, str], types.FunctionType], tmp_path: Path
) -> None:
    function = written("def f():\n    import json", "top")
    (tmp_path / "written.py").write_text("def f():\n    import json (\n")
    assert imports_of(function) == ()


def test_imports_of_a_modules_text() -> None:
    text = """
from __future__ import annotations
import json, os.path
from typing import TYPE_CHECKING
from . import sibling
if TYPE_CHECKING:
    import pandas
try:
    import tomllib
except ImportError:
    import tomli
class A:
    import fractions
"""
    assert imports_of_text(text, "top") == ("__future__", "json", "os.path", "typing", "top", "fractions")
    assert imports_of_text("def broken(", "") == ()
    assert imports_of_text("\0", "") == ()
