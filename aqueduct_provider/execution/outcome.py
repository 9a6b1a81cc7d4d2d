"""Read what a child left in its job folder, and believe none of it.

In: the folder, and the files that the job was to write. Out: the outcome of a job whose files are what they
should be. The user's code ran in that folder: it may have written ``outcome.json`` itself, or put a link in
place of an output, to have a file of the worker uploaded.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from aqueduct_provider.errors import OperatorCrashed, OperatorFailed
from aqueduct_provider.runner.contract import (
    OUTCOME_FILE,
    SERIALIZATION_TYPES,
    Failure,
    JobOutcome,
    OutputInfo,
    outcome_from_json,
)
from aqueduct_provider.spec.types import ArtifactType

# Of outcome.json: far more than the schema of any table, and than a traceback.
_MAX_BYTES = 32 * 1024 * 1024
_ARTIFACT_TYPES = frozenset(kind.value for kind in ArtifactType)


def read(folder: Path) -> JobOutcome | None:
    """Return the outcome that a child left; None where it left none.

    :raises ValueError: it is not an outcome; says why, as the rest of a sentence.
    """
    try:
        data = _content(folder, OUTCOME_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    try:
        outcome = outcome_from_json(data.decode("utf-8"))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"is not an outcome: {type(error).__name__}") from error
    if wrong := next(_wrong_fields(outcome), ""):
        raise ValueError(f"is not an outcome: {wrong} is not as it should be")
    return outcome


def check_files(
    outcome: JobOutcome, folder: Path, outputs: Sequence[str], others: Sequence[str] = ()
) -> None:
    """Check that a job that succeeded wrote what it should.

    :param outputs: paths of the outputs that were asked for, in order.
    :param others: paths of further files that it should have written.
    :raises ValueError: says what is wrong, as a sentence.
    """
    if [info.path for info in outcome.outputs] != list(outputs):
        raise ValueError(f"{OUTCOME_FILE} names other outputs than those that were asked for")
    for path in (*outputs, *others):
        try:
            os.close(_opened(folder, path))
        except OSError as error:
            raise ValueError(f"the file {path} of its job folder cannot be used: {error.strerror}") from error


def untrue(message: str, *, by_user: bool) -> OperatorFailed:
    """Return the error of a child that reported what cannot be.

    :param by_user: whether code of the user ran in it.
    """
    if not by_user:
        return OperatorCrashed(f"A process of ours reported what cannot be: {message}. Please report this.")
    return OperatorFailed(
        f"The operator's code changed what its process reports: {message}. Its working directory is in a"
        " folder of the job: write only files of your own there, and none into the folders next to it."
    )


def _wrong_fields(outcome: JobOutcome) -> Iterator[str]:
    numbers = (outcome.wall_time, outcome.cpu_time, outcome.max_memory_mb)
    if not all(type(number) in (int, float) and 0 <= number < math.inf for number in numbers):
        yield "a measurement"
    if not isinstance(outcome.check_passed, bool | None):
        yield "check_passed"
    if outcome.failure is not None and not _is_failure(outcome.failure):
        yield "failure"
    if not all(map(_is_output, outcome.outputs)):
        yield "an output"


def _is_failure(failure: Failure) -> bool:
    strings: tuple[Any, ...] = (failure.tip, failure.context, failure.failed_import)
    return (
        failure.kind in ("user", "system")
        and all(isinstance(text, str) for text in strings)
        and isinstance(failure.deterministic, bool)
    )


def _is_output(info: OutputInfo) -> bool:
    strings: tuple[Any, ...] = (
        info.path,
        info.artifact_type,
        info.serialization_type,
        info.python_type,
        info.encoding,
    )
    return (
        all(isinstance(text, str) for text in strings)
        and info.artifact_type in _ARTIFACT_TYPES
        and info.serialization_type in SERIALIZATION_TYPES
        and isinstance(info.glance, dict)
        and isinstance(info.preview, dict | None)
        and isinstance(info.schema, list)
        and all(map(_is_column, info.schema))
    )


def _is_column(column: Any) -> bool:
    return isinstance(column, dict) and all(isinstance(text, str) for pair in column.items() for text in pair)


def _content(folder: Path, path: str) -> bytes:
    with os.fdopen(_opened(folder, path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MAX_BYTES:
            raise OSError(0, f"it has {size} bytes")
        return file.read(_MAX_BYTES)


def _opened(folder: Path, path: str) -> int:
    """Open a file below the folder; no part of its path may be a link, and it must be a file.

    :raises OSError: it cannot be.
    """
    *parents, name = PurePosixPath(path).parts
    within = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for parent in parents:
            inner = os.open(
                parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within
            )
            os.close(within)
            within = inner
        # A pipe would wait for its writer.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    finally:
        os.close(within)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        with suppress(OSError):
            os.close(file)
        raise OSError(0, "it is not a file")
    return file
