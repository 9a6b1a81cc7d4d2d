"""Translate pymongo's errors: each becomes a ``DataSystemError`` that says how to fix it.

Codes are those of MongoDB's list of error codes; whether a second try can help is what the driver's classes
and the server's labels say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aqueduct_provider.errors import DataSystemError, DataSystemLoginFailed, DataSystemUnavailable

if TYPE_CHECKING:
    from pymongo.errors import PyMongoError

DUPLICATE_KEY = 11000
NAMESPACE_EXISTS = 48
# AuthenticationFailed, UserNotFound, and Atlas' own.
_LOGIN = frozenset({18, 11, 8000})
_UNAUTHORIZED = 13
_PASSING_LABELS = ("RetryableWriteError", "TransientTransactionError")


@contextmanager
def translated(what: str, refused: type[DataSystemError]) -> Iterator[None]:
    """Turn every foreign error of the block into a ``DataSystemError``, ``from`` the foreign one.

    :param what: what messages call the database.
    :param refused: the class for what the server refuses, ``StatementRefused`` or ``LoadRefused``.
    """
    from bson.errors import BSONError
    from pymongo.errors import PyMongoError

    try:
        yield
    except PyMongoError as error:
        raise from_driver(error, what, refused) from error
    except BSONError as error:
        raise refused(
            f"{what}: a document cannot be read: {error}. Leave the field out with a projection."
        ) from error


def from_driver(error: PyMongoError, what: str, refused: type[DataSystemError]) -> DataSystemError:
    """Return the error for what the driver raised."""
    from pymongo import errors

    code = getattr(error, "code", None)
    said = _words(error)
    if code in _LOGIN:
        return DataSystemLoginFailed(
            f"{what} refuses the login: {said}. Correct user, password or authSource of the auth_uri."
        )
    away = (errors.ConnectionFailure, errors.WTimeoutError, errors.WaitQueueTimeoutError)
    if isinstance(error, away) or any(map(error.has_error_label, _PASSING_LABELS)):
        return DataSystemUnavailable(
            f"{what} does not answer as it should: {said}. Check the hosts of the auth_uri, and that this "
            "machine can reach them."
        )
    if code == _UNAUTHORIZED:
        return refused(f"{what}: {said}. Give the user a role that allows it, such as readWrite.")
    return refused(f"{what} refuses: {said}.")


def _words(error: PyMongoError) -> str:
    """Return the server's own message, without the driver's topology description or the documents."""
    details = getattr(error, "details", None) or {}
    problems = details.get("writeErrors") or details.get("writeConcernErrors") or [details]
    said = str(problems[0].get("errmsg") or error)
    return said.partition(", Timeout:")[0].partition(" (configured timeouts:")[0].strip().rstrip(".")
