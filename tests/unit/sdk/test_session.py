"""What is behind a client: made when it is used, and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound
from aqueduct_provider.sdk.resources.profile import Profile, ResourceProfile
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.storage.local import LocalStore


@pytest.fixture
def session(tmp_path: Path) -> Session:
    folder = tmp_path / "store"
    folder.mkdir()
    profile = Profile.load(tmp_path / "config.toml", {}, {"folder": str(folder)})
    profile.save_resource(ResourceProfile("cluster", "Airflow", {"host": "127.0.0.1:9"}))
    profile.save_resource(ResourceProfile("lake", "S3", {"bucket": "b"}))
    return Session(profile)


def test_everything_is_made_once(session: Session) -> None:
    assert isinstance(session.store, LocalStore)
    assert session.store is session.store
    assert session.registry is session.registry
    assert session.registry.store is session.store
    assert session.airflow("cluster") is session.airflow("cluster")


def test_what_another_one_has_changed_is_seen(session: Session) -> None:
    before = session.airflow("cluster")
    session.refresh()
    assert session.airflow("cluster") is before
    other = Profile.load(session.profile.path, {})
    other.save_resource(ResourceProfile("cluster", "Airflow", {"host": "127.0.0.1:10"}))
    session.refresh()
    assert session.airflow("cluster").login.host == "127.0.0.1:10"


def test_a_changed_resource_is_made_anew(session: Session) -> None:
    before = session.airflow("cluster")
    session.profile.save_resource(ResourceProfile("cluster", "Airflow", {"host": "127.0.0.1:10"}))
    assert session.airflow("cluster") is before
    session.forget("cluster")
    session.forget("never used")
    assert session.airflow("cluster").login.host == "127.0.0.1:10"


def test_resources_that_are_not_there_or_of_another_service(session: Session) -> None:
    with pytest.raises(NotFound, match=r"No resource is named 'cluter'\. Did you mean 'cluster'\? Conn"):
        session.airflow("cluter")
    with pytest.raises(ConfigError, match="'lake' is S3, a data system: flows run on Airflow"):
        session.engine("lake")
    assert session.resource("lake").name() == "lake"
    assert session.engine("cluster").name() == "cluster"


def test_the_demo_database_is_there_until_somebody_connects_another(session: Session) -> None:
    # The second is what earlier releases of the original called it.
    for name in ("Demo", "aqueduct_demo"):
        assert session.resource(name).place == str(session.profile.path.parent / "demo.sqlite")
    session.profile.save_resource(ResourceProfile("Demo", "SQLite", {"database": "/other"}))
    assert session.resource("Demo").place == "/other"


def test_without_a_store(tmp_path: Path) -> None:
    session = Session(Profile.load(tmp_path / "config.toml", {}))
    with pytest.raises(ConfigError, match="No artifact store is known"):
        session.registry  # noqa: B018


# --- which Airflow is meant


def session_with(folder: Path, **services: str) -> Session:
    path = folder / "config.toml"
    hosts = {"Airflow": 'host = "h"', "S3": 'bucket = "b"'}
    path.write_text("".join(f'[resources.{n}]\nservice = "{s}"\n{hosts[s]}\n' for n, s in services.items()))
    path.chmod(0o600)
    return Session(Profile.load(path, overrides={}))


def test_the_only_one_needs_no_name(tmp_path: Path) -> None:
    here = session_with(tmp_path, cluster="Airflow", lake="S3")
    assert here.engine(None).name() == "cluster"
    assert here.engine("cluster").name() == "cluster"
    assert here.engine(here.engine("cluster")).name() == "cluster"


@pytest.mark.parametrize("services", [{}, {"lake": "S3"}, {"one": "Airflow", "two": "Airflow"}])
def test_otherwise_one_must_be_named(tmp_path: Path, services: dict[str, str]) -> None:
    named = ", ".join(repr(name) for name, service in services.items() if service == "Airflow") or "none"
    with pytest.raises(AuthoringError, match=f"Connected: {named}"):
        session_with(tmp_path, **services).engine(None)


@pytest.mark.parametrize(("given", "error"), [(5, AuthoringError), ("clutser", NotFound)])
def test_what_is_no_engine(tmp_path: Path, given: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        session_with(tmp_path, cluster="Airflow").engine(given)
