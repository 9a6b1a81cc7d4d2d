from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.factory.places import Folder, Place, spec_names


def test_a_folder_is_listed_anew_each_time(tmp_path: Path) -> None:
    source = Folder(tmp_path)
    assert source.place(None) == Place(tmp_path, ())
    for name in ("b.json", "a.JSON", ".hidden.json", "notes.txt"):
        (tmp_path / name).touch()
    assert source.place(None).names == ("a.JSON", "b.json")
    assert source.place("any_dag") == source.place(None)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone cannot be listed: No such file"):
        spec_names(tmp_path / "gone")
