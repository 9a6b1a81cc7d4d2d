"""Archives in the runner's child: what the function sends to processes of its own is found there by name."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.runner.contract import FunctionCall, JobRequest, OutputSlot
from aqueduct_provider.sdk.packaging import entry_file
from tests.runner.jobs import Job
from tests.support.user_projects import Project

SHAPES = """
    import dataclasses

    @dataclasses.dataclass
    class Point:
        x: int

        def moved(self):
            return Point(self.x + 1)

    LIMIT = 5

    def limited(value):
        return min(value, LIMIT)

    def raise_limit():
        global LIMIT
        LIMIT = 50
"""
SCRIPT = """
    import enum
    import multiprocessing
    import sys
    from concurrent.futures import ProcessPoolExecutor
    from pathlib import Path

    import shapes
    from lib.deep import tools
    from shapes import Point, limited

    TABLE = {"square": lambda value: value, "of_table": None}

    class Color(enum.Enum):
        RED = 1

    class Outer:
        class Inner:
            value = 7

    def square(value):
        return value * value

    def hidden(value):
        return -value

    TABLE["hidden"] = hidden

    # A name of the runner's own.
    def main(color):
        return color.name

    def inner(_):
        return Outer.Inner()

    def pool(method, value):
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            calls = [
                (square, value), (TABLE["hidden"], value), (main, Color.RED), (limited, 9),
                (tools.doubled, value),
            ]
            found = [executor.submit(*call).result() for call in calls]
            points = [executor.submit(Point.moved, Point(1)).result(), Point(1).moved()]
            inners = executor.submit(inner, 0).result()
        with context.Pool(1) as workers:
            found += workers.map(square, [value])
        return [*found, points[0] == points[1], isinstance(inners, Outer.Inner)]

    def pools_of_joblib(value):
        from joblib import Parallel, delayed

        return [
            Parallel(2, backend=name)(delayed(call)(item) for item in (value, value))
            for name in ("loky", "multiprocessing") for call in (square, limited)
        ]

    def by_name(value):
        shapes.raise_limit()
        return [limited(value), shapes.LIMIT, sys.modules[__name__].by_name is by_name, __name__]

    def by_text(value):
        import importlib

        found = [globals()["square"](value), getattr(sys.modules[__name__], "hidden")(value)]
        return [*found, eval("square(2)"), importlib.import_module("lib.deep.tools").doubled(value)]

    def files():
        return [Path(__file__).with_name("data.csv").read_text(), tools.beside("more.csv")]

    def by_keyword(*, value):
        with ProcessPoolExecutor(1) as executor:
            return executor.submit(square, value).result()

    def returned():
        from concurrent.futures import ProcessPoolExecutor
        with ProcessPoolExecutor(1) as executor:
            return executor.submit(Point.moved, Point(1)).result()
"""
TOOLS = """
    from pathlib import Path

    def doubled(value):
        return value * 2

    def beside(name):
        return Path(__file__).with_name(name).read_text()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    made.write("shapes.py", SHAPES)
    made.write("lib/deep/tools.py", TOOLS)
    made.write("data.csv", "data")
    made.write("lib/deep/more.csv", "more")
    return made


def run(project: Project, call: str, *inputs: Any, requirements: tuple[str, ...] = ()) -> Any:
    """What the function returns in the runner's child."""
    archive = project.package(
        SCRIPT, call, name="f", requirements=requirements, files=("data.csv", "lib/deep/more.csv")
    )
    job = Job(project.folder.parent / "job")
    job.folder.mkdir()
    project.unpack(archive).rename(job.folder / "code")
    request = JobRequest(
        "function",
        inputs=[job.add_input(f"in{number}", value) for number, value in enumerate(inputs)],
        outputs=[OutputSlot("out")],
        call=FunctionCall("code", "model.py", "Function", "predict"),
    )
    return job.output(job.run(request))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_process_pools(project: Project, method: str) -> None:
    assert run(project, "pool", method, 3) == [9, -3, "RED", 5, 6, 9, True, True]


def test_joblib(project: Project) -> None:
    found = run(project, "pools_of_joblib", 3, requirements=("joblib", "numpy"))
    assert found == [[9, 9], [3, 3], [9, 9], [3, 3]]


def test_a_function_that_takes_arguments_by_name(project: Project) -> None:
    calls = "__import__('aqueduct_provider.sdk.authoring.calls', fromlist='*')"
    assert run(project, f"{calls}.by_position(by_keyword, ('value',))", 3) == 9


def test_a_module_is_one_namespace(project: Project) -> None:
    """As here, one function sees what another sets, and both find the module under its name."""
    assert run(project, "by_name", 9) == [9, 50, True, "__main__"]


def test_what_is_looked_up_by_a_text_is_there(project: Project) -> None:
    assert run(project, "by_text", 3) == [9, -3, 4, 6]


def test_files_are_found_beside_the_modules(project: Project) -> None:
    assert run(project, "files") == ["data", "more"]


def test_results_travel_by_value_after_all(project: Project) -> None:
    """A later operator does not have the module."""
    assert run(project, "returned").x == 2


def test_it_needs_nothing_but_cloudpickle_and_python_3_8() -> None:
    tree = ast.parse(Path(entry_file.__file__).read_text(), feature_version=(3, 8))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = {alias.name for node in imported for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"cloudpickle"}
