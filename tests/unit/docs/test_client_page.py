"""What docs/client.md says of the configuration is what the client reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aqueduct_provider.sdk.resources.profile import STORE_FIELDS, Profile, variable_of
from aqueduct_provider.sdk.resources.resources import _FIELDS, resource_from

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
        assert profile.store.bucket == "my-bucket"
        for resource in profile.resources().values():
            assert resource_from(resource).host == "https://airflow.example.com"


def test_every_field_of_the_store_is_told_with_its_variable() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(AQUEDUCT_\w+)` \|", PAGE, re.MULTILINE))
    assert rows == {name: f"AQUEDUCT_{name.upper()}" for name in STORE_FIELDS}


def test_the_example_of_a_variable_is_right() -> None:
    assert f"`{variable_of('my-cluster', 'password')}` for `my-cluster`" in PAGE


def test_every_field_of_an_airflow_is_told() -> None:
    table = PAGE.partition("## Airflow\n")[2].partition("###")[0]
    cells = re.findall(r"^\| (`.*?`) \| ", table, re.MULTILINE)
    assert sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == sorted(_FIELDS)
