"""Where Airflow finds the spec of a DAG: below ``specs/`` in the artifact store, or in a folder of specs.

In: a DAG id and the spec's bytes. Out: the spec at its place, seen whole or not at all. What belongs to
someone else is neither replaced nor removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aqueduct_provider.errors import AuthoringError, ConfigError, ObjectNotFound, StorageError
from aqueduct_provider.storage import layout
from aqueduct_provider.storage.object_store import ObjectStore


class Delivery(Protocol):
    """A place that Airflow reads specs from. Methods raise ``StorageError`` when it does not answer."""

    def deliver(self, dag_id: str, data: bytes) -> str:
        """Put the spec there, and say where, in words.

        :raises AuthoringError: something that is not a spec of this flow is there.
        :raises ConfigError: the place does not exist.
        """
        ...

    def delivered(self, dag_id: str) -> bytes | None:
        """Return the spec that is delivered now."""
        ...

    def withdraw(self, dag_id: str) -> None:
        """Remove the spec; nothing there is not an error.

        :raises AuthoringError: it is a folder, and something that is not a spec of this DAG is there.
        """
        ...


@dataclass(frozen=True)
class StoreDelivery:
    """Below ``specs/`` in the artifact store, which Airflow's loader lists."""

    store: ObjectStore

    def deliver(self, dag_id: str, data: bytes) -> str:
        key = layout.delivered_spec(dag_id)
        _refuse_another_flow(self.store.url(key), self.delivered(dag_id), data)
        self.store.put(key, data)
        return self.store.url(key)

    def delivered(self, dag_id: str) -> bytes | None:
        try:
            return self.store.get(layout.delivered_spec(dag_id))
        except ObjectNotFound:
            return None

    def withdraw(self, dag_id: str) -> None:
        self.store.delete([layout.delivered_spec(dag_id)])


@dataclass(frozen=True)
class FolderDelivery:
    """A folder of specs that Airflow reads too.

    :param folder: it must exist; without ``~``.
    """

    folder: Path

    def deliver(self, dag_id: str, data: bytes) -> str:
        from aqueduct_provider.storage.files import replacing

        path = self._path(dag_id)
        self._check()
        _refuse_another_flow(str(path), self.delivered(dag_id), data)
        # While it is written its name is hidden, so it does not count as a spec: see spec/spec_files.py.
        with file_errors(path), replacing(path) as file:
            file.write(data)
            # Airflow runs as another user.
            os.fchmod(file.fileno(), 0o644)
            # Renamed before it is on the disk, it would be empty after a loss of power.
            file.flush()
            os.fsync(file.fileno())
        return str(path)

    def delivered(self, dag_id: str) -> bytes | None:
        path = self._path(dag_id)
        with file_errors(path):
            return path.read_bytes() if path.exists() else None

    def withdraw(self, dag_id: str) -> None:
        path = self._path(dag_id)
        _refuse_another_dag(str(path), self.delivered(dag_id), dag_id)
        with file_errors(path):
            path.unlink(missing_ok=True)

    def _path(self, dag_id: str) -> Path:
        if not dag_id or dag_id.startswith(".") or set(dag_id) & set("/\\\0"):
            raise AuthoringError(f"{dag_id!r} is not a DAG id: it would lead out of {self.folder}.")
        return self.folder / f"{dag_id}.json"

    def _check(self) -> None:
        fix = "Correct the resource's dags_folder: a folder of this machine that Airflow reads too."
        if not self.folder.is_dir():
            raise ConfigError(f"The folder {self.folder} does not exist. {fix}")
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise ConfigError(f"You may not write into {self.folder}. Allow it, or: {fix}")


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of a file that users named into ``StorageError``."""
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise StorageError(f"{place}: {error.strerror}. Fix the folder or use another.") from error


def _refuse_another_flow(place: str, there: bytes | None, data: bytes) -> None:
    if there is not None and _flow_id(there) != _flow_id(data):
        raise AuthoringError(
            f"{place} is not a spec of this flow, so it was not replaced. Move it away if no one needs it, or"
            " give the flow another name."
        )


def _refuse_another_dag(place: str, there: bytes | None, dag_id: str) -> None:
    if there is not None and _object(there).get("dag_id") != dag_id:
        raise AuthoringError(
            f"{place} is not a published spec of the DAG {dag_id!r}, so it was not removed. Remove it "
            "yourself if no one needs it."
        )


def _flow_id(data: bytes) -> str | None:
    flow = _object(data).get("flow")
    return str(flow.get("id")).lower() if isinstance(flow, dict) else None


def _object(data: bytes) -> dict[str, Any]:
    """Return the JSON object; an empty one for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
