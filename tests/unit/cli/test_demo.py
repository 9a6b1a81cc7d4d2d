from __future__ import annotations

import pytest

from aqueduct_provider import cli
from aqueduct_provider.demo import tour


def test_without_the_extra_it_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tour, "NEEDED", ("no_such_module",))
    assert cli.main(["demo"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("aqueduct-airflow: the demo needs packages that are not installed")


def test_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tour.Tour] = []

    def run(self: tour.Tour) -> bool:
        runs.append(self)
        return len(runs) < 3

    monkeypatch.setattr(tour.Tour, "run", run)
    assert [cli.main(["demo", *options]) for options in ([], ["--keep"], ["--only-stack"])] == [0, 0, 1]
    assert [(bool(one.script), one.keep) for one in runs] == [(True, False), (True, True), (False, True)]
