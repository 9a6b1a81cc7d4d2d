"""Publishing: what is checked before, where the spec goes, and what is said of it."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound, PackagingError
from aqueduct_provider.storage.layout import delivered_spec
from tests.support.deployment import Deployment, deployment, features

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def connect(made: Deployment, name: str = "cluster", **fields: Any) -> None:
    login = {"host": made.fake.url, "username": made.fake.user, "password": made.fake.password}
    made.client.connect_resource(name, "Airflow", {**login, **fields})


def test_what_was_published_is_said(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    artifacts = made.author()
    capsys.readouterr()
    flow = made.publish("My churn", artifacts)
    place = made.store.url(delivered_spec("My_churn"))
    assert capsys.readouterr().out == (
        f"Published v1 of 'My churn' (DAG My_churn) to {place}.\n"
        f"Airflow shows it: {flow.url()}\n"
        "No run was started, and it has no schedule. client.trigger('My churn') starts one now, as does "
        "publish_flow(..., run_now=True). So does the button Trigger in Airflow; schedule=... lets it run "
        "regularly.\n"
    )
    text = made.store.get(delivered_spec("My_churn"))
    assert json.loads(text)["version"]["id"] == flow.record.version_id
    assert flow.record.engine == "cluster"


def test_who_published_a_version_and_why(made: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    version = made.publish(message="Count more rows").spec.version
    assert (version.message, version.published_by, version.restores) == ("Count more rows", "ada", None)
    record = made.publish().record
    assert (record.number, record.versions[1].number) == (2, 1)
    assert (
        record.versions[1].spec_sha256
        == hashlib.sha256(
            made.session.registry.spec_text(record.flow_id, record.versions[1].version_id)
        ).hexdigest()
    )
    assert made.session.registry.latest_spec(record).version.message == ""
    with pytest.raises(AuthoringError, match="publish_flow: message must be text of at most 500"):
        made.publish(message="x" * 501)
    with pytest.raises(AuthoringError, match="The flow's message holds"):
        made.publish(message="uses postgres://ada:hunter2-long@db/shop")


def test_nothing_is_written_here_unless_asked(made: Deployment) -> None:
    before = sorted(made.folder.iterdir())
    made.publish()
    made.publish(spec_file=False)
    assert sorted(made.folder.iterdir()) == before


@pytest.mark.parametrize("given", [True, "specs/mine.json", Path("specs/mine.json")])
def test_a_copy_of_the_spec_is_written_where_it_is_asked_for(
    made: Deployment, capsys: pytest.CaptureFixture[str], given: Any
) -> None:
    (made.folder / "specs").mkdir()
    made.publish("My churn", spec_file=given)
    written = "My_churn_airflow.json" if given is True else "specs/mine.json"
    assert (made.folder / written).read_bytes() == made.store.get(delivered_spec("My_churn"))
    assert f" A copy is in {written}.\n" in capsys.readouterr().out


def test_what_is_not_the_path_of_a_file(made: Deployment) -> None:
    with pytest.raises(AuthoringError, match="spec_file must be the path of a file, or True, not 1"):
        made.publish(spec_file=1)


def test_a_save_that_is_not_fused_is_reported(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    config = {"database": str(made.folder / "shop.db"), "connection_id": "shop"}
    made.client.connect_resource("shop", "SQLite", config)
    shop = made.client.resource("shop")
    table = shop.sql("SELECT 1 AS a", lazy=True)
    shop.save(table, "copy", "append")
    flow = made.publish(artifacts=[table], engine="cluster", fuse=True)
    assert [(one.type, one.fuse) for one in flow.spec.operators] == [("extract", "flow"), ("load", None)]
    assert "Not fused, so that a retry cannot write twice: 'save to shop'." in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_only_a_warning(
    made: Deployment, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    artifacts = made.author()
    capsys.readouterr()
    (made.folder / "churn_airflow.json").mkdir()
    made.publish(artifacts=artifacts, spec_file=True)
    assert "A copy" not in capsys.readouterr().out
    assert "The spec could not be written to" in caplog.text
    assert "Is a directory" in caplog.text


def test_all_that_a_flow_is_told(made: Deployment) -> None:
    before = made.publish("before")
    flow = made.publish(
        description="Counts.", source_flow=before, k_latest_runs=3, disable_snapshots=True, tags=["mine"]
    )
    spec = flow.spec
    assert (spec.flow.description, spec.flow.tags) == ("Counts.", ("mine",))
    assert (spec.version.number, made.publish().spec.version.number) == (1, 2)
    assert spec.schedule is not None
    assert spec.schedule.type == "after_flows"
    assert spec.retention.k_latest_runs == 3
    assert not next(one for one in spec.artifacts if one.name == "table").keep_snapshot


@pytest.mark.parametrize("how", ["flow", "name", "id", "uuid", "list"])
def test_ways_to_name_the_flow_before(made: Deployment, how: str) -> None:
    before = made.publish("before")
    ways = {"flow": before, "name": "before", "id": str(before.id()), "uuid": before.id(), "list": [before]}
    assert made.publish(source_flow=ways[how]).spec.schedule.flows == ("before",)  # type: ignore[union-attr]


def test_flows_that_cannot_be_followed(made: Deployment) -> None:
    with pytest.raises(NotFound, match="No flow 'bfore'"):
        made.publish(source_flow="bfore")
    made.publish()
    with pytest.raises(AuthoringError, match="'churn' cannot run after itself"):
        made.publish(source_flow="churn")


def test_a_flow_follows_flows_of_its_own_airflow_only(made: Deployment) -> None:
    made.publish("before")
    connect(made, "same")
    made.publish(source_flow="before", engine="same")
    made.fake.tokens.add("t")
    made.client.connect_resource(
        "elsewhere", "Airflow", {"host": made.fake.url.replace("127.0.0.1", "localhost"), "token": "t"}
    )
    with pytest.raises(AuthoringError, match=r"after 'before', which runs on 'cluster': .*'elsewhere'"):
        made.publish(source_flow="before", engine="elsewhere")
    made.client.delete_resource("cluster")
    with pytest.raises(AuthoringError, match="which runs on 'cluster'"):
        made.publish(source_flow="before", engine="same")


def test_a_python_that_the_workers_lack(made: Deployment) -> None:
    connect(made, python_versions=["3.1"])
    with pytest.raises(
        AuthoringError, match=rf"Functions of Python {HERE} cannot run on 'cluster', which has 3\.1\."
    ):
        made.publish()
    connect(made, python_versions=["3.1", HERE])
    made.publish()


def test_nothing_is_published_of_what_would_fail(made: Deployment) -> None:
    before = list(made.store.list(""))
    with pytest.raises(AuthoringError, match="schedule"):
        made.publish(schedule="61 * * * *", spec_file=True)
    assert list(made.store.list("")) == before
    assert not list(made.folder.glob("*_airflow.json"))


def test_nothing_is_published_that_a_worker_could_not_load(made: Deployment) -> None:
    class Failure(Exception):
        def __init__(self, what: str, why: str) -> None:
            super().__init__(what)

    failure = Failure("a", "b")

    @aq.op(requirements=[])
    def failing() -> str:
        return str(failure)

    before = list(made.store.list(""))
    with pytest.raises(PackagingError, match=r"'failing' can be pickled, but .*TypeError: .*missing .*'why'"):
        made.publish(artifacts=[failing()])
    assert list(made.store.list("")) == before


def test_into_a_folder_of_dags(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    dags = made.folder / "dags"
    dags.mkdir()
    connect(made, dags_folder=str(dags))
    flow = made.publish(wait=0)
    assert json.loads((dags / "churn.json").read_text())["dag_id"] == "churn"
    assert f"to {dags / 'churn.json'}.\n" in capsys.readouterr().out
    assert not made.store.exists(delivered_spec("churn"))
    assert flow.record.delivered_to == str(dags / "churn.json")


def test_a_folder_is_no_store_for_airflow(made: Deployment, tmp_path: Path) -> None:
    client = aq.Client(folder=str(tmp_path / "store"), config_path=made.folder / "config.toml")
    with pytest.raises(ConfigError, match="Airflow needs an S3 bucket"):
        client.publish_flow("churn", artifacts=made.author())


def test_run_now(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    made.publish().wait_until_deployed(progress=False)
    made.fake.dags["churn"].paused = True
    capsys.readouterr()
    flow = made.publish(run_now=True)
    (run,) = made.fake.dags["churn"].runs.values()
    assert not made.fake.dags["churn"].paused
    assert flow.record.version_id[:8] in made.fake.dags["churn"].description
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == f"Started run {run.run_id}."
    assert told.err == "Waiting for Airflow to show 'churn' ...\n"


@pytest.mark.parametrize("major", [3, 2])
def test_a_published_flow_is_visible(
    major: int, bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path
) -> None:
    with deployment(bucket, s3_server, credentials_file, tmp_path, major=major) as made:
        for _ in range(2):
            flow = made.publish()
            assert flow.record.version_id[:8] in made.fake.dags["churn"].description
        assert len(made.fake.calls("PUT", "parseDagFile")) == 2


def test_it_is_waited_for(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    made.publish()
    capsys.readouterr()
    looks = []

    def parse_late(token: str) -> None:
        looks.append(token)
        made.fake.parsed.clear()
        threading.Timer(0.05, made.parse).start()

    made.fake.on_parse = parse_late
    flow = made.publish(wait=60)
    assert flow.record.version_id[:8] in made.fake.dags["churn"].description
    told = capsys.readouterr()
    assert told.err == "Waiting for Airflow to show 'churn' ...\n"
    assert f"Airflow shows it: {flow.url()}\nNo run was started, " in told.out
    assert len(looks) == 1


def test_nobody_waits_for_an_airflow_that_is_asked_only(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts = made.author()
    capsys.readouterr()
    made.hidden.add("churn")
    made.publish(artifacts=artifacts, wait=0)
    assert made.fake.calls("PUT", "parseDagFile")
    told = capsys.readouterr()
    assert [line.partition(" ")[0] for line in told.out.splitlines()] == ["Published", "No"]
    assert told.err == ""


def test_an_airflow_that_is_away_fails_no_publication(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    with made.away():
        flow = made.publish()
    assert made.store.get(delivered_spec("churn"))
    assert made.client.flow("churn").record == flow.record
    assert "\nIts spec is delivered, and Airflow finds it" in capsys.readouterr().out


def test_a_flow_that_was_deleted_cannot_be_followed(made: Deployment) -> None:
    before = made.publish("before")
    made.client.delete_flow("before")
    with pytest.raises(NotFound, match=r"No flow 'before' in .*\. It was deleted on .* Publish it again"):
        made.publish(source_flow="before")
    with pytest.raises(AuthoringError, match="cannot run after 'before', which was deleted"):
        made.publish(source_flow=made.client.flow(before.id()))


@pytest.mark.parametrize("run_now", [None, False])
def test_otherwise_it_does_not_run(made: Deployment, run_now: Any) -> None:
    made.publish(run_now=run_now)
    assert made.fake.calls("POST", "dagRuns") == []


def test_publishing_again_is_a_new_version_of_the_same_flow(made: Deployment) -> None:
    first, second = made.publish(), made.publish()
    assert first.id() == second.id()
    assert first.record.version_id != second.record.version_id
    assert [one["version_id"] for one in made.client.list_flows()] == [second.record.version_id]


def test_one_artifact_needs_no_list(made: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    table = features(made.client.create_param("rows", 1))
    monkeypatch.chdir(made.folder)
    flow = made.client.publish_flow("one", artifacts=table)
    assert [one.name for one in flow.spec.artifacts] == ["rows", "table"]
