from __future__ import annotations

import pytest
from bson.errors import InvalidBSON
from pymongo import errors

from aqueduct_provider.connectors.mongodb.errors import translated
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)


def raised(error: Exception, refused: type[DataSystemError] = StatementRefused) -> DataSystemError:
    with pytest.raises(DataSystemError) as caught, translated("MongoDB 'x'", refused):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.OperationFailure("no", 18), DataSystemLoginFailed),
        (errors.OperationFailure("no", 8000), DataSystemLoginFailed),
        (errors.OperationFailure("no", 13), LoadRefused),
        (errors.OperationFailure("no", 59), LoadRefused),
        (errors.AutoReconnect("gone"), DataSystemUnavailable),
        (errors.NotPrimaryError("elections"), DataSystemUnavailable),
        (errors.ServerSelectionTimeoutError("none"), DataSystemUnavailable),
        (errors.NetworkTimeout("slow"), DataSystemUnavailable),
        (errors.WTimeoutError("slow", 64), DataSystemUnavailable),
        (errors.WaitQueueTimeoutError("slow"), DataSystemUnavailable),
        (
            errors.OperationFailure("retry", 91, {"errorLabels": ["RetryableWriteError"]}),
            DataSystemUnavailable,
        ),
        (errors.DocumentTooLarge("big"), LoadRefused),
        (errors.InvalidOperation("no"), LoadRefused),
        (InvalidBSON("year 10000 is out of range"), LoadRefused),
    ],
)
def test_kinds(error: Exception, kind: type[DataSystemError]) -> None:
    assert type(raised(error, LoadRefused)) is kind


def test_messages_are_short() -> None:
    details = {"errmsg": "unknown operator: $no.", "code": 2, "$clusterTime": "long"}
    refused = raised(errors.OperationFailure("unknown operator: $no, full error: {...}", 2, details))
    assert str(refused) == "MongoDB 'x' refuses: unknown operator: $no."
    away = errors.ServerSelectionTimeoutError(
        "host:1: refused (configured timeouts: connectTimeoutMS: 20000.0ms), Timeout: 30s, Topology: <...>"
    )
    assert str(raised(away)).startswith("MongoDB 'x' does not answer as it should: host:1: refused. Check")


def test_documents_are_not_shown() -> None:
    problem = {"errmsg": "Document failed validation", "code": 121, "op": {"secret": "planted"}}
    refused = raised(errors.BulkWriteError({"writeErrors": [problem], "writeConcernErrors": []}))
    assert str(refused) == "MongoDB 'x' refuses: Document failed validation."


def test_errors_of_ours_go_through() -> None:
    with pytest.raises(LoadRefused, match=r"^ours$"), translated("x", StatementRefused):
        raise LoadRefused("ours")
