"""Which Airflow is meant, without asking any; the whole way is in ``tests/unit/sdk/test_client.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, NotFound
from aqueduct_provider.sdk.resources.engines import engine_of
from aqueduct_provider.sdk.resources.profile import Profile
from aqueduct_provider.sdk.session import Session


def session(folder: Path, **services: str) -> Session:
    path = folder / "config.toml"
    hosts = {"Airflow": 'host = "h"', "S3": 'bucket = "b"'}
    path.write_text("".join(f'[resources.{n}]\nservice = "{s}"\n{hosts[s]}\n' for n, s in services.items()))
    path.chmod(0o600)
    return Session(Profile.load(path, overrides={}))


def test_the_only_one_needs_no_name(tmp_path: Path) -> None:
    here = session(tmp_path, cluster="Airflow", lake="S3")
    assert engine_of(here, None).name() == "cluster"
    assert engine_of(here, "cluster").name() == "cluster"
    assert engine_of(here, here.engine("cluster")).name() == "cluster"


@pytest.mark.parametrize("services", [{}, {"lake": "S3"}, {"one": "Airflow", "two": "Airflow"}])
def test_otherwise_one_must_be_named(tmp_path: Path, services: dict[str, str]) -> None:
    named = ", ".join(repr(name) for name, service in services.items() if service == "Airflow") or "none"
    with pytest.raises(AuthoringError, match=f"Connected: {named}"):
        engine_of(session(tmp_path, **services), None)


@pytest.mark.parametrize(("given", "error"), [(5, AuthoringError), ("clutser", NotFound)])
def test_what_is_no_engine(tmp_path: Path, given: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        engine_of(session(tmp_path, cluster="Airflow"), given)
