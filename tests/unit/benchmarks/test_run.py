from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from benchmarks import run
from benchmarks.figures import Figure
from benchmarks.lab import BenchmarkFailed, Lab


def made(measure: Callable[[Lab, Any], list[Figure]]) -> ModuleType:
    module = ModuleType("benchmark")
    module.FULL, module.SMOKE, module.measure = "full", "smoke", measure  # type: ignore[attr-defined]
    return module


def missed(lab: Lab, sizes: Any) -> list[Figure]:
    return [Figure(f"of {sizes}", "3", target="at most 2", reached=False)]


def fails(lab: Lab, sizes: Any) -> list[Figure]:
    raise BenchmarkFailed("the server did not start")


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BENCHMARKS", {"slow": made(missed), "broken": made(fails)})


def test_a_smoke_run_judges_no_targets(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--smoke", "--only", "slow"]) == 0
    assert "SMOKE PASSED: 1 benchmarks ran" in capfd.readouterr().out


def test_a_smoke_run_fails_with_a_benchmark_and_runs_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--smoke", "--only", "broken", "slow"]) == 1
    printed = capfd.readouterr()
    assert "SMOKE FAILED: broken" in printed.out
    assert "slow ..." in printed.out
    assert "the server did not start" in printed.err


def test_a_measurement_says_what_failed_and_what_was_missed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--only", "slow", "broken"]) == 1
    assert capfd.readouterr().out.endswith("FAILED: broken\nNOT REACHED: slow: of full\n")


def test_a_smoke_run_writes_no_figures() -> None:
    with pytest.raises(SystemExit, match="2"):
        run.main(["--smoke", "--write"])


def test_every_benchmark_has_both_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert len(run.BENCHMARKS) == 13
    for module in run.BENCHMARKS.values():
        assert module.FULL != module.SMOKE
        assert type(module.FULL) is type(module.SMOKE)
