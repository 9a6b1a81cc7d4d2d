"""Makes specs of the compiled dialect (Aqueduct formats, section 2), one task after the other.

They have the shape of those that the original's server emits, of which ``tests/genuine`` has five.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.flow_place import Place
from tests.support.example_specs import machine_name

Json = dict[str, Any]


class CompiledDraft:
    """A compiled spec: artifact ``x`` lies at ``x`` and ``x.meta``, a task's exec state at ``state-<key>``.

    :param storage_config: as the dialect has it.
    """

    def __init__(self, name: str, storage_config: Json, cron_schedule: str = "") -> None:
        self.name = name
        self.dag_id = sanitised(name)
        self.storage_config = storage_config
        self.cron_schedule = cron_schedule
        self.tasks: dict[str, Json] = {}
        self._edges: dict[str, list[str]] = {}
        self._makers: dict[str, str] = {}

    def param(self, name: str, expected_type: str, serialization_type: str, output: str) -> None:
        """A parameter; its default lies at the bare key of its output."""
        kind = {"expected_type": expected_type, "serialization_type": serialization_type}
        self._add("param", name, [], [output], {**kind, **_one(output)})

    def function(
        self, name: str, key: str, inputs: Sequence[str], outputs: Mapping[str, str], **changes: Any
    ) -> None:
        """A function, metric or check whose archive lies at ``key``; ``outputs``: name -> type."""
        fields = {
            "function_path": key,
            "function_extract_path": "",
            "entry_point_file": "model.py",
            "entry_point_class": "Function",
            "entry_point_method": "predict",
            "custom_args": "",
            **_inputs(inputs),
            "output_content_paths": list(outputs),
            "output_metadata_paths": [f"{output}.meta" for output in outputs],
            "expected_output_artifact_types": list(outputs.values()),
            "operator_type": "function",
            "check_severity": None,
            "resources": None,
            **changes,
        }
        self._add("function", name, inputs, list(outputs), fields)

    def system_metric(self, name: str, metric: str, source: str, output: str) -> None:
        """A measurement of the task that made ``source``."""
        fields = {"metric_name": metric, "input_metadata_paths": [f"{source}.meta"], **_one(output)}
        self._add("system_metric", name, [source], [output], fields)

    def s3_extract(self, name: str, config: Json, parameters: Json, output: str) -> None:
        """Reads files of S3."""
        self.extract(name, "S3", config, parameters, [], output)

    def extract(
        self, name: str, connector: str, config: Json, parameters: Json, inputs: Sequence[str], output: str
    ) -> None:
        """Reads from a data system; ``inputs`` are its string parameters."""
        fields = {"connector_name": connector, "connector_config": {"conf": config}, "parameters": parameters}
        self._add("extract", name, inputs, [output], {**fields, **_inputs(inputs), **_one(output)})

    def load(self, name: str, connector: str, config: Json, parameters: Json, inputs: Sequence[str]) -> None:
        """Saves the last of ``inputs`` to a data system."""
        fields = {"connector_name": connector, "connector_config": {"conf": config}, "parameters": parameters}
        self._add("load", name, inputs, [], {**fields, **_inputs(inputs)})

    def document(self) -> Json:
        """The spec."""
        return {
            "name": machine_name("compile-airflow", self.name),
            "type": "compile_airflow",
            "storage_config": self.storage_config,
            "metadata_path": "compile-state",
            "output_content_path": "compile-output",
            "workflow_dag_id": str(uuid.uuid4()),
            "dag_id": self.dag_id,
            "cron_schedule": self.cron_schedule,
            "task_specs": self.tasks,
            "task_edges": self._edges,
        }

    def _add(self, kind: str, name: str, inputs: Sequence[str], outputs: Sequence[str], fields: Json) -> None:
        key = sanitised(name)
        common = {"storage_config": self.storage_config, "metadata_path": f"state-{key}"}
        self.tasks[key] = {"name": machine_name(kind, name), "type": kind, **common, **fields}
        # One edge for each artifact.
        for source in (self._makers[artifact] for artifact in inputs):
            self._edges.setdefault(source, []).append(key)
        self._makers.update(dict.fromkeys(outputs, key))


def storage_config(place: Place, root_dir: str) -> Json:
    """The bucket of the integration tests, below a prefix, as the dialect has it."""
    s3 = {
        "region": "us-east-1",
        "bucket": f"s3://{place.bucket}",
        "root_dir": root_dir,
        "credentials_path": str(place.credentials_path),
        "credentials_profile": "research",
        "aws_access_key_id": "",
        "aws_secret_access_key": "",
    }
    return {"type": "s3", "s3_config": s3}


def sanitised(name: str) -> str:
    """The id that the original makes of a name, byte by byte."""
    return re.sub("[^A-Za-z0-9]", "_", name.encode().decode("latin-1"))


def _inputs(names: Sequence[str]) -> Json:
    return {
        "input_content_paths": list(names),
        "input_metadata_paths": [f"{name}.meta" for name in names],
    }


def _one(output: str) -> Json:
    return {"output_content_path": output, "output_metadata_path": f"{output}.meta"}
