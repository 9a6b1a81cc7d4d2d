from __future__ import annotations

import pytest

from aqueduct_provider.spec.spec_files import is_foreign, is_spec_name


@pytest.mark.parametrize("name", ["churn.json", "CHURN.JSON", "a.b.json"])
def test_names_of_specs(name: str) -> None:
    assert is_spec_name(name)


@pytest.mark.parametrize("name", [".churn.json", "churn.json.swp", "churn.json~", "churn.yaml", "json"])
def test_names_of_other_files(name: str) -> None:
    assert not is_spec_name(name)


@pytest.mark.parametrize(
    "data", [b'{"name": "a-package"}', b"[]", b"1", b'[{"a": 1}]', b'{"type": "module"}']
)
def test_valid_json_without_a_field_of_a_spec_is_foreign(data: bytes) -> None:
    assert is_foreign(data)


@pytest.mark.parametrize(
    "data",
    [b'{"spec_version": 9}', b'{"type": "compile_airflow"}', b'[{"dag_id": 1}]', b"{", b"", b"[" * 100_000],
)
def test_what_may_be_meant_as_a_spec_is_not(data: bytes) -> None:
    assert not is_foreign(data)
