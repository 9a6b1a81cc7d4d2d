"""The original executor as a black box: runs its modules on task specs against an S3 server.

``Oracle`` is one process in the oracle's virtual environment that forks for each request, so that its
imports are paid once. ``Store`` is a bucket as both sides see it. ``TaskSpecs`` makes specs of the
compiled dialect (Aqueduct formats, section 2).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.connectors.requests import SystemOrder
from tests.support.example_specs import machine_name

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("oracle_server.py")
# Unpacks the archive to where the function executor expects it.
UNPACK = "aqueduct_executor.operators.function_executor.extract_function"
EXECUTORS = {
    "function": "aqueduct_executor.operators.function_executor.main",
    "param": "aqueduct_executor.operators.param_executor.main",
    "system_metric": "aqueduct_executor.operators.system_metric_executor.main",
    "extract": "aqueduct_executor.operators.connectors.data.main",
    "load": "aqueduct_executor.operators.connectors.data.main",
}

PACKAGE = """
import base64, logging, sys
import cloudpickle
from aqueduct.utils.function_packaging import serialize_function

logging.disable(logging.CRITICAL)
sys.path.insert(0, ".")
import user_module

cloudpickle.register_pickle_by_value(user_module)
user_function = getattr(user_module, function)
archive = serialize_function(user_function, name, file_dependencies or None, requirements)
result = base64.b64encode(archive).decode()
"""


def oracle_python() -> Path:
    """The oracle's interpreter. Raises ``RuntimeError`` when it is not there."""
    path = Path(os.environ.get("AQUEDUCT_ORACLE_PYTHON") or ROOT / ".venv-oracle/bin/python")
    if not path.exists():
        raise RuntimeError(
            f"{path} does not exist. Oracle tests need a Python 3.11 virtual environment with "
            "aqueduct-ml==0.3.6 in .venv-oracle, or its interpreter in AQUEDUCT_ORACLE_PYTHON."
        )
    return path


@dataclass(frozen=True)
class Ran:
    """How a request to the oracle ended."""

    returncode: int
    stdout: str
    stderr: str
    result: Any = None


class Oracle:
    """The original, in a process of its own.

    :param endpoint: URL of the S3 server.
    :param folder: scratch space; working directory of what runs.
    """

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [str(oracle_python()), str(SERVER), endpoint],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def execute(self, spec: dict[str, Any]) -> Ran:
        """Run the original's executor for a task spec; its objects are in S3 afterwards."""
        argv = ["--spec", base64.b64encode(json.dumps(spec).encode()).decode()]
        if spec["type"] == "function":
            unpacked = self._ask({"module": UNPACK, "argv": argv})
            if unpacked.returncode:
                return unpacked
        return self._ask({"module": EXECUTORS[spec["type"]], "argv": argv})

    def evaluate(self, script: str, **args: Any) -> Any:
        """Run source text in the oracle's Python; what it leaves in ``result`` (JSON) is the answer."""
        ran = self._ask({"script": script, "args": args})
        if ran.returncode:
            raise AssertionError(f"the script failed in the oracle:\n{ran.stderr}")
        return ran.result

    def package(
        self,
        source: str,
        *,
        function: str = "predict",
        name: str = "my op",
        requirements: list[str] | None = None,
        files: dict[str, str] | None = None,
    ) -> bytes:
        """The function archive that the original SDK makes of a module's function."""
        folder = self.folder / f"package-{len(list(self.folder.glob('package-*')))}"
        folder.mkdir()
        for path, text in {"user_module.py": source, **(files or {})}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        args = {
            "function": function,
            "name": name,
            "requirements": requirements or [],
            "file_dependencies": sorted(files or {}),
        }
        ran = self._ask({"script": PACKAGE, "args": args, "cwd": str(folder)})
        if ran.returncode:
            raise AssertionError(f"the original could not package the function:\n{ran.stderr}")
        return base64.b64decode(ran.result)

    def _ask(self, request: dict[str, Any]) -> Ran:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"cwd": str(self.folder), **request}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError("the oracle's process ended")
        return Ran(**json.loads(answer))


@dataclass(frozen=True)
class Store:
    """A bucket of the S3 server.

    :param client: a boto3 client of it.
    """

    client: Any
    bucket: str
    credentials_path: Path
    profile: str = "default"

    @property
    def config(self) -> dict[str, Any]:
        """As the compiled dialect writes it, section 2, "StorageConfig"."""
        return {
            "type": "s3",
            "s3_config": {
                "region": "us-east-1",
                "bucket": self.bucket,
                "root_dir": "",
                "credentials_path": str(self.credentials_path),
                "credentials_profile": self.profile,
            },
        }

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def get_json(self, key: str) -> Any:
        return json.loads(self.get(key))

    def keys(self) -> set[str]:
        """The keys of all objects."""
        listed = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {item["Key"] for item in listed}


@dataclass(frozen=True)
class TaskSpecs:
    """Makes specs of single tasks in one store; an artifact ``x`` lies at ``x`` and ``x.meta``."""

    store: Store
    extract_root: Path

    def function(
        self,
        key: str,
        *,
        inputs: list[str] | None = None,
        outputs: list[str] | None = None,
        expected: list[str] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """A function, or with ``operator_type`` a metric or check, whose archive lies at ``key``."""
        outputs = ["out"] if outputs is None else outputs
        return {
            **self._task("function"),
            "function_path": key,
            "function_extract_path": str(self.extract_root / "function"),
            "entry_point_file": "model.py",
            "entry_point_class": "Function",
            "entry_point_method": "predict",
            "custom_args": "",
            **self._inputs(inputs or []),
            "output_content_paths": outputs,
            "output_metadata_paths": [f"{name}.meta" for name in outputs],
            "expected_output_artifact_types": expected or ["untyped"] * len(outputs),
            "operator_type": "function",
            **changes,
        }

    def param(self, expected: str, serialization: str) -> dict[str, Any]:
        return {
            **self._task("param"),
            "expected_type": expected,
            "serialization_type": serialization,
            **self._output(),
        }

    def system_metric(self, metric: str, source: str) -> dict[str, Any]:
        return {
            **self._task("system_metric"),
            "metric_name": metric,
            "input_metadata_paths": [f"{source}.meta"],
            **self._output(),
        }

    def s3_extract(self, parameters: dict[str, Any], *, inputs: list[str] | None = None) -> dict[str, Any]:
        return {**self._s3("extract", parameters, inputs or []), **self._output()}

    def s3_load(self, parameters: dict[str, Any], inputs: list[str]) -> dict[str, Any]:
        return self._s3("load", parameters, inputs)

    def _s3(self, kind: str, parameters: dict[str, Any], inputs: list[str]) -> dict[str, Any]:
        config = {
            "type": "config_file_path",
            "config_file_path": str(self.store.credentials_path),
            "config_file_profile": self.store.profile,
            "bucket": self.store.bucket,
            "region": "us-east-1",
        }
        return {
            **self._task(kind),
            "connector_name": "S3",
            "connector_config": {"conf": config},
            "parameters": parameters,
            **self._inputs(inputs),
        }

    def database_extract(
        self, system: SystemOrder, parameters: dict[str, Any], inputs: Sequence[str] = ()
    ) -> dict[str, Any]:
        """A query; ``inputs`` are its string parameters."""
        return {**self._database("extract", system, parameters, inputs), **self._output()}

    def database_load(
        self, system: SystemOrder, parameters: dict[str, Any], inputs: Sequence[str]
    ) -> dict[str, Any]:
        """A save of the last input."""
        return self._database("load", system, parameters, inputs)

    def _database(
        self, kind: str, system: SystemOrder, parameters: dict[str, Any], inputs: Sequence[str]
    ) -> dict[str, Any]:
        return {
            **self._task(kind),
            "connector_name": system.connector,
            "connector_config": {"conf": dict(system.config)},
            "parameters": parameters,
            **self._inputs(list(inputs)),
        }

    def _task(self, kind: str) -> dict[str, Any]:
        return {
            "name": machine_name(kind),
            "type": kind,
            "storage_config": self.store.config,
            "metadata_path": "state",
        }

    @staticmethod
    def _inputs(names: list[str]) -> dict[str, Any]:
        return {
            "input_content_paths": names,
            "input_metadata_paths": [f"{name}.meta" for name in names],
        }

    @staticmethod
    def _output() -> dict[str, Any]:
        return {"output_content_path": "out", "output_metadata_path": "out.meta"}
