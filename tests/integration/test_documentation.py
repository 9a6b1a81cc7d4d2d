"""The pages for data scientists, each run as one script, and the outputs that they show."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.stack import SHOWN_ELSEWHERE
from tests.support.code_blocks import python_blocks

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/client.md",
    "docs/debugging.md",
    "docs/notifications.md",
    "docs/runs.md",
    "docs/testing.md",
    "docs/tutorial/data-systems.md",
    "docs/tutorial/metrics-and-checks.md",
    "docs/tutorial/moving-from-aqueduct.md",
    "docs/tutorial/parameters.md",
    "docs/tutorial/quickstart.md",
    "docs/tutorial/reading-results.md",
    "docs/tutorial/requirements.md",
    "docs/tutorial/values.md",
    "docs/versions.md",
]
# Its scripts are for type checkers; tests/unit/docs/test_operators_page.py has them checked.
TYPED = {"docs/operators.md"}
# The page whose script both lines run in CI.
_BOTH = {"README.md"}
SECONDS = 300

# A python block, and the text block right after it where there is one: what the python block prints.
_BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
# Printed between two blocks.
_BORDER = "\x1e"
_LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_every_page_with_code_is_run() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    with_code = {str(page.relative_to(ROOT)) for page in pages if _BLOCK.search(page.read_text("utf-8"))}
    assert with_code == {*PAGES, *TYPED}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=() if page in _BOTH else SHOWN_ELSEWHERE) for page in PAGES]
)
def test_a_page_runs_as_it_stands_and_prints_what_it_shows(
    page: str, sdk_variables: dict[str, str], tmp_path: Path
) -> None:
    blocks = _BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert [code for code, _ in blocks] == python_blocks(ROOT / page)
    script = tmp_path / "script.py"
    script.write_text("".join(f"{code}\nprint({_BORDER!r}, flush=True)\n" for code, _ in blocks), "utf-8")
    # The resources that one page connects are not those of another.
    environment = {**os.environ, **sdk_variables, "AQUEDUCT_CONFIG": str(tmp_path / "config.toml")}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    *printed, rest = done.stdout.split(f"{_BORDER}\n")
    assert not rest
    for (code, expected), output in zip(blocks, printed, strict=True):
        if expected:
            assert doctest.OutputChecker().check_output(expected, output, _LENIENT), f"{code}\n{output}"
