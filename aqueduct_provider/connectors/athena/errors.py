"""Translate the errors of PyAthena and AWS: each becomes a ``DataSystemError``.

What AWS refuses is judged as S3's refusals are: by code and status. A query that fails is the query's fault,
unless Athena itself says that it may be tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aqueduct_provider.errors import (
    AccessDenied,
    CredentialsError,
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
    StorageError,
    StorageUnavailable,
)
from aqueduct_provider.storage.s3_errors import S3Location, from_botocore, kind_of

_LOGIN = (CredentialsError, AccessDenied)


@contextmanager
def translated(what: str, is_retryable: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Turn every foreign error of the block into a ``DataSystemError``, ``from`` the foreign one.

    :param what: what messages call the database.
    :param is_retryable: asked when a query has failed: whether it may succeed at a second try.
    """
    from pyathena import Error

    try:
        yield
    except StorageError as error:
        raise _class_of(type(error))(f"{what}: {error}") from error
    except Error as error:
        raise _from_driver(error, what, is_retryable) from error


def _from_driver(error: Exception, what: str, is_retryable: Callable[[], bool]) -> DataSystemError:
    said = str(error).strip().rstrip(".")
    if isinstance(error.__cause__, StorageError):
        # Credentials that could not be fetched: all is said.
        return _class_of(type(error.__cause__))(f"{what}: {error.__cause__}")
    if error.__cause__ is not None:
        kind = _class_of(_kind_of_cause(error.__cause__))
    else:
        kind = DataSystemUnavailable if is_retryable() else StatementRefused
    if kind is DataSystemLoginFailed:
        return kind(f"{what} refuses: {said}. Correct the credentials, or what they are allowed to do.")
    if kind is DataSystemUnavailable:
        return kind(f"{what} does not answer as it should: {said}.")
    return kind(f"{what} refuses the query: {said}.")


def _kind_of_cause(cause: BaseException) -> type[StorageError]:
    """Return the error class for what botocore raised, with or without an answer."""
    answer = getattr(cause, "response", None)
    if isinstance(answer, dict):
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return kind_of(str(answer.get("Error", {}).get("Code", "")), status)
    return type(from_botocore(cause, S3Location(""))) if isinstance(cause, Exception) else StorageError


def _class_of(kind: type[StorageError]) -> type[DataSystemError]:
    if issubclass(kind, StorageUnavailable):
        return DataSystemUnavailable
    return DataSystemLoginFailed if issubclass(kind, _LOGIN) else StatementRefused
