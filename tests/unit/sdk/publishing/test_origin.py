"""Who publishes a version, and why."""

from __future__ import annotations

import getpass
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.origin import code_origin, publisher, this_user, version_message


def test_the_user_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert this_user() == getpass.getuser() == "ada"
    assert publisher() == {"published_by": "ada"}
    monkeypatch.setenv("LOGNAME", "x" * 300)
    assert len(this_user()) == 200


def test_a_message() -> None:
    assert version_message("publish_flow", "") == {}
    assert version_message("publish_flow", "x" * 500) == {"message": "x" * 500}


@pytest.mark.parametrize(
    ("given", "found"),
    [("x" * 501, "501 characters was given"), (3, "a int was given"), (None, "a NoneType")],
)
def test_what_is_not_a_message(given: Any, found: str) -> None:
    with pytest.raises(AuthoringError, match=f"^rollback: message must be text of at most 500 .*; {found}"):
        version_message("rollback", given)


def test_the_commit_is_that_of_the_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import sys
    import types

    script = tmp_path / "publish.py"
    script.write_text("")
    main = types.ModuleType("__main__")
    main.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert code_origin() == {}
