"""Translate the errors of Google's libraries: each becomes a ``StorageError``.

In: whatever the client, its sessions or the local disk raised, and what it was about. Out: one of the classes
of ``errors.py``. Nothing here sends a request. Google's libraries and requests are imported late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aqueduct_provider.errors import (
    AccessDenied,
    CredentialsError,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
)

_THROTTLED = 429


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn every foreign error of the block into a ``StorageError``, ``from`` the foreign one.

    What is not found is taken for an object; the caller knows whether it was the bucket.

    :param url: the object or prefix, ``gs://bucket/key``.
    """
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.resumable_media import DataCorruption, InvalidResponse
    from requests import RequestException

    try:
        yield
    except GoogleAPIError as error:
        raise _from_answer(error, url) from error
    except GoogleAuthError as error:
        raise _from_login(error, url) from error
    except (RequestException, DataCorruption, InvalidResponse) as error:
        raise _away(error, url) from error
    except OSError as error:
        raise StorageError(f"{url}: the local file failed: {error}. Fix it on this machine.") from error


def _from_answer(error: Exception, url: str) -> StorageError:
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, Unauthorized

    status = int(error.code or 0) if isinstance(error, GoogleAPICallError) else 0
    if isinstance(error, NotFound):
        return ObjectNotFound(
            f"The object {url} does not exist. It was not written yet, was deleted, or the bucket or its "
            "prefix is not the one it was written to."
        )
    if isinstance(error, Unauthorized):
        return CredentialsError(
            f"{url}: {_said(error)}. GCS refuses the credentials: correct the key of the service account."
        )
    if isinstance(error, Forbidden):
        return AccessDenied(
            f"{url}: {_said(error)}. Give the service account the role Storage Object Viewer on the bucket, "
            "or to write, Storage Object User."
        )
    # Without a status: all retries failed.
    if status in (0, _THROTTLED) or status >= 500:
        return _away(error, url)
    return StorageError(f"{url}: {_said(error)}. GCS refused the request.")


def _from_login(error: Exception, url: str) -> StorageError:
    from google.auth.exceptions import TransportError

    if isinstance(error, TransportError):
        return _away(error, url)
    return CredentialsError(
        f"{url}: no access token is available: {_said(error)}. Correct the key of the service account, and "
        "check this machine's clock; without a key, give this machine application default credentials."
    )


def _away(error: Exception, url: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"{url}: {_said(error)}. GCS cannot be reached, or kept throttling or failing through all retries."
    )


def _said(error: Exception) -> str:
    return str(getattr(error, "message", "") or error).strip().rstrip(".")
