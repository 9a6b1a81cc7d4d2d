"""Archives in this process: loaded as on a worker, shown as they were published, and gone afterwards."""

from __future__ import annotations

import linecache
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from tests.support.deployment import Deployment

SCRIPT = """
import aqueduct_provider.sdk as aq
import prices

@aq.op(requirements=[], file_dependencies=["prices.py"], outputs=["price"])
def price(rows):
    import prices
    if rows < 0:
        raise ValueError(prices.WORD)
    return prices.WORD
"""


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, **words: str) -> Any:
    """Import the operator of a script and its module, as a user's project has them."""
    (folder / "prices.py").write_text(f"WORD = {words['word']!r}\n")
    (folder / "shop.py").write_text(SCRIPT)
    monkeypatch.syspath_prepend(str(folder))
    for name in ("shop", "prices"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import shop  # type: ignore[import-not-found]

    return shop.price


@pytest.fixture
def ran(made: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> aq.Run:
    """A run whose operator uses a module of the project, which has changed since."""
    project = tmp_path / "project"
    project.mkdir()
    price = load(project, monkeypatch, word="old")
    made.publish(artifacts=[price(made.client.create_param("rows", 1))])
    run = made.run(rows=-1)
    (project / "prices.py").write_text("WORD = 'new'\n")
    monkeypatch.delitem(sys.modules, "prices")
    import prices  # type: ignore[import-not-found]

    assert prices.WORD == "new"
    (project / "shop.py").write_text("# Another text.\n" * 20)
    linecache.checkcache()
    return run


def test_the_published_modules_are_used_and_the_process_keeps_its_own(ran: aq.Run) -> None:
    before = dict(sys.modules)
    path, finders, folder = list(sys.path), list(sys.meta_path), Path.cwd()
    with pytest.raises(ValueError, match="old"):
        ran.replay("price")
    assert sys.modules["prices"].WORD == "new"
    assert sys.modules["__main__"] is before["__main__"]
    assert "model" not in sys.modules
    assert (sys.path, sys.meta_path, Path.cwd()) == (path, finders, folder)


def test_the_source_that_is_shown_is_the_published_one(ran: aq.Run) -> None:
    with pytest.raises(ValueError, match="old") as caught:
        ran.replay("price")
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.name, frame.line, frame.lineno) == ("price", "raise ValueError(prices.WORD)", 9)
    assert frame.filename.startswith("<price, v1 (")
    linecache.checkcache()
    assert linecache.getline(frame.filename, 6) == "def price(rows):\n"


def test_code_of_another_python(ran: aq.Run) -> None:
    spec = ran.spec
    operators = [
        one.model_copy(update={"code": one.code.model_copy(update={"python_version": "3.5"})})
        if one.name == "price"
        else one
        for one in spec.operators
    ]
    changed = spec.model_copy(update={"operators": tuple(operators)})
    ran.pin(changed)
    with pytest.raises(AuthoringError, match=r"was published from Python 3\.5, whose code .*isolated=True"):
        ran.replay("price")


def test_a_module_that_is_not_installed_here(made: Deployment) -> None:
    @aq.op(requirements=[], outputs=["sizes"])
    def sizes(rows: int) -> int:
        import wine_cellar  # type: ignore[import-not-found]

        return int(wine_cellar.size(rows))

    made.publish(artifacts=[sizes.lazy(made.client.create_param("rows", 1))])
    run = made.run()
    with pytest.raises((AuthoringError, ModuleNotFoundError), match="wine_cellar"):
        run.replay("sizes")
