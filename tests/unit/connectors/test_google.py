from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from aqueduct_provider.connectors.google import KEYS
from aqueduct_provider.connectors.registry import get
from aqueduct_provider.connectors.system import Extra
from aqueduct_provider.errors import ConfigError

CONNECTION = SimpleNamespace(conn_id="g")


def test_a_key_is_given_or_in_a_file_of_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text('{"a": 1}')
    for plain in ({"keyfile_dict": {"a": 1}}, {"key_path": str(path)}, {"keyfile_path": str(path)}):
        config = get("BigQuery").config_of_connection(CONNECTION, Extra(plain, {KEYS: "x"}, {}))
        assert config == {"project_id": "", "bucket": "", KEYS: '{"a": 1}'}


def test_a_key_file_that_is_missing(tmp_path: Path) -> None:
    extra = Extra({"key_path": str(tmp_path / "no")}, {}, {})
    with pytest.raises(ConfigError, match="'g' names a key file that this worker cannot read"):
        get("GCS").config_of_connection(CONNECTION, extra)
