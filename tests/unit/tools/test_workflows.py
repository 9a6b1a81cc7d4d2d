"""The workflows of GitHub run what this repository has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.browser import PICTURES
from tools.matrix import ENTRIES

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github").rglob("*.yml"))
WORKFLOWS = [path for path in FILES if path.parent.name == "workflows"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_can_be_read(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_that_exist_with_few_rights_and_an_end(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", text)) <= targets
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_the_matrix_has_every_entry() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/matrix.yml").read_text("utf-8"))
    assert workflow["jobs"]["entry"]["strategy"]["matrix"]["name"] == list(ENTRIES)


def test_on_each_push_no_test_is_left_out() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/matrix.yml").read_text("utf-8"))["jobs"]
    # GitHub's CI=true, at which tests leave something out, is not handed on.
    assert "sudo --preserve-env=PATH make test" in [step.get("run") for step in jobs["all"]["steps"]]


def test_pictures_of_pages_are_kept_however_tests_end() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/matrix.yml").read_text("utf-8"))["jobs"]
    for job in jobs.values():
        (kept,) = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
        assert kept["if"] == "always()"
        assert PICTURES.is_relative_to(ROOT / kept["with"]["path"])


def test_a_release_stores_no_token() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    assert "secrets." not in text
    publish = yaml.safe_load(text)["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
