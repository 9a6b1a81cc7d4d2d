from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from aqueduct_provider.errors import StorageUnavailable
from aqueduct_provider.storage.bodies import Part, Received, new_mark
from aqueduct_provider.storage.patience import Transfer


def test_a_part_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        part = Part(file, 2, 5, Transfer())
        assert (part.read(3), part.tell(), part.read()) == (b"234", 3, b"56")
        assert part.read() == b""
        assert part.seek(0, os.SEEK_END) == 5
        assert part.seek(-1, os.SEEK_CUR) == 4
        assert part.read() == b"6"
        part.seek(0)
        assert b"".join(iter(lambda: part.read(2), b"")) == b"23456"


def test_a_part_of_an_abandoned_request_is_not_sent(tmp_path: Path) -> None:
    path, transfer = tmp_path / "file", Transfer()
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        part = Part(file, 0, 10, transfer)
        transfer.abandon()
        with pytest.raises(StorageUnavailable):
            part.read(1)


def test_a_download_replaces_what_an_earlier_attempt_left() -> None:
    file = io.BytesIO(b"left of an earlier attempt")
    file.seek(0, io.SEEK_END)
    transfer = Transfer()
    received = Received(file, transfer)
    assert received.write(b"new") == 3
    assert file.getvalue() == b"new"
    transfer.abandon()
    with pytest.raises(StorageUnavailable):
        received.write(b"late")
    assert file.getvalue() == b"new"


def test_each_mark_is_another() -> None:
    assert new_mark() != new_mark()
