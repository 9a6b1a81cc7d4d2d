"""What docs/client.md says of the configuration is what the client reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aqueduct_provider.sdk.resources.airflow_resource import _FIELDS
from aqueduct_provider.sdk.resources.profile import STORE_FIELDS, Profile, variable_of
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.session import Session

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "client.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["client.md", "tutorial/quickstart.md"])
def test_the_configuration_files_that_are_shown_can_be_used(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        path = tmp_path / "config.toml"
        path.write_text(block)
        path.chmod(0o600)
        profile = Profile.load(path, environ={"AQUEDUCT_CLUSTER_PASSWORD": "secret"})
        session = Session(profile)
        assert profile.store.bucket == "my-bucket"
        places = {name: session.resource(name).place for name in profile.services()}
        known = {"cluster": "https://airflow.example.com", "warehouse": "db.example.com/shop"}
        assert places == {name: known[name] for name in places}


def test_every_field_of_the_store_is_told_with_its_variable() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(AQUEDUCT_\w+)` \|", PAGE, re.MULTILINE))
    assert rows == {name: f"AQUEDUCT_{name.upper()}" for name in STORE_FIELDS}


def test_the_example_of_a_variable_is_right() -> None:
    assert f"`{variable_of('my-cluster', 'password')}` for `my-cluster`" in PAGE


def test_every_field_of_an_airflow_is_told() -> None:
    table = PAGE.partition("## Airflow\n")[2].partition("###")[0]
    cells = re.findall(r"^\| (`.*?`) \| ", table, re.MULTILINE)
    assert sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == sorted(_FIELDS)


def test_every_field_of_every_data_system_is_told() -> None:
    section = PAGE.partition("## Data systems\n")[2]
    rows = re.findall(r"^\| (`[A-Z].*?) \| (.*?) \| ?(.*?) ?\|$", section, re.MULTILINE)
    told = {
        name: (fields, secrets) for cell, fields, secrets in rows for name in re.findall(r"`(.+?)`", cell)
    }
    assert told.keys() | {"Airflow"} == SERVICES.keys()
    aws = {"access_key_id", "config_file_path", "config_file_profile", "type"}
    for name, (fields, secrets) in told.items():
        service = SERVICES[name]
        listed = set(re.findall(r"`(\w+)`", fields)) | (aws if "AWS credentials" in fields else set())
        assert listed | {"connection_id"} == set(service.fields) - set(service.secrets), name
        assert set(re.findall(r"`(\w+)`", secrets)) == set(service.secrets), name
        assert set(re.findall(r"\*\*`(\w+)`\*\*", fields + secrets)) == set(service.needed), name
    for field in aws:
        assert f"`{field}`" in section


def test_every_scheme_of_a_url_is_told() -> None:
    schemes = {scheme for service in SERVICES.values() for scheme in service.schemes}
    assert not [scheme for scheme in schemes - {"postgres", "mongodb+srv"} if f"`{scheme}://" not in PAGE]
