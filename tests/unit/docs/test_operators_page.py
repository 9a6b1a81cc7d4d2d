"""The script in docs/operators.md runs; ``sdk/test_type_checkers.py`` checks what is said of its types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import aqueduct_provider.sdk as aq
from tests.support.code_blocks import python_blocks

PAGE = Path(__file__).parents[3] / "docs" / "operators.md"


def test_the_script_runs_and_its_artifacts_are_those_that_are_named(tmp_path: Path) -> None:
    script, mistakes = python_blocks(PAGE)
    assert all("  # error: " in line for line in mistakes.splitlines())
    shown = "print(type(train).__name__, type(test).__name__, type(score).__name__, value)\n"
    (tmp_path / "script.py").write_text(script + shown, "utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    artifacts = " ".join(kind.__name__ for kind in (aq.TableArtifact, aq.TableArtifact, aq.NumericArtifact))
    assert done.stdout == f"{artifacts} 7.0\n"
