from __future__ import annotations

import importlib
import pickle

import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.exceptions import BotoCoreError, ClientError

from aqueduct_provider import errors
from aqueduct_provider.storage.s3_errors import S3Location, translated

PLACE = S3Location("s3://bucket/key", "bucket", "eu-west-1", "http://endpoint")
SPACES_OF_NAMES = {
    errors.StorageUnavailable: (
        "Connect",
        "Timeout",
        "SSLError",
        "ReadError",
        "HTTPClient",
        "Streaming",
        "Capacity",
    ),
    errors.CredentialsError: (
        "Credentials",
        "CredentialRetrieval",
        "Profile",
        "SSO",
        "Token",
        "Login",
        "MFA",
    ),
}


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += subclasses(child)
    return found


for module in ("credentials", "httpsession", "retries.standard", "tokens"):
    importlib.import_module(f"botocore.{module}")
FOREIGN = [*subclasses(BotoCoreError), *subclasses(urllib3.exceptions.HTTPError), ClientError]


def instance(kind: type[Exception]) -> Exception:
    """One of these, however many arguments its constructor wants."""
    if issubclass(kind, ClientError):
        return ClientError({"Error": {"Code": "Odd", "Message": "odd"}}, "GetObject")
    error = kind.__new__(kind)
    Exception.__init__(error, "what went wrong")
    vars(error).update(partial=0, expected=1, length=b"1")  # what the texts of urllib3's errors show
    return error


def translate(error: Exception) -> errors.StorageError:
    with pytest.raises(errors.StorageError) as caught, translated(PLACE):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_no_foreign_error_leaks(kind: type[Exception]) -> None:
    ours = translate(instance(kind))
    assert PLACE.url in str(ours)
    assert str(pickle.loads(pickle.dumps(ours))) == str(ours)
    if issubclass(kind, BotoCoreError):
        for expected, parts in SPACES_OF_NAMES.items():
            if any(part in kind.__name__ for part in parts):
                assert type(ours) is expected


def test_disk_errors_do_not_leak() -> None:
    assert "No space left" in str(translate(OSError(28, "No space left on device")))


CODES = {
    errors.ObjectNotFound: "NoSuchKey NoSuchVersion 404",
    errors.BucketNotFound: "NoSuchBucket InvalidBucketName",
    errors.CredentialsError: "InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken InvalidToken"
    " TokenRefreshRequired RequestTimeTooSkewed InvalidSecurity NotSignedUp CredentialsNotSupported",
    errors.AccessDenied: "AccessDenied AllAccessDisabled AccountProblem 403",
    errors.WrongRegion: "AuthorizationHeaderMalformed PermanentRedirect TemporaryRedirect Redirect 301"
    " IllegalLocationConstraintException IncorrectEndpoint",
    errors.StorageUnavailable: "SlowDown ServiceUnavailable InternalError RequestTimeout OperationAborted"
    " BadDigest IncompleteBody BandwidthLimitExceeded ThrottlingException 503 500 429",
    errors.StorageError: "EntityTooLarge InvalidRequest InvalidObjectState InvalidRange"
    " KeyTooLongError MalformedXML MethodNotAllowed NoSuchUpload PreconditionFailed InvalidPart"
    " QuotaExceeded 400",
}
STATUS = {"MethodNotAllowed": 405, "NoSuchUpload": 404, "PreconditionFailed": 412}


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes.split()]
)
def test_what_s3_answers(kind: type[errors.StorageError], code: str) -> None:
    status = int(code) if code.isdigit() else STATUS.get(code, 400)
    answer = {"Error": {"Code": code, "Message": "because"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    ours = translate(ClientError(answer, "GetObject"))
    assert type(ours) is kind
    assert PLACE.url in str(ours)


def test_modelled_errors_of_s3_do_not_leak() -> None:
    import botocore.session

    client = botocore.session.Session().create_client(
        "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    modelled = list(vars(client.exceptions)["_code_to_exception"].values())
    assert client.exceptions.NoSuchKey in modelled
    for kind in modelled:
        translate(kind({"Error": {"Code": kind.__name__}}, "GetObject"))


@pytest.mark.parametrize("status", [401, 403])
def test_unknown_codes_are_judged_by_status(status: int) -> None:
    answer = {"Error": {"Code": "New"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert type(translate(ClientError(answer, "GetObject"))) is errors.AccessDenied


def test_key_ids_are_not_shown() -> None:
    said = "Invalid header value b'AWS4-HMAC-SHA256 Credential=planted-id/20260101/x' of AKIAPLANTED777777"
    for error in (
        botocore.exceptions.HTTPClientError(error=said),
        ClientError({"Error": {"Code": "InvalidAccessKeyId", "Message": said}}, "GetObject"),
    ):
        assert "Credential=***/20260101/x' of ***" in str(translate(error))


@pytest.mark.parametrize(
    ("code", "fix"),
    [("ExpiredToken", "fetch new ones"), ("RequestTimeTooSkewed", "The clock of this machine is wrong")],
)
def test_a_refusal_has_the_fix_of_its_cause(code: str, fix: str) -> None:
    assert fix in str(translate(ClientError({"Error": {"Code": code}}, "GetObject")))


@pytest.mark.skipif(not hasattr(botocore.exceptions, "LoginError"), reason="of botocore 1.41 and newer")
def test_names_used_for_credentials_exist() -> None:
    from aqueduct_provider.storage.s3_errors import _CREDENTIAL_ERRORS

    assert {name for name in _CREDENTIAL_ERRORS if not hasattr(botocore.exceptions, name)} == set()
