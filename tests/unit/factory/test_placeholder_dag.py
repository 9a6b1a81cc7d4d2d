from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.compat import AirflowFailException
from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.factory.load_dags import dags_in
from aqueduct_provider.factory.placeholder_dag import (
    placeholder,
    placeholder_id,
    store_placeholder,
)
from aqueduct_provider.spec_sources.folder import SpecFolder
from tests.support.example_specs import native_document

ERROR = SpecError("churn.json", [Problem("$.a", "```\n<script>{{ x }}"), Problem("$.b", "bad\x00")])


def test_a_plain_file_name_stands_in_the_dag_id() -> None:
    assert placeholder_id("churn-v2.1.json") == "broken_spec__churn-v2.1.json"


def test_no_two_files_share_a_placeholder() -> None:
    names = ["a b.json", "a_b.json", "a?b.json", "ä.json", "\udcff.json", "x.json", "x.JSON"]
    names += ["n" * 249 + ".json", "n" * 248 + "m.json"]
    ids = [placeholder_id(name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(len(dag_id) <= 250 and dag_id.isascii() for dag_id in ids)
    assert ids == [placeholder_id(name) for name in names]


def test_the_placeholder_is_paused_and_shows_the_error(serialized: Callable[[Any], dict[str, Any]]) -> None:
    dag = placeholder("churn.json", ERROR, fileloc="/dags/loader.py")
    assert dag.is_paused_upon_creation is True
    assert dag.timetable.can_be_scheduled is False
    assert set(dag.tags) == {"aqueduct", "broken spec"}
    assert dag.dag_display_name == "broken spec: churn.json"
    assert dag.fileloc == "/dags/loader.py"
    assert (
        "````text\nchurn.json has 2 problems:\n  $.a: ```\n<script>{{ x }}\n  $.b: bad\ufffd\n````"
        in dag.doc_md
    )
    assert len(serialized(dag)["dag"]["tasks"]) == 1


def test_a_triggered_placeholder_fails_with_the_error_and_without_retry() -> None:
    (task,) = placeholder("churn.json", ERROR, fileloc="").tasks
    assert task.retries == 0
    assert tuple(task.template_fields) == ()
    with pytest.raises(AirflowFailException) as caught:
        task.execute({})
    assert str(caught.value) == str(ERROR).replace("\x00", "\ufffd")


def test_a_huge_error_is_cut() -> None:
    error = SpecError("churn.json", [Problem(f"$[{index}]", "x" * 200) for index in range(10_000)])
    assert len(placeholder("churn.json", error, fileloc="").doc_md) < 21_000


def test_the_placeholder_of_a_store_names_the_connection() -> None:
    dag = store_placeholder("my_store", "There is no `bucket`.", fileloc="/dags/loader.py")
    assert dag.dag_id == "broken_spec__aqueduct_store_my_store"
    assert dag.is_paused_upon_creation is True
    assert set(dag.tags) == {"aqueduct", "broken spec"}
    assert "`my_store`" in dag.doc_md
    assert "There is no `bucket`." in dag.doc_md
    with pytest.raises(AirflowFailException, match="There is no `bucket`"):
        dag.tasks[0].execute({})


def test_the_placeholder_of_a_store_with_any_connection_id() -> None:
    dag_id = store_placeholder("a b/`c`", "wrong", fileloc="").dag_id
    assert dag_id.startswith("broken_spec__aqueduct_store_a_b__c__")
    assert dag_id != store_placeholder("a b/`c'", "wrong", fileloc="").dag_id


def test_uris_are_shown_without_their_user_part() -> None:
    dag = store_placeholder("lake", "cannot reach http://me:planted@host:9000", fileloc="/dags/loader.py")
    assert "http://***@host:9000" in str(dag.doc_md)
    assert "planted" not in f"{dag.doc_md} {dag.get_task('show_error').error}"


class Metrics:
    """A metrics system that keeps what it is sent."""

    def __init__(self) -> None:
        self.gauges: dict[str, list[float]] = {}

    def gauge(self, stat: str, value: float, **_: Any) -> None:
        self.gauges.setdefault(stat, []).append(value)


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metrics]:
    """What the DAG processor of this Airflow sends."""
    from airflow.dag_processing import manager

    found = Metrics()
    if hasattr(manager, "stats"):
        from airflow._shared.observability.metrics.base_stats_logger import NoStatsLogger

        manager.stats.initialize(factory=lambda: found, export_legacy_names=False)
        yield found
        manager.stats.initialize(factory=NoStatsLogger, export_legacy_names=False)
    else:
        monkeypatch.setattr(manager.Stats, "instance", found)
        yield found


def test_monitors_see_how_many_specs_are_broken(
    metrics: Metrics, folder: Path, write: Callable[[str, Any], Path], caplog: pytest.LogCaptureFixture
) -> None:
    write("good.json", native_document())
    write("a.json", '{"spec_version": 9}')
    write("b.json", '{"spec_version": 1}')
    dags_in([SpecFolder(folder)], "/dags/my loader.v2.py")
    write("a.json", "{}")
    (folder / "b.json").unlink()
    dags_in([SpecFolder(folder)], "/dags/my loader.v2.py")
    assert metrics.gauges == {"aqueduct.broken_specs.my_loader_v2": [2, 0]}
    errors = [record.message.split()[0] for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["a.json", "b.json"]


def test_a_task_sets_no_metric(
    metrics: Metrics, folder: Path, write: Callable[[str, Any], Path], task_of: Callable[[str], None]
) -> None:
    write("churn.json", native_document())
    task_of("churn")
    assert list(dags_in([SpecFolder(folder)], "/dags/loader.py")) == ["churn"]
    assert metrics.gauges == {}


def test_a_metric_that_cannot_be_set_hides_no_dag(
    metrics: Metrics, folder: Path, write: Callable[[str, Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("churn.json", native_document())
    monkeypatch.delattr(Metrics, "gauge")
    assert list(dags_in([SpecFolder(folder)], "/dags/loader.py")) == ["churn"]
