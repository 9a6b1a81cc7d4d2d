"""Each figure of ``tools/house.py`` finds what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

# It reads imports with a linter's library, which the environment of Airflow 2.11 does not have.
house = pytest.importorskip("tools.house")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package that has every fault once."""
    folder = tmp_path / "untidy_house"
    files = {
        "__init__.py": "",
        "one/__init__.py": "",
        "one/loads.py": "class Record:\n    def load(self):\n        from untidy_house.two import loads\n",
        "two/__init__.py": "",
        "two/loads.py": "import typing\nif typing.TYPE_CHECKING:\n    import untidy_house.one.loads\n",
        "two/rows.py": '"""Stage 3, texts."""\nclass Record: ...\nclass _Reader: ...\n',
        "connectors/__init__.py": "",
        "connectors/redshift/__init__.py": '"""Redshift."""',
        "connectors/redshift/loads.py": "",
        "urls.py": '"""There is no room; what we told. It is no longer so."""\nSCHEMES = ["redshift"]\n',
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(house, "ROOT", tmp_path)
    monkeypatch.setattr(house, "PACKAGE", folder)
    monkeypatch.setattr(house, "_SYSTEMS", folder / "connectors")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


@pytest.mark.usefixtures("package")
def test_every_fault_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert house.main() == 1
    printed = capsys.readouterr().out
    assert "OVER  1 of 0  source files that mention Redshift, outside of its folder" in printed
    assert "untidy_house/urls.py" in printed
    assert "OVER  1 of 0  class names that are there twice" in printed
    assert "Record: untidy_house/one/loads.py, untidy_house/two/rows.py" in printed
    # The folders of systems may repeat each other's names.
    assert "ok    1 of 6  stems that are there twice" in printed
    assert "OVER  1 of 0  places with 'is no'" in printed
    assert "OVER  1 of 0  places with 'texts'" in printed
    assert "OVER  1 of 0  places with 'told'" in printed
    assert "OVER  1 of 0  places with 'Stage N'" in printed


@pytest.mark.usefixtures("package")
def test_lazy_and_type_checking_imports_make_circles() -> None:
    (circle,) = house.circles()
    assert set(circle.split(" -> ")) == {"untidy_house.one.loads", "untidy_house.two.loads"}


def test_a_tidy_package_passes(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("urls.py", "two/loads.py", "two/rows.py"):
        (package / name).unlink()
    (package / "one/loads.py").write_text("class Record: ...\n")
    assert house.main() == 0
    assert "OVER" not in capsys.readouterr().out
