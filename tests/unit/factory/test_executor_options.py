"""What operators ask of the machine, in generated DAGs, on both lines of Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.executor_options import placement
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document

ALL = {
    "num_cpus": 4,
    "memory_mb": 16000,
    "gpu_resource_name": "nvidia.com/gpu",
    "cuda_version": "11.4.1",
    "use_llm": True,
}
SIZES = {"cpu": "4", "memory": "16000M"}
QUEUES = "gpu: gpu_queue, use_llm: llm, memory_mb>=16000: large, num_cpus >= 8 : wide"

Executor = Callable[[str], None]


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Executor:
    return lambda name: monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", name)


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Executor:
    return lambda text: monkeypatch.setenv("AIRFLOW__AQUEDUCT__QUEUES", text)


def spec_with(*asked: dict[str, Any] | None) -> WorkflowSpec:
    operators = [call_operator(f"f{i}", inputs=[], resources=item) for i, item in enumerate(asked)]
    artifacts = [{"id": f"{item['name']}-value", "name": "a"} for item in operators]
    document = native_document(operators=operators, artifacts=artifacts, parameters=[], schedule=None)
    return parse(json.dumps(document).encode(), "churn.json")


def placed(*asked: dict[str, Any] | None) -> dict[str, Any]:
    """What one task is told that runs operators which ask for this."""
    return placement(spec_with(*asked).operators)


def pod(*asked: dict[str, Any] | None) -> dict[str, Any]:
    from kubernetes.client import ApiClient

    override = placed(*asked)["executor_config"]["pod_override"]
    found: dict[str, Any] = ApiClient().sanitize_for_serialization(override)
    return found


def test_a_pod_has_what_its_operator_asks_for(executor: Executor) -> None:
    executor("KubernetesExecutor")
    limits = {**SIZES, "nvidia.com/gpu": "1"}
    assert pod(ALL) == {
        "metadata": {"annotations": {"aqueduct/cuda-version": "11.4.1", "aqueduct/use-llm": "true"}},
        "spec": {"containers": [{"name": "base", "resources": {"requests": SIZES, "limits": limits}}]},
    }
    small = {"requests": {"memory": "300M"}, "limits": {"memory": "300M"}}
    assert pod({"memory_mb": 300}) == {"spec": {"containers": [{"name": "base", "resources": small}]}}


def test_a_pod_of_several_operators_has_the_most_that_any_asks_for(executor: Executor) -> None:
    executor("KubernetesExecutor")
    found = pod(
        {"num_cpus": 2, "memory_mb": 9}, None, {"num_cpus": 1, "memory_mb": 10, "gpu_resource_name": "g"}
    )
    (container,) = found["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "10M", "g": "1"}


@pytest.mark.parametrize(
    ("name", "in_pods"),
    [
        ("KubernetesExecutor", True),
        ("LocalExecutor,KubernetesExecutor", True),
        ("CeleryExecutor, pods:our.company.executors.OurKubernetesExecutor", True),
        ("LocalExecutor;team=KubernetesExecutor", True),
        ("CeleryKubernetesExecutor", True),
        ("LocalExecutor", False),
        ("CeleryExecutor", False),
    ],
)
def test_executors_that_start_pods(executor: Executor, name: str, in_pods: bool) -> None:
    executor(name)
    assert ("executor_config" in placed(ALL)) is in_pods


def test_in_its_pod_a_task_keeps_the_override(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's Helm chart sets LocalExecutor there, and 2.11 stores what the task has there for retries."""
    executor("LocalExecutor")
    monkeypatch.setenv("AIRFLOW_IS_K8S_EXECUTOR_POD", "True")
    assert "executor_config" in placed(ALL)


@pytest.mark.parametrize("asked", [None, {}, {"use_llm": False}])
def test_who_asks_for_nothing_is_placed_as_airflow_likes(
    executor: Executor, queues: Executor, asked: dict[str, Any] | None
) -> None:
    executor("KubernetesExecutor")
    queues("nonsense")
    assert placed(asked) == {}


@pytest.mark.parametrize(
    ("asked", "queue"),
    [
        ({"gpu_resource_name": "nvidia.com/gpu", "memory_mb": 90000}, "gpu_queue"),
        ({"use_llm": True}, "llm"),
        ({"memory_mb": 16000, "num_cpus": 9}, "large"),
        ({"num_cpus": 8}, "wide"),
        ({"num_cpus": 7, "memory_mb": 15999}, None),
    ],
)
def test_queues(executor: Executor, queues: Executor, asked: dict[str, Any], queue: str | None) -> None:
    executor("CeleryExecutor")
    queues(QUEUES)
    assert placed(asked) == ({"queue": queue} if queue else {})


def test_without_rules_there_is_no_queue(executor: Executor) -> None:
    executor("CeleryExecutor")
    assert placed(ALL) == {}


def test_airflow_stores_it_and_the_scheduler_reads_it(
    executor: Executor,
    queues: Executor,
    serialized: Callable[[Any], dict[str, Any]],
    stored: Callable[[Any], Any],
) -> None:
    executor("KubernetesExecutor")
    queues(QUEUES)

    def dag() -> Any:
        return dag_of(spec_with(ALL, None), source="churn.json", fileloc="")

    assert json.dumps(serialized(dag())) == json.dumps(serialized(dag()))
    task, plain = (stored(dag()).get_task(name) for name in ("f0", "f1"))
    override = task.executor_config["pod_override"]
    assert override == placed(ALL)["executor_config"]["pod_override"]
    assert override.spec.containers[0].resources.requests == SIZES
    assert (task.queue, plain.queue) == ("gpu_queue", "default")
    assert plain.executor_config == {}


def test_the_executor_merges_it_into_its_pod(executor: Executor) -> None:
    executor("KubernetesExecutor")
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
    from kubernetes.client import models

    base = models.V1Pod(
        metadata=models.V1ObjectMeta(annotations={"a": "b"}),
        spec=models.V1PodSpec(containers=[models.V1Container(name="base", image="airflow")]),
    )
    asked = PodGenerator.from_obj(placed(ALL)["executor_config"])
    merged = PodGenerator.reconcile_pods(base, asked)
    (container,) = merged.spec.containers
    assert (container.image, container.resources.requests) == ("airflow", SIZES)
    assert merged.metadata.annotations.keys() == {"a", "aqueduct/cuda-version", "aqueduct/use-llm"}


def test_a_wrong_rule_shows_in_flows_with_resources(queues: Executor) -> None:
    queues("gpu -> q")
    dag_of(spec_with(None), source="churn.json", fileloc="")
    with pytest.raises(SpecError, match=r"\[aqueduct\] queues = 'gpu -> q'"):
        dag_of(spec_with(ALL), source="churn.json", fileloc="")


def test_without_the_client_the_flow_says_what_to_install(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor("KubernetesExecutor")
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    dag_of(spec_with(None), source="churn.json", fileloc="")
    with pytest.raises(SpecError, match="Install apache-airflow-providers-cncf-kubernetes"):
        dag_of(spec_with(ALL), source="churn.json", fileloc="")


def test_the_client_is_imported_only_when_needed() -> None:
    code = "import sys, aqueduct_provider.factory.executor_options; print('kubernetes.client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split()[-1] == "False"
