"""Translate botocore's errors: each becomes a ``StorageError`` that says how to fix it.

In: whatever botocore, urllib3 or the local disk raised, and what it was about. Out: one of the
classes of ``errors.py``. Nothing here sends a request. The error codes are those of the S3 API reference,
"List of error codes"; those that are not named here are judged by their HTTP status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqueduct_provider.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsError,
    ObjectNotFound,
    StorageError,
    StorageUnavailable,
    WrongRegion,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_CODES: Mapping[type[StorageError], frozenset[str]] = {
    ObjectNotFound: frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404"}),
    BucketNotFound: frozenset({"NoSuchBucket", "InvalidBucketName"}),
    CredentialsError: frozenset(
        "CredentialsNotSupported ExpiredToken ExpiredTokenException IncompleteSignature "
        "InvalidAccessKeyId InvalidClientTokenId InvalidSecurity InvalidToken NotSignedUp RequestExpired "
        "RequestTimeTooSkewed SignatureDoesNotMatch TokenRefreshRequired UnrecognizedClientException".split()
    ),
    AccessDenied: frozenset(
        "AccessDenied AccessDeniedException AccountProblem AllAccessDisabled Forbidden "
        "UnauthorizedAccess".split()
    ),
    WrongRegion: frozenset(
        "301 307 AuthorizationHeaderMalformed IllegalLocationConstraintException IncorrectEndpoint "
        "PermanentRedirect Redirect TemporaryRedirect".split()
    ),
    StorageUnavailable: frozenset(
        "BadDigest BandwidthLimitExceeded IncompleteBody InternalError OperationAborted "
        "RequestLimitExceeded RequestTimeout RequestTimeoutException ServiceUnavailable SlowDown "
        "Throttling ThrottlingException TooManyRequestsException XAmzContentChecksumMismatch "
        "XAmzContentSHA256Mismatch".split()
    ),
}

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_SKEWED = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
# By name, since older botocore lacks some.
_CREDENTIAL_ERRORS = frozenset(
    "ConfigNotFound ConfigParseError CredentialRetrievalError InvalidConfigError LoginError "
    "MetadataRetrievalError NoAuthTokenError NoCredentialsError PartialCredentialsError "
    "ProfileNotFound RefreshWithMFAUnsupportedError SSOError TokenRetrievalError "
    "UnknownCredentialError UnknownTokenProviderError".split()
)

# What shows who signed a request.
_KEY_ID = re.compile(r"\bA(?:KI|SI)[AD][A-Z0-9]{7,}\b|(?<=Credential=)[^/\s'\"]+")


@dataclass(frozen=True)
class S3Location:
    """The object or prefix that a request was about.

    :param url: the object or prefix, ``s3://bucket/key``.
    :param region: the region that requests are signed for; may be empty.
    """

    url: str
    bucket: str = ""
    region: str = ""
    endpoint: str = ""


@contextmanager
def translated(place: S3Location) -> Iterator[None]:
    """Turn every foreign error of the block into a ``StorageError``, ``from`` the foreign one."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        raise from_answer(error, place) from error
    except (BotoCoreError, HTTPError, ConnectionError, TimeoutError) as error:
        raise from_botocore(error, place) from error
    except OSError as error:
        raise StorageError(f"{place.url}: the local file failed: {error}. Fix it on this machine.") from error


def body_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions for connections cut while reading a body: asking again may help."""
    from botocore.exceptions import (
        FlexibleChecksumError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )
    from urllib3.exceptions import HTTPError

    return (FlexibleChecksumError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError, HTTPError)


def error_code(error: ClientError) -> str:
    """Return the code of S3's error; for HEAD, the status is all there is."""
    return str(error.response.get("Error", {}).get("Code", ""))


def kind_of(code: str, status: int = 0) -> type[StorageError]:
    """Return the class of an error that S3 answered with."""
    for kind, codes in _CODES.items():
        if code in codes:
            return kind
    if status in (401, 403):
        return AccessDenied
    return StorageUnavailable if status == 429 or status >= 500 else StorageError


def from_answer(error: ClientError, place: S3Location) -> StorageError:
    """Return the error for an answer from S3 or from the service that gives credentials."""
    details = error.response.get("Error", {})
    code, said = error_code(error), details.get("Message", "")
    answer = error.response.get("ResponseMetadata", {})
    kind = kind_of(code, int(answer.get("HTTPStatusCode", 0)))
    if kind is WrongRegion:
        headers = answer.get("HTTPHeaders", {})
        actual = details.get("Region") or headers.get("x-amz-bucket-region") or "another region"
        return WrongRegion(
            f"{place.url}: bucket {place.bucket!r} is in {actual}, not in {place.region} ({code})."
            " Correct the region of the connection or of the profile, or the endpoint URL."
        )
    return kind(_message(kind, place, without_key_ids(f"{code}: {said}") if said else code, code))


def without_key_ids(text: str) -> str:
    """Return the text without the ids of access keys that AWS or botocore may have put into it."""
    return _KEY_ID.sub("***", text)


def _message(kind: type[StorageError], place: S3Location, reason: str, code: str) -> str:
    if kind is ObjectNotFound:
        return (
            f"The object {place.url} does not exist. It was not written yet, was deleted, or bucket and root "
            "dir are not those that it was written to."
        )
    fixes = {
        BucketNotFound: f"The bucket {place.bucket!r} does not exist at {place.endpoint}. Correct its name or"
        " create it.",
        CredentialsError: f"S3 refuses the credentials. {_credentials_fix(code)}",
        AccessDenied: "Give these credentials s3:GetObject, s3:PutObject, s3:DeleteObject and"
        " s3:ListBucket on this bucket and prefix; without the last, a missing object looks like this too.",
        StorageUnavailable: f"{place.endpoint} kept throttling or failing through all retries. Try again"
        " later, or raise s3_patience (of tasks) or s3_max_attempts in the [aqueduct] section.",
    }
    return f"{place.url}: {reason}. {fixes.get(kind, 'S3 refused the request.')}"


def _credentials_fix(code: str) -> str:
    if code in _EXPIRED:
        return (
            "They were temporary: fetch new ones where these came from, or use a role or a profile that"
            " renews them by itself."
        )
    if code in _SKEWED:
        return "The clock of this machine is wrong, or that of the store: set it, such as with NTP."
    return "Correct the keys in the credentials file or the profile's name, and check this machine's clock."


def from_botocore(error: Exception, place: S3Location) -> StorageError:
    """Return the error for a failure on this side or on the way."""
    from botocore import exceptions as botocore
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    reason = f"{place.url}: {without_key_ids(str(error)).strip().rstrip('.')}."
    if isinstance(error, (botocore.SSLError, botocore.ProxyConnectionError)):
        return StorageUnavailable(
            f"{reason} Check the certificate of {place.endpoint} (ca_bundle of the profile, AWS_CA_BUNDLE)"
            " and the proxy settings of this machine."
        )
    away = (botocore.ConnectionError, botocore.HTTPClientError, ConnectionError, TimeoutError, HTTPError)
    damaged = (botocore.FlexibleChecksumError, botocore.IncompleteReadError, ResponseParserError)
    if isinstance(error, (*away, *damaged, botocore.CapacityNotAvailableError)):
        return StorageUnavailable(
            f"{reason} Check the endpoint URL, and that {place.endpoint or 'the endpoint'} can be reached"
            " from this machine."
        )
    if any(kind.__name__ in _CREDENTIAL_ERRORS for kind in type(error).__mro__):
        return CredentialsError(f"{reason} Correct the credentials path, the profile's name or its contents.")
    return StorageError(f"{reason} Correct the settings of the connection or of the profile.")
