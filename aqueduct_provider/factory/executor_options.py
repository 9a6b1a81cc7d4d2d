"""Translate the resources of operators into options of this Airflow's executor.

In: the operators of one task. Out: arguments of its Airflow operator: a pod override under
KubernetesExecutor, and the queue that ``[aqueduct] queues`` names; the same for the same operators and
configuration. Imports ``kubernetes`` only under that executor, and only for operators with resources.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from aqueduct_provider import config
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.models import Operator, Resources

# What Airflow's KubernetesExecutor calls the container of the task.
_CONTAINER = "base"


def placement(operators: Iterable[Operator]) -> dict[str, Any]:
    """Return arguments of the Airflow operator that runs these operators, one after the other.

    :return: ``executor_config`` and ``queue``, where there are any.
    :raises ConfigError: the option cannot be used, or the Kubernetes client is missing.
    """
    resources = (operator.resources for operator in operators)
    asked = [item for item in resources if item is not None and any(item.model_dump().values())]
    if not asked:
        return {}
    options: dict[str, Any] = {}
    if runs_in_pods():
        options["executor_config"] = {"pod_override": pod_override(asked)}
    needs = _needs(asked)
    queue = next((rule.queue for rule in config.queues() if rule.fits(needs)), None)
    if queue is not None:
        options["queue"] = queue
    return options


def runs_in_pods() -> bool:
    """Check whether one of this Airflow's executors starts a pod for each task."""
    # Pod templates set LocalExecutor in it, and for retries 2.11 keeps the override that the DAG has there.
    return bool(os.environ.get("AIRFLOW_IS_K8S_EXECUTOR_POD")) or config.uses_kubernetes()


def pod_override(asked: Iterable[Resources]) -> Any:
    """Return the ``V1Pod`` that gives a task the most that any of its operators asks for.

    CPU and memory are requests and limits, a GPU is a limit, as Kubernetes wants it. What Kubernetes has no
    notion of becomes annotations, for a pod mutation hook to act on.

    :raises ConfigError: the Kubernetes client is missing.
    """
    resources = list(asked)
    sizes = _sizes(resources)
    gpus = dict.fromkeys(_distinct(item.gpu_resource_name for item in resources), "1")
    annotations = _annotations(resources)
    k8s = _client_models()
    return k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(annotations=annotations) if annotations else None,
        spec=k8s.V1PodSpec(
            containers=[
                k8s.V1Container(
                    name=_CONTAINER,
                    resources=k8s.V1ResourceRequirements(requests=sizes, limits={**sizes, **gpus}),
                )
            ]
        ),
    )


def _needs(asked: Iterable[Resources]) -> Mapping[str, int]:
    """Return what the rules of queues are about: need -> the most that is wanted of it."""
    needs: dict[str, int] = {}
    for resources in asked:
        wanted = {
            "num_cpus": resources.num_cpus,
            "memory_mb": resources.memory_mb,
            "gpu": int(bool(resources.gpu_resource_name)),
            "use_llm": int(bool(resources.use_llm)),
        }
        for field, amount in wanted.items():
            if amount:
                needs[field] = max(amount, needs.get(field, 0))
    return needs


def _sizes(asked: Iterable[Resources]) -> dict[str, str]:
    needs = _needs(asked)
    named = {"cpu": ("num_cpus", ""), "memory": ("memory_mb", "M")}
    return {name: f"{needs[field]}{unit}" for name, (field, unit) in named.items() if field in needs}


def _annotations(asked: list[Resources]) -> dict[str, str]:
    cuda = ", ".join(_distinct(resources.cuda_version for resources in asked))
    known = {"aqueduct/cuda-version": cuda, "aqueduct/use-llm": "use_llm" in _needs(asked) and "true"}
    return {name: value for name, value in known.items() if value}


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def _client_models() -> Any:
    try:
        from kubernetes.client import models  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigError(
            "operators with resources become pod overrides under KubernetesExecutor, and the Python package "
            "kubernetes is missing here. Install apache-airflow-providers-cncf-kubernetes wherever this "
            "Airflow parses DAGs."
        ) from error
    return models
