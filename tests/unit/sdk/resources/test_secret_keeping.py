from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from aqueduct_provider.sdk.resources.secret_keeping import SecretKeeper, usable_keyring
from tests.support.keyrings import ForgetfulKeyring, MemoryKeyring, selected


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with selected(backend):
        yield backend


@pytest.fixture
def keeper(tmp_path: Path) -> SecretKeeper:
    return SecretKeeper(tmp_path / "config.toml")


def test_what_is_kept_can_be_had_and_deleted(memory: MemoryKeyring, keeper: SecretKeeper) -> None:
    assert keeper.put("cluster", "password", "s3cret") is True
    assert memory.kept == {("aqueduct", f"{keeper.config}:cluster:password"): "s3cret"}
    assert keeper.get("cluster", "password") == "s3cret"
    assert keeper.get("cluster", "token") == ""
    keeper.delete("cluster", "password")
    assert memory.kept == {}


def test_each_configuration_file_has_its_own(
    memory: MemoryKeyring, keeper: SecretKeeper, tmp_path: Path
) -> None:
    keeper.put("cluster", "password", "s3cret")
    assert SecretKeeper(tmp_path / "other.toml").get("cluster", "password") == ""


def test_deleting_what_is_not_there_is_no_error(
    memory: MemoryKeyring, keeper: SecretKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    keeper.delete("cluster", "password")
    assert not caplog.records


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), chainer.ChainerBackend()], ids=repr)
def test_backends_that_keep_nothing_are_none(backend: KeyringBackend, keeper: SecretKeeper) -> None:
    with selected(backend):
        assert usable_keyring() is None
        assert keeper.put("cluster", "password", "s3cret") is False
        assert keeper.get("cluster", "password") == ""
        keeper.delete("cluster", "password")


def test_a_backend_that_forgets_is_noticed(keeper: SecretKeeper) -> None:
    with selected(ForgetfulKeyring()):
        assert keeper.put("cluster", "password", "s3cret") is False


def test_a_keyring_that_refuses_is_a_warning_without_the_secret(
    memory: MemoryKeyring, keeper: SecretKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    memory.locked = True
    assert keeper.put("cluster", "password", "s3cret") is False
    assert "take the password of 'cluster' (KeyringLocked: locked, not stored: ***)" in caplog.text
    assert f"It goes to {keeper.config} instead" in caplog.text
    assert keeper.get("cluster", "password") == ""
    assert "does not give the password of 'cluster' (KeyringLocked" in caplog.text
    keeper.delete("cluster", "password")
    assert (
        f"Delete the entry '{keeper.config}:cluster:password' of the service 'aqueduct' there" in caplog.text
    )
    assert "s3cret" not in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_the_same_warning_comes_once(
    memory: MemoryKeyring, keeper: SecretKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    memory.locked = True
    for _ in range(3):
        keeper.get("cluster", "warned once")
    assert len(caplog.records) == 1


def test_a_wrong_choice_of_keyring_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no_such_module.Keyring")
    assert usable_keyring() is None
    assert "This system has no usable keyring (ModuleNotFoundError" in caplog.text
