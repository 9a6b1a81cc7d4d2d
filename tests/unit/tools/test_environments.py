from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tools.environments import ENVIRONMENTS, uv_settings


def test_uv_gets_what_pip_was_told(tmp_path: Path) -> None:
    listed = (
        "global.cert='/etc/ca.pem'\n"
        "global.extra-index-url='https://one.example/simple https://two.example/simple'\n"
        f"global.find-links='{tmp_path} /no/such/folder'\n"
        "global.timeout='60'\n"
    )
    assert uv_settings(listed) == {
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": str(tmp_path),
    }


def test_the_environment_beats_the_file_as_in_pip() -> None:
    listed = "global.index-url='https://file.example'\n:env:.index-url='https://variable.example'\n"
    assert uv_settings(listed) == {"UV_DEFAULT_INDEX": "https://variable.example"}


def test_nothing_told_is_nothing_set() -> None:
    assert uv_settings("") == {}


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_every_environment_is_pinned_without_an_address(name: str) -> None:
    lines = ENVIRONMENTS[name].constraints.read_text().splitlines()
    assert len(lines) > 20
    assert [line for line in lines if "==" not in line or "/" in line] == []


def test_other_requirements_mean_another_environment() -> None:
    environment = ENVIRONMENTS["oracle"]
    assert environment.digest == replace(environment).digest
    assert environment.digest != replace(environment, requirements=("aqueduct-ml",)).digest
