from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec_sources.folder import SpecFolder
from aqueduct_provider.spec_sources.listing import Listing


def test_all_specs_of_a_folder_that_changes(tmp_path: Path) -> None:
    source = SpecFolder(tmp_path)
    assert source.listing() == Listing(tmp_path, ())
    (tmp_path / "a.json").touch()
    assert source.listing() == Listing(tmp_path, ("a.json",))


def test_the_file_named_after_the_dag_comes_first_and_alone(tmp_path: Path) -> None:
    for name in ("a.json", "churn.json", "z.json"):
        (tmp_path / name).touch()
    places = SpecFolder(tmp_path).listings_with("churn")
    assert next(places) == Listing(tmp_path, ("churn.json",))
    (tmp_path / "new.json").touch()
    assert next(places) == Listing(tmp_path, ("a.json", "new.json", "z.json")), "not looked for until now"
    (other,) = SpecFolder(tmp_path).listings_with("other")
    assert other.names == ("a.json", "churn.json", "new.json", "z.json")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be listed"):
        list(SpecFolder(tmp_path / "gone").listings_with("churn"))
