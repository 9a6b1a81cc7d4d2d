from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aqueduct_provider.storage.files import digest_file, replacing, write_digested


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_when_the_block_fails(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_digests_agree(tmp_path: Path) -> None:
    data = b"0123456789" * 300_000
    path = tmp_path / "file"
    with path.open("wb") as file:
        written = write_digested((data[i : i + 70_000] for i in range(0, len(data), 70_000)), file)
    assert written == digest_file(path)
    assert (written.sha256, written.size) == (hashlib.sha256(data).hexdigest(), len(data))
