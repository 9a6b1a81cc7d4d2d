"""Connecting resources: checked first, kept then; what cannot be used hides nothing else."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AirflowLoginFailed, AirflowUnreachable, ConfigError, NotFound
from aqueduct_provider.sdk.resources.connecting import usable_resources
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from tests.support.deployment import Deployment
from tests.support.keyrings import MemoryKeyring, selected


class Service(str, Enum):
    AIRFLOW = "Airflow"


def login(made: Deployment, **fields: Any) -> dict[str, Any]:
    return {"host": made.fake.url, "username": "ann", "password": made.fake.password, **fields}


@pytest.mark.parametrize("service", ["Airflow", "airflow", Service.AIRFLOW])
def test_what_was_reached_is_said(made: Deployment, service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    made.client.connect_resource("more", service, login(made))
    assert capsys.readouterr().out == (
        f"Connected 'more': Airflow 3.3.2 at {made.fake.url} accepts the user 'ann'. Its secret is kept in "
        f"{made.folder / 'config.toml'}.\n"
    )
    assert made.client.resource("more").host == made.fake.url
    assert (made.folder / "config.toml").stat().st_mode & 0o777 == 0o600


def test_secrets_go_to_the_keyring(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    with selected(MemoryKeyring()):
        made.client.connect_resource("more", "Airflow", login(made))
        assert capsys.readouterr().out.endswith("Its secret is kept in the system keyring.\n")
        assert made.client.resource("more").check_connection()
    assert made.folder.joinpath("config.toml").read_text().count(made.fake.password) == 1


def test_without_a_secret_nothing_is_said_of_one(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    made.fake.all_admins = True
    capsys.readouterr()
    made.client.connect_resource("more", "Airflow", {"host": made.fake.host})
    assert "secret" not in capsys.readouterr().out


def test_a_wrong_password_is_not_kept(made: Deployment) -> None:
    before = (made.folder / "config.toml").read_text()
    with pytest.raises(AirflowLoginFailed) as caught:
        made.client.connect_resource("more", "Airflow", login(made, password="wrong-one"))
    assert "wrong-one" not in str(caught.value)
    assert (made.folder / "config.toml").read_text() == before
    assert list(made.client.list_resources()) == ["cluster"]


def test_a_host_that_does_not_answer_is_not_kept(made: Deployment) -> None:
    with pytest.raises(AirflowUnreachable, match=r"127\.0\.0\.1:9"):
        made.client.connect_resource("more", "Airflow", {"host": "127.0.0.1:9", "token": "t"})
    assert list(made.client.list_resources()) == ["cluster"]


@pytest.mark.parametrize(
    ("service", "config", "message"),
    [
        ("Airflow", {"hots": "x"}, "Did you mean 'host'"),
        ("Airflow", "host", "must be a dict such as {'host': ...}, not a str"),
        ("Postgres", {"host": "x"}, "database: is missing"),
        ("Postgress", {"host": "x"}, r"is of service 'Postgress', .*connected. Did you mean 'Postgres'"),
    ],
)
def test_a_wrong_configuration(made: Deployment, service: str, config: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made.client.connect_resource("more", service, config)


def test_connecting_again_replaces(made: Deployment) -> None:
    before = made.session.airflow("cluster")
    made.fake.users["bob"] = "secret-of-bob"
    made.client.connect_resource("cluster", "Airflow", login(made, username="bob", password="secret-of-bob"))
    assert made.session.airflow("cluster") is not before
    assert made.client.resource("cluster").username == "bob"


def test_forgetting_a_resource(made: Deployment) -> None:
    made.client.delete_resource("cluster")
    assert made.client.list_resources() == {}
    with pytest.raises(NotFound):
        made.client.resource("cluster")
    with pytest.raises(NotFound):
        made.client.delete_resource("cluster")


# --- what is kept, and cannot be used


@pytest.fixture
def mixed(made: Deployment) -> Deployment:
    """Beside the Airflow there is a resource of another release."""
    made.session.profile.save_resource(ResourceProfile("lake", "Salesforce", {"bucket": "b"}))
    return made


def test_a_list_leaves_out_what_cannot_be_used(mixed: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    assert list(usable_resources(mixed.session)) == ["cluster"]
    assert "The resource 'lake' is of service 'Salesforce'" in caplog.text


def test_the_surroundings(mixed: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    mixed.client.describe()
    store, _, titles, cluster, lake = capsys.readouterr().out.splitlines()
    assert store == f"Artifact store: {mixed.store.url('')}"
    assert titles.split() == ["resource", "service", "where"]
    assert cluster.split() == ["cluster", "Airflow", mixed.fake.url]
    assert lake.startswith("lake      Salesforce  ")
    assert "which cannot be connected" in lake


def test_surroundings_in_which_nothing_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aq.Client(config_path=tmp_path / "config.toml").describe()
    store, resources = capsys.readouterr().out.splitlines()
    assert store.startswith("Artifact store: cannot be used: No artifact store is known.")
    assert resources.startswith("No resource is connected: client.connect_resource(")


def test_each_secret_is_asked_for_once(made: Deployment) -> None:
    class Counting(MemoryKeyring):
        asked: ClassVar[list[str]] = []

        def get_password(self, service: str, username: str) -> str | None:
            self.asked.append(username)
            return super().get_password(service, username)

    with selected(Counting()):
        for number in range(5):
            made.session.profile.save_resource(
                ResourceProfile(f"r{number}", "Airflow", {"host": "h", "token": "t"})
            )
        Counting.asked.clear()
        made.client.list_resources()
        assert len(Counting.asked) == len(set(Counting.asked)) <= 12
