"""Our side of a comparison: the runner, in a real child process, on the job that a task spec describes.

What stands between S3 and the job folder belongs to the worker; here it is only as much as a comparison of
codecs and single operators needs.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.runner.contract import (
    ExternalFile,
    FunctionCall,
    InputFile,
    JobRequest,
    OutputInfo,
    OutputSlot,
)
from tests.oracle.harness import Store
from tests.runner.jobs import Finished, Job


@dataclass(frozen=True)
class Ours:
    """What our side made of a task spec.

    :param objects: the artifacts' bytes and metadata, by the keys that the spec gives them.
    """

    finished: Finished
    objects: dict[str, bytes]

    @property
    def failure(self) -> Any:
        assert self.finished.outcome is not None, self.finished.stderr
        return self.finished.outcome.failure

    def metadata(self, name: str = "out") -> Any:
        return json.loads(self.objects[f"{name}.meta"])


def run_ours(spec: dict[str, Any], store: Store, folder: Path) -> Ours:
    """Run the job of a task spec whose inputs lie in the store."""
    job = Job(folder / "job")
    job.folder.mkdir(parents=True)
    finished = job.run(_request(spec, store, job.folder))
    objects = {}
    for info in finished.outcome.outputs if finished.outcome else []:
        objects[info.path] = (job.folder / info.path).read_bytes()
        objects[f"{info.path}.meta"] = _metadata(info)
    if spec["type"] == "load" and (job.folder / "loaded").exists():
        objects[spec["parameters"]["filepath"]] = (job.folder / "loaded").read_bytes()
    return Ours(finished, objects)


def _metadata(info: OutputInfo) -> bytes:
    names = ("schema", "artifact_type", "serialization_type", "python_type")
    return json.dumps({name: getattr(info, name) for name in names}).encode()


def _request(spec: dict[str, Any], store: Store, folder: Path) -> JobRequest:
    kind = spec["type"]
    inputs = [_input(name, store, folder) for name in spec.get("input_content_paths", [])]
    if kind == "function":
        expected = spec["expected_output_artifact_types"]
        slots = [OutputSlot(*pair) for pair in zip(spec["output_content_paths"], expected, strict=True)]
        return JobRequest(spec["operator_type"], inputs, slots, _unpack(spec, store, folder))
    if kind == "param":
        name = spec["output_content_path"]
        (folder / "value").write_bytes(store.get(name))
        value = InputFile("value", spec["expected_type"], spec["serialization_type"])
        return JobRequest("param", [value], [OutputSlot(name, spec["expected_type"])])
    parameters = spec["parameters"]
    if kind == "load":
        return JobRequest("load", inputs, load_path="loaded", load_format=parameters["format"] or "")
    return _extract_request(spec, store, folder)


def _extract_request(spec: dict[str, Any], store: Store, folder: Path) -> JobRequest:
    parameters = spec["parameters"]
    path = json.loads(parameters["filepath"])
    keys = [path] if isinstance(path, str) else path
    files = []
    for number, key in enumerate(keys):
        (folder / f"file{number}").write_bytes(store.get(key))
        kind, table_format = parameters["artifact_type"], parameters.get("format") or ""
        files.append(ExternalFile(f"file{number}", key, kind, table_format))
    return JobRequest(
        "extract",
        outputs=[OutputSlot(spec["output_content_path"])],
        files=files,
        merge=bool(parameters.get("merge")),
        as_list=isinstance(path, list),
    )


def _input(name: str, store: Store, folder: Path) -> InputFile:
    metadata = store.get_json(f"{name}.meta")
    (folder / name).write_bytes(store.get(name))
    return InputFile(name, metadata["artifact_type"], metadata["serialization_type"])


def _unpack(spec: dict[str, Any], store: Store, folder: Path) -> FunctionCall:
    with zipfile.ZipFile(io.BytesIO(store.get(spec["function_path"]))) as archive:
        archive.extractall(folder / "code")
    (top,) = (folder / "code").iterdir()
    return FunctionCall(
        f"code/{top.name}",
        spec["entry_point_file"],
        spec["entry_point_class"],
        spec["entry_point_method"],
        spec["custom_args"],
        searched_last=True,
    )
