"""A version of a flow as a folder: for reviews in Git, and to be published elsewhere.

``flow.json`` is the spec, ``objects/`` has function archives and stored defaults by their sha256, and
``source/`` the Python text in the archives, for those who review it. It is compared with them when the folder
is read, so that no other text than theirs is reviewed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy, check_digest, objects_of
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.sdk.resources.delivery import file_errors
from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.layout import FlowLayout, function_archive

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec

SPEC_FILE = "flow.json"
_OBJECTS, _SOURCE = "objects", "source"
# For Git, which else may change the ends of lines, and with them digests.
_AS_WRITTEN = b"* -text\n"
# What pytest imports or runs.
_COLLECTED = re.compile(r"conftest\.py|test_.*\.py|.*_test\.py", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_export(copy: FlowCopy, folder: Path) -> None:
    """Write a version into a folder, in the place of another version of the same flow.

    :param folder: it is made; one that is there must be empty, or an export of this flow.
    :raises AuthoringError: something else is in the folder, or a symbolic link.
    :raises IntegrityError: the code has text that cannot be shown.
    :raises StorageError: it cannot be written.
    """
    source = _source(copy.spec, copy.objects)
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_links(folder)
        _refuse_another(folder, copy.spec)
        objects = folder / _OBJECTS
        objects.mkdir(exist_ok=True)
        named = objects_of(copy.spec)
        for key, sha256 in named.items():
            with replacing(objects / sha256) as file:
                file.write(copy.objects[key])
        _write_source(source, folder / _SOURCE)
        with replacing(folder / ".gitattributes") as file:
            file.write(_AS_WRITTEN)
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
    :raises AuthoringError: the spec is not one that ``publish_flow`` makes, or there are symbolic links.
    :raises DigestMismatch: an object in it was changed.
    :raises IntegrityError: the text for reviews is not that of the code.
    """
    from aqueduct_provider.spec.loader import parse

    path = folder / SPEC_FILE
    with file_errors(folder):
        if not path.is_file():
            raise NotFound(
                f"{folder} is not an exported flow: it has no {SPEC_FILE}. `aqueduct-airflow export` writes "
                "one."
            )
        _refuse_links(folder)
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
        _check_source(folder / _SOURCE, _source(spec, objects))
    return FlowCopy(spec, text, objects)


def _source(spec: WorkflowSpec, objects: Mapping[str, bytes]) -> dict[str, str]:
    """Return what the folder with the text has: path in it -> text."""
    from aqueduct_provider.artifacts.function_source import reviewed_source
    from aqueduct_provider.spec.models import CallOperator

    found = dict[str, str]()
    for operator in spec.operators:
        if isinstance(operator, CallOperator):
            place = f"The code of {operator.name!r}"
            for name, text in reviewed_source(objects[operator.code.key], place).items():
                # pytest would run those in a checkout.
                end = ".txt" if _COLLECTED.fullmatch(name.rpartition("/")[2]) else ""
                found[f"{operator.task_id}/{name}{end}"] = text
    return found


def _write_source(source: Mapping[str, str], folder: Path) -> None:
    """Write the text of the functions; what an earlier version left there goes."""
    if folder.exists():
        shutil.rmtree(folder)
    for name, text in source.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def _check_source(folder: Path, source: Mapping[str, str]) -> None:
    """Check that what was there to be reviewed is the text of the code."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    wrong = sorted(
        name
        for name in source.keys() | there.keys()
        if name not in source or name not in there or _lines(there[name]) != _lines(source[name].encode())
    )
    if wrong:
        name, more = wrong[0], f" ({len(wrong) - 1} more differ, too)" if len(wrong) > 1 else ""
        how = "missing" if name not in there else "changed" if name in source else "no part of that"
        raise IntegrityError(
            f"{folder / name} is not the text in {_OBJECTS}/, which is what would be published: it is {how}"
            f"{more}. Export the flow again, and review that."
        )


def _lines(text: bytes) -> bytes:
    # Git may write the ends of lines in another way.
    return text.replace(b"\r\n", b"\n")


def _refuse_links(folder: Path) -> None:
    """Refuse links in the place of what an export has: they lead to other files."""
    top = [path for path in folder.iterdir() if not path.name.startswith(".")]
    below = [
        Path(parent, name)
        for start in (_OBJECTS, _SOURCE)
        if not (folder / start).is_symlink()
        for parent, folders, files in os.walk(folder / start)
        for name in (*folders, *files)
    ]
    if found := next((path for path in (*top, *below) if path.is_symlink()), None):
        raise AuthoringError(
            f"{found} is a symbolic link, and an export has none. Remove it, or name another folder."
        )


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
