from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec_sources.folder import Folder
from aqueduct_provider.spec_sources.listing import Place


def test_all_specs_of_a_folder_that_changes(tmp_path: Path) -> None:
    source = Folder(tmp_path)
    assert source.place() == Place(tmp_path, ())
    (tmp_path / "a.json").touch()
    assert source.place() == Place(tmp_path, ("a.json",))


def test_the_file_named_after_the_dag_comes_first_and_alone(tmp_path: Path) -> None:
    for name in ("a.json", "churn.json", "z.json"):
        (tmp_path / name).touch()
    places = Folder(tmp_path).places_with("churn")
    assert next(places) == Place(tmp_path, ("churn.json",))
    (tmp_path / "new.json").touch()
    assert next(places) == Place(tmp_path, ("a.json", "new.json", "z.json")), "not looked for until now"
    (other,) = Folder(tmp_path).places_with("other")
    assert other.names == ("a.json", "churn.json", "new.json", "z.json")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be listed"):
        list(Folder(tmp_path / "gone").places_with("churn"))
