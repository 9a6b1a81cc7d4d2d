"""A version of a flow as a folder: for reviews in Git, and to be published elsewhere.

``flow.json`` is the spec, ``objects/`` has function archives and stored defaults by their sha256, and
``source/`` the text of the functions, which is for readers alone: nothing reads it back.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, NotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy, check_digest, objects_of
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.sdk.resources.delivery import file_errors
from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.layout import FlowLayout, function_archive

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec

SPEC_FILE = "flow.json"
_OBJECTS, _SOURCE = "objects", "source"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_export(copy: FlowCopy, folder: Path) -> None:
    """Write a version into a folder, in the place of another version of the same flow.

    :param folder: it is made; one that is there must be empty, or an export of this flow.
    :raises AuthoringError: something else is in the folder.
    :raises StorageError: it cannot be written.
    """
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_another(folder, copy.spec)
        objects = folder / _OBJECTS
        objects.mkdir(exist_ok=True)
        named = objects_of(copy.spec)
        for key, sha256 in named.items():
            with replacing(objects / sha256) as file:
                file.write(copy.objects[key])
        _write_source(copy, folder / _SOURCE)
        # Last: a folder with a new spec has all that it names.
        with replacing(folder / SPEC_FILE) as file:
            file.write(copy.text)
        for path in objects.iterdir():
            if _DIGEST.fullmatch(path.name) and path.name not in named.values():
                path.unlink()


def read_export(folder: Path) -> FlowCopy:
    """Read the version in a folder, and verify it.

    :raises NotFound: it is not an export, or lacks an object.
    :raises SpecError: the spec in it is not valid.
    :raises AuthoringError: the spec is not one that ``publish_flow`` makes.
    :raises DigestMismatch: an object in it was changed.
    """
    from aqueduct_provider.spec.loader import parse

    path = folder / SPEC_FILE
    with file_errors(folder):
        if not path.is_file():
            raise NotFound(
                f"{folder} is not an exported flow: it has no {SPEC_FILE}. `aqueduct-airflow export` writes "
                "one."
            )
        text = path.read_bytes()
        spec = parse(text, str(path))
        _check_made_by_sdk(spec, path)
        objects = {}
        for key, sha256 in objects_of(spec).items():
            place = folder / _OBJECTS / sha256
            if not place.is_file():
                raise NotFound(f"{place} is missing, which {path} names. Export the flow again.")
            objects[key] = place.read_bytes()
            check_digest(str(place), objects[key], sha256)
    return FlowCopy(spec, text, objects)


def _write_source(copy: FlowCopy, folder: Path) -> None:
    """Write the text of each function; what an earlier version left there goes."""
    from aqueduct_provider.artifacts.function_source import source_of
    from aqueduct_provider.spec.models import CallOperator

    shutil.rmtree(folder, ignore_errors=True)
    for operator in copy.spec.operators:
        if not isinstance(operator, CallOperator):
            continue
        own = folder / operator.task_id
        for one in source_of(copy.objects[operator.code.key], operator.code, operator.name).files:
            path = own / one.name
            # The names are of a zip: none may lead out of the folder.
            if own.resolve() in path.resolve().parents:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(one.text, encoding="utf-8")


def _refuse_another(folder: Path, spec: WorkflowSpec) -> None:
    from aqueduct_provider.spec.loader import load

    there = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if not there:
        return
    if SPEC_FILE in there:
        try:
            if load(folder / SPEC_FILE).flow.id == spec.flow.id:
                return
        except SpecError:
            pass
    raise AuthoringError(
        f"{folder} holds something else than an export of {spec.flow.name!r} "
        f"({', '.join(sorted(there)[:3])}). Name a new folder, or an empty one."
    )


def _check_made_by_sdk(spec: WorkflowSpec, path: Path) -> None:
    """Check that it can only write its own objects: a key could be that of another flow's record."""
    name, flow_id = spec.flow.name, str(spec.flow.id)
    wrong = [
        key
        for key, sha256 in objects_of(spec).items()
        if key not in (function_archive(sha256), FlowLayout(flow_id).value(sha256))
    ]
    if spec.compiled is not None or (flow_id, spec.dag_id) != (flow_id_of(name), dag_id_of(name)) or wrong:
        raise AuthoringError(
            f"{path} is not a spec that publish_flow has made{f': it names {wrong[0]!r}' if wrong else ''}. "
            "Give a folder that `aqueduct-airflow export` has written; other specs are delivered as files: "
            "docs/delivery.md."
        )
