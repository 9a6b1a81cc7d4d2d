"""The page of the package index, as the metadata of the built wheel make it."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

import aqueduct_provider
from tests.support.code_blocks import python_blocks
from tools.supported import PYTHONS

ROOT = Path(__file__).parents[3]
# For developers: dependency groups, which no wheel has.
GROUPS = {"test", "browser", "bench", "lint", "docs"}


@pytest.fixture(scope="module")
def page(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def description(page: Message) -> str:
    text = page.get_payload()
    assert isinstance(text, str)
    return text


def test_names_version_authors_license_and_address(page: Message) -> None:
    assert page["Name"] == "airflow-provider-aqueduct"
    assert page["Version"] == aqueduct_provider.__version__
    assert page["Author"]
    assert page["License-Expression"] == "Apache-2.0"
    urls = dict(value.split(", ") for value in page.get_all("Project-URL", []))
    assert urls["Homepage"].startswith("https://")
    assert page["Description-Content-Type"] == "text/markdown"


def test_classifiers_name_status_audience_systems_and_every_supported_python(page: Message) -> None:
    classifiers = page.get_all("Classifier", [])
    for topic in ("Development Status", "Intended Audience", "Operating System", "Typing"):
        assert any(line.startswith(f"{topic} :: ") for line in classifiers), topic
    minor = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    assert tuple(found[1] for line in classifiers if (found := minor.fullmatch(line))) == PYTHONS
    assert page["Requires-Python"] == f">={PYTHONS[0]}"


def test_extras_are_for_users_only(page: Message) -> None:
    extras = set(page.get_all("Provides-Extra", []))
    assert {"airflow", "demo", "postgres", "tables"} <= extras
    assert not extras & GROUPS


def test_the_demo_has_the_driver_of_its_database(page: Message) -> None:
    needed = [line for line in page.get_all("Requires-Dist", []) if "'demo'" in line]
    (driver,) = (line for line in needed if line.startswith("adbc-driver-sqlite"))
    assert "python_version >= '3.11'" in driver


def test_where_the_documentation_is(description: str) -> None:
    assert "The documentation is in the folder `docs` of the source distribution." in description
    assert " · " not in description


def test_no_link_or_picture_is_relative(description: str) -> None:
    text = re.sub(r"^```.*?^```$", "", description, flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    assert not [link for link in links if not link.startswith("https://")]


def test_the_script_of_the_readme_is_whole(description: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(description, "utf-8")
    assert python_blocks(tmp_path / "page.md") == python_blocks(ROOT / "README.md")


def test_the_wheel_has_types_and_licenses_and_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "aqueduct_provider/py.typed" in names
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "aqueduct_provider",
        "airflow_provider_aqueduct",
    }
