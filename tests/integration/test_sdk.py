"""The whole way of a data scientist: author, publish, trigger, wait, read back, publish again, delete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

import aqueduct_provider.sdk as aq
from tests.integration.flow_place import SEEN_SECONDS, Place
from tests.integration.stack import MAJOR
from tests.integration.waiting import wait_for

WAIT = 120
# What the worker's own Python has, so that no environment needs to be built.
TABLES, IMAGES = ["pandas", "pyarrow"], ["pandas", "pyarrow", "pillow"]


@pytest.fixture(scope="module")
def client(sdk_variables: dict[str, str], place: Place) -> Iterator[aq.Client]:
    """A client as a script has it: all it knows comes from variables and from what it connects."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sdk_variables.items():
            patch.setenv(name, value)
        client = aq.Client()
        login = place.airflow.login
        client.connect_resource(
            "cluster", "Airflow", {"host": login.url, "username": login.user, "password": login.password}
        )
        client.connect_resource(
            "folder",
            "Airflow",
            {
                "host": login.url.removeprefix("http://"),
                "username": login.user,
                "password": login.password,
                "s3_credentials_path": sdk_variables["AQUEDUCT_CREDENTIALS_PATH"],
                "s3_credentials_profile": "research",
                "dags_folder": str(place.airflow.dags),
            },
        )
        yield client


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a working directory of its own."""
    monkeypatch.chdir(tmp_path)


class Model:
    """A picklable value of a class that the worker does not have."""

    def __init__(self, factor: float) -> None:
        self.factor = factor


@aq.op(requirements=TABLES)
def rows(count: int, names: set[str]) -> Any:
    import pandas

    print("making", count, "rows")
    return pandas.DataFrame({"number": range(int(count)), "name": sorted(names)[0]})


@aq.op(requirements=TABLES, outputs=["model", "facts"])
def fit(table: Any) -> Any:
    return Model(float(len(table))), {"rows": len(table), "columns": list(table.columns)}


@aq.op(requirements=IMAGES, outputs=["picture"])
def draw(table: Any) -> Any:
    from PIL import Image

    return Image.new("RGB", (len(table), 7))


@aq.op(requirements=[], num_outputs=5)
def others() -> Any:
    return "a text", b"bytes", [1, 2], (1, "two"), '{"json": true}'


@aq.metric(requirements=TABLES, output="size")
def size(table: Any) -> int:
    return len(table)


@aq.check(requirements=[])
def small(size: float) -> bool:
    print("the size is", size)
    return size < 4


@pytest.fixture(scope="module")
def flow(client: aq.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[aq.Flow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("flow"))
        count = client.create_param("count", default=3, description="How many rows.")
        table = rows(count, {"b", "a"})
        table.set_name("rows")
        model, _ = fit(table)
        small(size(table))
        table.system_metric("runtime").set_name("seconds")
        yield client.publish_flow(
            "every type",
            description="Makes *all* types.",
            artifacts=[model, draw(table), *others()],
            schedule=aq.monthly(aq.DayOfMonth(1), timezone="Europe/Berlin"),
            engine="cluster",
        )


def test_what_airflow_shows(place: Place, flow: aq.Flow) -> None:
    # First of all: reading a log lets the webserver of 2.11 take that run's values for the defaults.
    flow.wait_until_deployed(progress=False)
    details = place.client.details("every_type")
    assert "Makes *all* types." in details["doc_md"]
    assert details["params"]["count"]["value"] == 3
    # Midnight in Berlin is 23 or 22 o'clock UTC.
    assert details["next_dagrun" if MAJOR == 2 else "next_dagrun_logical_date"][11:13] in ("22", "23")


def test_every_type_is_read_back(client: aq.Client, flow: aq.Flow) -> None:
    run = client.trigger("every type", parameters={"count": 5, "rows:names": {"z", "y"}}, progress=False)
    assert run.wait(WAIT, progress=False) == aq.ExecutionStatus.SUCCEEDED
    frame = pd.DataFrame({"number": range(5), "name": "y"})
    pd.testing.assert_frame_equal(run.artifact("rows").get(), frame, check_dtype=False)
    assert run.artifact("model").get().factor == 5.0
    assert run.artifact("facts").get() == {"rows": 5, "columns": ["number", "name"]}
    picture = run.artifact("picture").get()
    assert isinstance(picture, Image.Image)
    assert picture.size == (5, 7)
    found = [
        run.artifact(f"others artifact{suffix}").get() for suffix in ("", " (1)", " (2)", " (3)", " (4)")
    ]
    assert found == ["a text", b"bytes", [1, 2], (1, "two"), '{"json": true}']
    assert run.artifact("size").get() == 5
    assert run.artifact("small artifact").get() is False
    assert run.artifact("seconds").get() >= 0
    assert run.parameters() == {"count": 5, "rows:names": {"z", "y"}}
    outcomes = {one.name: one for one in run.operators()}
    assert outcomes["small"].word == "warning"
    assert outcomes["small"].stdout == "the size is 5\n"
    assert {one.word for one in outcomes.values()} == {"succeeded", "warning"}
    assert "making 5 rows" in run.logs("rows")


def test_old_runs_stay_readable_when_the_flow_changes(
    client: aq.Client, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    def publish(name: str) -> aq.Flow:
        answer = aq.to_operator(lambda: name, name="answer", requirements=[])()
        answer.set_name(name)
        return client.publish_flow("changing", artifacts=answer, engine="cluster", run_now=True)

    first = publish("first")
    run = first.latest()
    assert run is not None
    assert run.wait(WAIT) == "succeeded"
    second = publish("second")
    assert second.id() == first.id()
    newest = second.latest()
    assert newest is not None
    assert newest.wait(WAIT) == "succeeded"
    assert newest.artifact("second").get() == "second"
    assert client.flow("changing").fetch(run.id()).artifact("first").get() == "first"
    with pytest.raises(aq.NotFound, match="has no artifact 'first'"):
        newest.artifact("first")
    assert [one["status"] for one in second.list_runs()] == ["succeeded", "succeeded"]
    assert "answer: succeeded" in capsys.readouterr().err

    client.delete_flow("changing", artifacts=True)
    assert place.keys(f"sdk/flows/{first.id()}/") == set()
    gone = wait_for(lambda: "changing" not in place.client.dags(), what="no DAG", seconds=SEEN_SECONDS)
    assert gone
    with pytest.raises(aq.NotFound):
        client.flow("changing")


@aq.op(requirements=[], retries=1, retry_delay=1)
def opens_the_cellar(shelf: str) -> int:
    print("looking for", shelf)
    return {"Barolo": 3}[shelf]


@aq.op(requirements=[])
def counts(bottles: int) -> int:
    return bottles


def test_a_failure_says_where_and_why(client: aq.Client, capsys: pytest.CaptureFixture[str]) -> None:
    flow = client.publish_flow("cellar", artifacts=counts(opens_the_cellar("Barolo")), engine="folder")
    run = client.trigger("cellar", {"opens_the_cellar:shelf": "Rioja"}, progress=False)
    assert run.wait(WAIT, progress=False) == aq.ExecutionStatus.FAILED
    outcomes = {one.name: one for one in run.operators()}
    failed = outcomes["opens_the_cellar"]
    assert failed.status == "failed"
    assert failed.try_number == 2
    assert "KeyError: 'Rioja'" in failed.tip
    assert failed.traceback.count("in opens_the_cellar") == 1
    assert outcomes["counts"].status == "canceled"
    with pytest.raises(aq.NotFound, match=r"'counts' of run .* is canceled"):
        run.artifact("counts artifact").get()
    capsys.readouterr()
    run.describe()
    told = capsys.readouterr().out
    assert "KeyError: 'Rioja'" in told
    assert "looking for Rioja" in told
    assert "looking for Rioja" in run.logs("opens_the_cellar", try_number=1)
    history = flow.metric_history("counts artifact")
    assert history["value"].isna().all()
    client.delete_flow("cellar")


def test_a_flow_runs_after_another(client: aq.Client) -> None:
    source = client.publish_flow("source", artifacts=counts(1), engine="cluster")
    after = client.publish_flow("after", artifacts=counts(2), engine="cluster", source_flow=source)
    after.wait_until_deployed(progress=False)
    run = client.trigger("source", progress=False)
    assert run.wait(WAIT, progress=False) == "succeeded"
    found = wait_for(after.latest, what="a run of the second flow", seconds=SEEN_SECONDS)
    assert found.wait(WAIT, progress=False) == "succeeded"
    for name in ("source", "after"):
        client.delete_flow(name, force=True)


def test_flows_are_listed(client: aq.Client, flow: aq.Flow) -> None:
    listed = {one["name"]: one for one in client.list_flows()}
    assert listed["every type"]["engine"] == "cluster"
    assert listed["every type"]["dag_id"] == "every_type"
    runs = flow.list_runs()
    assert runs
    assert flow.fetch(runs[0]["run_id"]).id() == runs[0]["run_id"]
