from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.archive_size import (
    MAX_BYTES,
    MAX_FILES,
    check_declared_files,
    check_size,
)
from aqueduct_provider.sdk.packaging.dependency_files import DependencyFiles
from aqueduct_provider.sdk.packaging.user_function import UserFunction

SMALL = "small"
TABLE = bytes(1_000_000)


def train(lock: object = open) -> object:
    return SMALL, TABLE, lock


def sized(folder: Path, *sizes: int) -> DependencyFiles:
    """Files of these sizes, that take no room on disk."""
    files = {}
    for number, size in enumerate(sizes):
        files[f"{number}.bin"] = folder / f"{number}.bin"
        with files[f"{number}.bin"].open("wb") as file:
            file.truncate(size)
    return DependencyFiles(files)


def test_what_fits_is_accepted(tmp_path: Path) -> None:
    check_size(train, "train", MAX_BYTES - 10, sized(tmp_path, 4, 6))


def test_the_largest_variable_is_named() -> None:
    with pytest.raises(PackagingError) as raised:
        check_size(train, "train", MAX_BYTES + 1, DependencyFiles({}))
    assert str(raised.value) == (
        "The pickle of 'train' has 200.0 MB, and an archive may have 200.0 MB. The largest part is 'TABLE' "
        "(1.0 MB): a table captured by the function? Pass it as an argument."
    )


def test_a_function_without_variables() -> None:
    with pytest.raises(PackagingError, match=r"may have 200\.0 MB\. Pass large values as arguments\.$"):
        check_size(len, "train", MAX_BYTES + 1, DependencyFiles({}))


def test_variables_that_cannot_be_pickled_alone_have_no_size() -> None:
    lock = (number for number in range(3))
    with pytest.raises(PackagingError, match="The largest part is 'TABLE'"):
        check_size(lambda: (lock, TABLE), "train", MAX_BYTES + 1, DependencyFiles({}))


def test_the_largest_files_are_named(tmp_path: Path) -> None:
    files = sized(tmp_path, 1_000_000, 150_000_000, 2_000_000, 3_000_000, 60_000_000)
    with pytest.raises(PackagingError) as raised:
        check_size(train, "train", 1, files)
    assert str(raised.value) == (
        "file_dependencies of 'train' have 216.0 MB, and an archive may have 200.0 MB. The largest: "
        "1.bin (150.0 MB), 4.bin (60.0 MB), 3.bin (3.0 MB). Keep large files in S3, and read them in the "
        "function."
    )


def test_pickle_and_files_together_count(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="file_dependencies"):
        check_size(train, "train", MAX_BYTES // 2, sized(tmp_path, MAX_BYTES // 2 + 1))


def test_declared_files_are_checked_without_the_function(tmp_path: Path) -> None:
    sized(tmp_path, 1, MAX_BYTES)
    check_declared_files(UserFunction(train, (), ("0.bin",), tmp_path), "train")
    with pytest.raises(PackagingError, match=r"'train' have 200\.0 MB.* The largest: 1\.bin"):
        check_declared_files(UserFunction(train, (), ("0.bin", "1.bin"), tmp_path), "train")
    with pytest.raises(PackagingError, match=r"'no\.csv' is not there"):
        check_declared_files(UserFunction(train, (), ("no.csv",), tmp_path), "train")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    check_size(train, "train", 1, DependencyFiles({str(number): file for number in range(MAX_FILES)}))
    with pytest.raises(PackagingError, match=r"'train' hold 5001 files, more than 5000\. Name the files"):
        check_size(train, "train", 1, DependencyFiles({str(number): file for number in range(MAX_FILES + 1)}))
