from __future__ import annotations

import pytest

from tools import servers
from tools.servers import SERVERS, Server


def test_the_servers_of_the_tests_are_found_where_debian_puts_them() -> None:
    assert {server.package for server in SERVERS} == {
        "postgresql",
        "mariadb-server",
        "redis-server",
        "bubblewrap",
        "chromium",
    }
    assert all(server.is_there for server in SERVERS)
    assert Server("python3", "python3", ()).is_there, "on the path"
    assert not Server("none", "no-such-program", ("usr/lib/*/bin",)).is_there


def test_what_cannot_be_installed_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "SERVERS", (Server("some-server", "no-such-program", ()),))
    monkeypatch.setattr(servers.os, "geteuid", lambda: 1000)
    assert servers.main() == 1
    assert "apt-get install --yes --no-install-recommends some-server" in capsys.readouterr().err


def test_nothing_is_done_where_all_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert servers.main() == 0
    assert capsys.readouterr() == ("", "")
