"""Whoever can write to the bucket runs no code where results are read, and is not believed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import deployment
from tests.support.tampering_attacks import ATTACKS
from tests.support.tampering_victim import NAMES, Victim, victim_of


@pytest.fixture(scope="module")
def victim(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    folder = tmp_path_factory.mktemp("tampering")
    with deployment(bucket, s3_server, credentials_file, folder) as made, victim_of(made) as victim:
        yield victim


def test_the_truth(victim: Victim) -> None:
    assert [victim.truth[f"0.{name}"] for name in ("rows", "total", "many")] == [4, 6, True]
    assert [victim.truth[f"1.{name}"] for name in ("text", "raw", "model")] == ["5 rows", b"\x05", {5}]
    assert not [value for value in victim.truth.values() if isinstance(value, Exception)]
    assert victim.lies(victim.read()) == {}
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", ATTACKS)
def test_where_airflow_knows_the_run_nothing_is_believed(victim: Victim, name: str) -> None:
    with victim.attacked_by(ATTACKS[name]):
        # Trust is for what Airflow does not know: it changes nothing here.
        found = victim.read(trust_store=True)
    assert not victim.marker.exists()
    assert victim.lies(found) == {}


@pytest.mark.parametrize("name", ATTACKS)
def test_where_airflow_has_forgotten_the_run_nothing_is_run(victim: Victim, name: str) -> None:
    dag = victim.made.fake.dags["victim"]
    runs = dict(dag.runs)
    dag.runs.clear()
    try:
        with victim.attacked_by(ATTACKS[name]):
            victim.read()
    finally:
        dag.runs.update(runs)
    assert not victim.marker.exists()


@pytest.mark.parametrize("name", ["rows", "total", "many", "text", "raw", "picture"])
def test_plain_data_is_not_unpickled_even_where_the_store_is_trusted(victim: Victim, name: str) -> None:
    dag = victim.made.fake.dags["victim"]
    runs = dict(dag.runs)
    dag.runs.clear()
    try:
        for attack in (f"a pickle for '{name}'", f"a pickle for '{name}' as its own type"):
            with victim.attacked_by(ATTACKS[attack]):
                found = victim.read(trust_store=True)
            # What an operator of no declared type gave is known by the metadata alone.
            if name in ("rows", "total", "many") or attack.endswith("type"):
                assert not victim.marker.exists()
                assert isinstance(found[f"0.{name}"], Exception)
            elif victim.marker.exists():
                victim.marker.rmdir()
    finally:
        dag.runs.update(runs)


def test_the_traps_work(victim: Victim) -> None:
    assert set(NAMES) <= {label.partition(".")[2] for label in victim.truth}
    with victim.attacked_by(ATTACKS["a pickle for 'model'"]):
        runs = dict(victim.made.fake.dags["victim"].runs)
        victim.made.fake.dags["victim"].runs.clear()
        victim.read(trust_store=True)
        victim.made.fake.dags["victim"].runs.update(runs)
    assert victim.marker.exists()
    victim.marker.rmdir()
