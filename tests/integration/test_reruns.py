"""A run fails on real data: replayed here, corrected, published and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from tests.integration.flow_place import Place

WAIT = 120


@pytest.fixture(scope="module")
def client(sdk_variables: dict[str, str], place: Place) -> Iterator[aq.Client]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sdk_variables.items():
            patch.setenv(name, value)
        client, login = aq.Client(), place.airflow.login
        client.connect_resource(
            "cluster", "Airflow", {"host": login.url, "username": login.user, "password": login.password}
        )
        yield client
        for name in ("prices", "waits"):
            client.delete_flow(name, force=True)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing leaves a copy of the spec in the working directory."""
    monkeypatch.chdir(tmp_path)


@aq.op(requirements=[], outputs=["parsed"], name="parse")
def parse(table: list[str], unit: str) -> list[str]:
    print(f"{len(table)} prices")
    return [f"{float(text):.2f} {unit}" for text in table]


@aq.op(requirements=[], outputs=["parsed"], name="parse")
def corrected_parse(table: list[str], unit: str) -> list[str]:
    return [f"{float(text.replace(',', '.')):.2f} {unit}" for text in table]


@aq.op(requirements=[], outputs=["last"])
def last(parsed: list[str]) -> str:
    return parsed[-1]


def test_a_failure_is_replayed_corrected_and_resumed_by_the_new_version(
    client: aq.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    def publish(function: aq.Operator) -> None:
        table, unit = client.create_param("table", ["1.5"]), client.create_param("unit", "EUR")
        client.publish_flow("prices", artifacts=[last.lazy(function.lazy(table, unit))], engine="cluster")

    publish(parse)
    run = client.trigger("prices", {"table": ["1.5", "2,25"]}, progress=False)
    assert run.wait(WAIT, progress=False) == "failed"
    capsys.readouterr()
    for how in ({}, {"isolated": True}):
        with pytest.raises(
            (ValueError, aq.OperatorFailed), match="could not convert string to float: '2,25'"
        ):
            run.replay("parse", **how)
        assert "2 prices" in capsys.readouterr().out
    assert run.replay("parse", function=corrected_parse) == ["1.50 EUR", "2.25 EUR"]

    publish(corrected_parse)
    run.resume(version="latest", progress=False)
    assert run.wait(WAIT, progress=False) == "succeeded"
    assert run.artifact("last").get() == "2.25 EUR"
    assert run.parameters() == {"table": ["1.5", "2,25"], "unit": "EUR"}
    assert run.spec.version.id == client.flow("prices").spec.version.id
    assert run.replay("parse") == ["1.50 EUR", "2.25 EUR"]
    with pytest.raises(aq.AuthoringError, match="has succeeded: nothing of it is left to run"):
        run.resume()


def begins(word: str) -> aq.Operator:
    @aq.op(requirements=[], outputs=["begun"], name="begins")
    def begins() -> str:
        return word

    return begins


@aq.op(requirements=[], outputs=["joined"])
def joins(begun: str, read: str) -> str:
    return f"{begun} {read}"


def test_a_run_goes_on_from_what_failed_by_its_own_version(client: aq.Client, tmp_path: Path) -> None:
    """One of two first tasks fails, and another version is published before the run is resumed."""
    file = tmp_path / "late.txt"

    def source(word: str) -> aq.Operator:
        path = str(file)

        @aq.op(requirements=[], outputs=["read"], name="reads")
        def reads() -> str:
            with open(path) as opened:  # noqa: PTH123
                return opened.read() + word

        return reads

    def publish(word: str) -> None:
        joined = joins.lazy(begins(word).lazy(), source(word).lazy())
        client.publish_flow("waits", artifacts=[joined], engine="cluster")

    publish("old")
    run = client.trigger("waits", progress=False)
    assert run.wait(WAIT, progress=False) == "failed"
    publish("new")
    client.flow("waits").wait_until_deployed(WAIT, progress=False)
    file.write_text("late-")
    assert run.resume().wait(WAIT, progress=False) == "succeeded"
    assert run.artifact("joined").get() == "old late-old"
    tries = {one.name: one.try_number for one in run.operators()}
    assert tries == {"begins": 1, "reads": 2, "joins": 1}
    assert run.spec.version.id != client.flow("waits").spec.version.id
