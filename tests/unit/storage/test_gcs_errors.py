from __future__ import annotations

import pytest
import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.resumable_media import DataCorruption, InvalidResponse

from aqueduct_provider import errors
from aqueduct_provider.storage.gcs_errors import translated


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (api.NotFound("no"), errors.ObjectNotFound),
        (api.Forbidden("no"), errors.AccessDenied),
        (api.Unauthorized("no"), errors.CredentialsError),
        (api.TooManyRequests("slow"), errors.StorageUnavailable),
        (api.ServiceUnavailable("down"), errors.StorageUnavailable),
        (api.RetryError("too long", None), errors.StorageUnavailable),
        (api.BadRequest("no"), errors.StorageError),
        (api.PreconditionFailed("no"), errors.StorageError),
        (auth.RefreshError("invalid_grant"), errors.CredentialsError),
        (auth.DefaultCredentialsError("none"), errors.CredentialsError),
        (auth.TransportError("down"), errors.StorageUnavailable),
        (requests.ConnectionError("down"), errors.StorageUnavailable),
        (requests.exceptions.ChunkedEncodingError("cut"), errors.StorageUnavailable),
        (DataCorruption(None, "damaged"), errors.StorageUnavailable),
        (InvalidResponse(None, "odd"), errors.StorageUnavailable),
        (FileNotFoundError(2, "No such file", "gone"), errors.StorageError),
    ],
)
def test_kinds(error: Exception, kind: type[errors.StorageError]) -> None:
    with pytest.raises(errors.StorageError, match="gs://bucket/key") as caught, translated("gs://bucket/key"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


def test_errors_of_ours_go_through() -> None:
    with pytest.raises(errors.ConfigError, match=r"^ours$"), translated("x"):
        raise errors.ConfigError("ours")
