"""The choices, as people and stored files spell them."""

from __future__ import annotations

import pytest

from aqueduct_provider.sdk import enums
from aqueduct_provider.sdk.resources.services import SERVICES, service_of


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (enums.CheckSeverity, "WARNING ERROR"),
        (enums.LoadUpdateMode, "APPEND REPLACE FAIL"),
        (enums.ExecutionStatus, "REGISTERED PENDING RUNNING CANCELED FAILED SUCCEEDED DELETED UNKNOWN"),
    ],
)
def test_names_are_the_values_in_upper_case(kind: type[enums.CheckSeverity], names: str) -> None:
    assert [member.name for member in kind] == names.split()
    assert [member.value for member in kind] == names.lower().split()


def test_services_are_spelled_as_in_specs() -> None:
    assert [kind for kind in enums.ServiceType if service_of(kind.value) is not SERVICES[kind.value]] == []
    assert enums.ServiceType.SQLSERVER == "SQL Server"


def test_members_are_texts() -> None:
    assert enums.CheckSeverity.ERROR == "error"
    assert enums.ArtifactType("boolean") is enums.ArtifactType.BOOLEAN


def test_members_are_printed_as_their_texts() -> None:
    assert f"{enums.ExecutionStatus.RUNNING} {enums.ArtifactType.TABLE!s}" == "running table"
    assert repr(enums.CheckSeverity.ERROR) == "<CheckSeverity.ERROR: 'error'>"
