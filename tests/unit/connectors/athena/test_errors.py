from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError
from pyathena import DatabaseError, OperationalError

from aqueduct_provider import errors
from aqueduct_provider.connectors.athena.errors import translated


def refused(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "StartQueryExecution")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (refused("UnrecognizedClientException", 400), errors.DataSystemLoginFailed),
        (refused("AccessDeniedException", 400), errors.DataSystemLoginFailed),
        (refused("ExpiredTokenException", 400), errors.DataSystemLoginFailed),
        (refused("TooManyRequestsException", 400), errors.DataSystemUnavailable),
        (refused("InternalServerException", 500), errors.DataSystemUnavailable),
        (refused("InvalidRequestException", 400), errors.StatementRefused),
        (EndpointConnectionError(endpoint_url="https://x"), errors.DataSystemUnavailable),
        (NoCredentialsError(), errors.DataSystemLoginFailed),
        (ParamValidationError(report="x"), errors.StatementRefused),
        (KeyError("x"), errors.StatementRefused),
    ],
)
def test_what_aws_refuses(cause: Exception, kind: type[Exception]) -> None:
    with pytest.raises(errors.DataSystemError, match=r"^Athena 'x' ") as caught, translated("Athena 'x'"):
        raise DatabaseError(str(cause)) from cause
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("is_retryable", "kind"), [(False, errors.StatementRefused), (True, errors.DataSystemUnavailable)]
)
def test_a_query_that_failed(is_retryable: bool, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="SYNTAX_ERROR"), translated("x", lambda: is_retryable):
        raise OperationalError("SYNTAX_ERROR")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.CredentialsError("no"), errors.DataSystemLoginFailed),
        (errors.AccessDenied("no"), errors.DataSystemLoginFailed),
        (errors.StorageUnavailable("no"), errors.DataSystemUnavailable),
        (errors.BucketNotFound("no"), errors.StatementRefused),
    ],
)
def test_what_the_bucket_of_the_results_refuses(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(errors.DataSystemError, match=r"^x: no$") as caught, translated("x"):
        raise error
    assert type(caught.value) is kind
