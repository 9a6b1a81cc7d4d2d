from __future__ import annotations

from types import SimpleNamespace

import pytest

from aqueduct_provider.connectors.athena.system import SYSTEMS
from aqueduct_provider.connectors.system import Extra
from aqueduct_provider.errors import ConfigError

(SYSTEM,) = SYSTEMS


def test_keys_are_the_login_and_no_table_is_written() -> None:
    connection = SimpleNamespace(conn_id="a", login="k", password="s", schema="d")
    config = SYSTEM.config_of_connection(connection, Extra({}, {"region": "eu"}, {"work_group": "w"}))
    assert (config["access_key_id"], config["secret_access_key"], config["region"]) == ("k", "s", "eu")
    assert not SYSTEM.is_written
    with pytest.raises(ConfigError, match="'a' has keys and a profile_name"):
        SYSTEM.config_of_connection(connection, Extra({}, {"config_file_profile": "p"}, {}))
