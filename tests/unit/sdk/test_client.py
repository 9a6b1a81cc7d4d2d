"""The client: the whole way on both lines, how it is called, and what it costs to begin with."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound
from aqueduct_provider.sdk.authoring.arguments import nodes_of
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from tests.support.deployment import Deployment, deployment
from tests.unit.sdk.conftest import Finished

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("major", [3, 2])
def test_the_whole_way(
    major: int, bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path
) -> None:
    with deployment(bucket, s3_server, credentials_file, tmp_path, major=major) as made:
        made.publish(run_now=True)
        flow = made.client.flow("churn")
        first = flow.latest()
        assert first is not None
        made.work(first.run_id)
        run = made.client.trigger("churn", parameters={"rows": 5})
        made.work(run.run_id)
        assert run.wait(timeout=60, progress=False) is aq.ExecutionStatus.SUCCEEDED
        assert (run.artifact("total").get(), run.artifact("many").get()) == (10, True)
        assert run.artifact("table").get()["n"].tolist() == [0, 1, 2, 3, 4]
        assert run.logs("features").splitlines()[-1] == "5 rows are made"
        assert flow.metric_history("total")["value"].tolist() == [10, 3]
        made.publish(artifacts=made.author(total="sum"))
        again = made.run(rows=3)
        flow = made.client.flow("churn")
        assert flow.fetch(run.run_id).artifact("total").get() == 10
        assert flow.fetch(again.run_id).artifact("sum").get() == 3
        assert made.run(rows=-1).status() is aq.ExecutionStatus.FAILED
        made.client.delete_flow("churn", artifacts=True)
        assert made.client.list_flows() == []


# --- which flow


def test_flows_are_found_by_name_and_id(finished: Finished) -> None:
    client, record = finished.made.client, finished.flow.record
    for flow in (
        client.flow("churn"),
        client.flow(record.flow_id),
        client.flow(UUID(record.flow_id)),
        client.flow(flow_id=record.flow_id),
        client.flow(flow_name="churn"),
        client.flow("churn", flow_name="churn"),
    ):
        assert flow.record == record


def test_flows_that_are_not_there(finished: Finished) -> None:
    with pytest.raises(NotFound, match=r"No flow 'chrun' in .* Did you mean 'churn'\?$"):
        finished.made.client.flow("chrun")


@pytest.mark.parametrize(
    ("given", "said"),
    [((), "nothing was given"), (("churn", None, "b"), "'churn' and 'b' was given")],
)
def test_one_flow_must_be_named(finished: Finished, given: Any, said: str) -> None:
    with pytest.raises(AuthoringError, match=f"^Name one flow, by its name or its id, .*; {said}"):
        finished.made.client.flow(*given)


def test_the_list_of_flows(finished: Finished) -> None:
    record = finished.flow.record
    assert finished.made.client.list_flows() == [
        {
            "name": "churn",
            "flow_id": record.flow_id,
            "dag_id": "churn",
            "version_id": record.version_id,
            "created_at": record.created_at,
            "engine": "cluster",
            "number": 1,
        }
    ]


# --- which engine


def test_one_resource_needs_no_name(made: Deployment) -> None:
    assert made.publish(engine=None).record.engine == "cluster"
    assert made.publish(engine="cluster").record.engine == "cluster"
    assert made.publish(engine=made.client.resource("cluster")).record.engine == "cluster"


def test_of_several_resources_one_must_be_named(made: Deployment) -> None:
    made.fake.all_admins = True
    made.client.connect_resource("more", "Airflow", {"host": made.fake.host})
    with pytest.raises(AuthoringError, match=r"engine='<resource>'\. Connected: 'cluster', 'more'\. cl"):
        made.publish()
    made.client.delete_resource("more")
    made.session.profile.save_resource(ResourceProfile("lake", "S3", {}))
    assert made.publish().record.engine == "cluster"
    with pytest.raises(ConfigError, match="'lake' is S3, a data system: flows run on Airflow"):
        made.publish(engine="lake")
    with pytest.raises(
        AuthoringError, match="engine is a FilesResource: give the name of a connected Airflow"
    ):
        made.publish(engine=made.client.resource("lake"))
    with pytest.raises(NotFound, match=r"No resource is named 'clutser'\. Did you mean 'cluster'"):
        made.publish(engine="clutser")


def test_without_a_resource_it_says_how_to_connect_one(made: Deployment) -> None:
    made.client.delete_resource("cluster")
    with pytest.raises(AuthoringError, match=r"Connected: none\. client\.connect_resource"):
        made.publish()


def test_an_engine_that_is_none(made: Deployment) -> None:
    with pytest.raises(AuthoringError, match="engine is a int: give the name of a connected Airflow"):
        made.publish(engine=5)


@pytest.mark.parametrize("argument", ["run_now", "fuse", "check_requirements"])
def test_a_switch_takes_no_text(finished: Finished, argument: str) -> None:
    with pytest.raises(AuthoringError, match=f"{argument} must be True, False or None, not 'no'"):
        finished.made.client.publish_flow("x", artifacts=[], **{argument: "no"})  # type: ignore[arg-type]


def test_the_retries_of_a_flow(made: Deployment) -> None:
    made.publish(retries=4, retry_delay=timedelta(minutes=1))
    retries = {one.type: (one.retries, one.retry_delay) for one in made.spec().operators}
    assert retries["function"] == (4, 60.0)
    assert retries["param"] == (None, None)
    with pytest.raises(
        AuthoringError, match=r"^publish_flow: retries must be an integer from 0 to 100, not 'x'"
    ):
        made.publish(retries="x")
    with pytest.raises(AuthoringError, match=r"^publish_flow: retry_delay must be more than 0 seconds"):
        made.publish(retry_delay=0)


# --- artifacts


def test_what_is_no_artifact_of_this_process(finished: Finished) -> None:
    client = finished.made.client
    with pytest.raises(AuthoringError, match=r"artifacts holds something of type int, not an artifact"):
        client.publish_flow("x", artifacts=[1])  # type: ignore[list-item]
    with pytest.raises(AuthoringError, match="metrics holds 'total', which was read from a run"):
        client.publish_flow("x", artifacts=[], metrics=[finished.good.artifact("total")])  # type: ignore[list-item]


def test_ways_to_give_artifacts(finished: Finished) -> None:
    param = finished.made.client.create_param("x", 1)
    for given in (param, [param], (param,), iter([param])):
        assert nodes_of(given, "artifacts") == [param.node]
    assert nodes_of(None, "artifacts") == []


def test_parameters(finished: Finished) -> None:
    param = finished.made.client.create_param("x", 1.5, "how much")
    assert (param.name(), param.type(), param.get()) == ("x", aq.ArtifactType.NUMERIC, 1.5)
    assert param.node is not None
    assert param.node.producer.description == "how much"


# --- code of the original


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("aqueduct")
    before = found.level
    yield found
    found.setLevel(before)


def test_what_it_uses_is_its_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUEDUCT_BUCKET", "AQUEDUCT_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.toml"
    path.write_text(
        """
        [store]
        bucket = "s3://flows/team"
        root_dir = "a"
        [resources.cluster]
        service = "Airflow"
        host = "https://ann:secret-word@airflow.example.com"
        [resources.test]
        service = "Airflow"
        host = "localhost:8080"
        """
    )
    path.chmod(0o600)
    assert repr(aq.Client(config_path=path)) == (
        "<Client: store s3://flows/team/a, Airflow 'cluster' at https://***@airflow.example.com, 'test' at "
        f"localhost:8080, configuration {path}>"
    )
    assert repr(aq.Client(folder="here", config_path=path)).startswith("<Client: store here, Airflow ")


def test_a_configuration_that_is_not_there_is_said(
    tmp_path: Path, logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    aq.Client(config_path=tmp_path / "confg.toml")
    (record,) = (one for one in caplog.records if one.levelname == "WARNING")
    assert f"The configuration file {tmp_path / 'confg.toml'} does not exist, " in record.getMessage()


def test_key_and_address_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AQUEDUCT_CONFIG", str(tmp_path / "config.toml"))
    client = aq.Client(aq.get_apikey(), "localhost:8080", logging.INFO)
    assert "No Aqueduct server is needed any more" in caplog.text
    assert logger.level == logging.INFO
    path = tmp_path / "config.toml"
    shown = f"<Client: no artifact store, no Airflow, configuration {path} (not there yet)>"
    assert repr(client) == shown
    assert shown in caplog.text
    assert aq.get_apikey() == ""


def test_positions_are_those_of_the_original(finished: Finished) -> None:
    import inspect

    expected = {
        "create_param": "name default description use_local as_type format",
        "publish_flow": (
            "name description schedule engine artifacts metrics checks k_latest_runs source_flow run_now "
            "use_local disable_snapshots"
        ),
        "trigger": "flow_identifier parameters flow_id flow_name",
        "flow": "flow_identifier flow_id flow_name",
        "delete_flow": "flow_identifier flow_id flow_name saved_objects_to_delete force",
    }
    for method, names in expected.items():
        found = list(inspect.signature(getattr(finished.made.client, method)).parameters)
        assert found[: len(names.split())] == names.split(), method


# --- what it costs


def loaded_by(code: str) -> set[str]:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}; print(*sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    return {name.partition(".")[0] for name in output.split()}


HEAVY = set("airflow boto3 botocore cloudpickle httpx keyring numpy pandas pydantic rich".split())


def test_the_import_loads_nothing_heavy() -> None:
    loaded = loaded_by("import aqueduct_provider.sdk as aq")
    assert not loaded & (HEAVY | {"tomlkit", "dataclasses"})


def test_a_client_and_an_operator_load_nothing_heavy(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[store]\nbucket = "b"\n[resources.c]\nservice = "Airflow"\nhost = "h"\n')
    code = (
        f"import aqueduct_provider.sdk as aq; client = aq.Client(config_path={str(config)!r}); "
        "aq.op(requirements=[])(lambda x: x).lazy(client.create_param('x', 1))"
    )
    # The call is recorded with what its function is now.
    assert loaded_by(code) & HEAVY == {"cloudpickle"}


def test_a_wrong_configuration_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[stor]\n")
    (tmp_path / "config.toml").chmod(0o600)
    with pytest.raises(ConfigError, match="Did you mean 'store'"):
        aq.Client(config_path=tmp_path / "config.toml")
