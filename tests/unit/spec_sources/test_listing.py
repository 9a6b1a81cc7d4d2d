from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec_sources.listing import spec_names


def test_the_specs_of_a_folder(tmp_path: Path) -> None:
    assert spec_names(tmp_path) == ()
    for name in ("b.json", "a.JSON", ".hidden.json", "notes.txt"):
        (tmp_path / name).touch()
    assert spec_names(tmp_path) == ("a.JSON", "b.json")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone cannot be listed: No such file"):
        spec_names(tmp_path / "gone")
