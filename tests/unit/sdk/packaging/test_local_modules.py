from __future__ import annotations

import subprocess
import sys
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
import pytest

from aqueduct_provider.sdk.packaging.local_modules import (
    OWN,
    install_folders,
    local_modules,
    origin_of,
    pickled_by_value,
)
from tests.support.installed_distributions import install
from tests.support.user_projects import ROOT

LIST = """
import sys
sys.path.insert(0, sys.argv[1])
import json, packaging, helpers, project.sub, loose.module, statistics
import aqueduct_provider.sdk.authoring.presets
from aqueduct_provider.sdk.packaging.local_modules import local_modules, origin_of
print(*sorted(local_modules()))
print(*map(origin_of, sys.argv[2:]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (
        "helpers.py",
        "project/__init__.py",
        "project/sub.py",
        "loose/module.py",
        "statistics.py",
        "alone.py",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


@pytest.fixture
def registry() -> Iterator[set[str]]:
    """The modules that are registered with cloudpickle; restored."""
    before = cloudpickle.cloudpickle.list_registry_pickle_by_value()
    yield before
    assert cloudpickle.cloudpickle.list_registry_pickle_by_value() == before


def listed(folder: Path, *names: str) -> list[list[str]]:
    command = [sys.executable, "-c", LIST, folder, *names]
    text = subprocess.check_output(command, text=True, env={"PYTHONPATH": str(ROOT)}, cwd=folder.parent)
    return [line.split() for line in text.splitlines()]


def test_files_beside_the_script_are_local_and_nothing_else(folder: Path) -> None:
    names = ["helpers", "alone", "statistics", "json", "sys", "zipfile", "packaging", "cloudpickle", "pytest"]
    modules, origins = listed(folder, *names, "no_such_module", "loose", "project")
    own = ["aqueduct_provider.sdk.authoring.presets"]
    assert modules == [*own, "helpers", "loose", "loose.module", "project", "project.sub", "statistics"]
    expected = (
        "local local local standard standard standard installed installed installed unknown local local"
    )
    assert origins == expected.split()


def test_packages_that_pip_installed_beside_the_script_are_installed(folder: Path) -> None:
    install(folder, "acme", top_level="helpers")
    modules, origins = listed(folder, "helpers", "alone")
    assert "helpers" not in modules
    assert {"project", "project.sub", "statistics"} <= set(modules)
    assert origins == ["installed", "local"]


def test_of_this_package_only_what_flows_are_made_of_is_local() -> None:
    import aqueduct_provider.sdk.authoring.calls
    import aqueduct_provider.sdk.authoring.presets

    ours = {name for name in local_modules() if name.startswith("aqueduct_provider")}
    assert ours <= set(OWN)
    assert {
        aqueduct_provider.sdk.authoring.presets.__name__,
        aqueduct_provider.sdk.authoring.calls.__name__,
    } <= ours


def test_this_test_is_local_and_modules_that_come_later_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert __name__ in local_modules()
    later = types.ModuleType("later")
    later.__file__ = "/project/later.py"
    assert "later" not in local_modules()
    monkeypatch.setitem(sys.modules, "later", later)
    assert "later" in local_modules()


def test_odd_entries_of_the_modules_table_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lazy(types.ModuleType):
        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"{name} was looked up")

    renamed = types.ModuleType("another_name")
    renamed.__file__ = "/project/renamed.py"
    for name, module in {"gone": None, "number": 3, "lazy": Lazy("lazy"), "renamed": renamed}.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert not {"gone", "number", "lazy", "renamed", "another_name"} & set(local_modules())
    assert origin_of("lazy") == "unknown"


def test_folders_of_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, project = tmp_path / "target", tmp_path / "project"
    (target / "six-1.17.0.dist-info").mkdir(parents=True)
    project.mkdir()
    installed = sysconfig.get_paths()["purelib"]
    monkeypatch.setattr(sys, "path", ["", str(project), installed, str(target), str(tmp_path / "missing")])
    assert install_folders() == [installed, str(target)]


def test_registered_within_and_as_before_afterwards(registry: set[str]) -> None:
    with pickled_by_value([__name__, "no_such_module"]):
        assert cloudpickle.cloudpickle.list_registry_pickle_by_value() == registry | {__name__}
    with pytest.raises(ValueError, match="inner"), pickled_by_value([__name__]):
        raise ValueError("inner")
    with pickled_by_value([__name__]), pickled_by_value([__name__]):
        pass


def test_what_the_user_registered_stays(registry: set[str]) -> None:
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        with pickled_by_value([__name__]):
            pass
        assert __name__ in cloudpickle.cloudpickle.list_registry_pickle_by_value()
        # Unregistered by the user meanwhile.
        cloudpickle.unregister_pickle_by_value(module)
        with pickled_by_value([__name__]):
            cloudpickle.unregister_pickle_by_value(module)
        cloudpickle.register_pickle_by_value(module)
    finally:
        cloudpickle.unregister_pickle_by_value(module)
