"""Stage 2, a folder of specs -> DAGs: a bad spec never hides a good one, and is never silent.

In: a folder, listed anew at every parse. Out: the DAG of each spec, and for each file that cannot be used
a placeholder DAG that shows the error.

What counts as a spec stands in ``spec/folder.py``; foreign files are logged and left alone. Of two files
with one DAG id, the one named ``<dag_id>.json`` wins, else the first by name.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airflow import settings
from airflow.exceptions import AirflowClusterPolicySkipDag
from airflow.providers.common.compat.sdk import DAG, get_parsing_context

from aqueduct_provider.errors import ConfigError, Problem, SpecError
from aqueduct_provider.factory.broken import PREFIX, placeholder, placeholder_id
from aqueduct_provider.factory.dag_factory import dag_of
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.document import MAX_BYTES
from aqueduct_provider.spec.folder import is_foreign, is_spec_name
from aqueduct_provider.spec.models import WorkflowSpec

log = logging.getLogger(__name__)


def dags_in(folder: Path, fileloc: str) -> dict[str, DAG]:
    """The DAGs of the specs in ``folder``, by DAG id; where a task is to run, only the DAG of that task.

    :param fileloc: the loader, in which Airflow finds the DAGs again.
    :raises ConfigError: when the folder cannot be listed.
    """
    specs = _Specs(folder, fileloc, _spec_names(folder))
    wanted = get_parsing_context().dag_id
    dags = specs.all_dags() if wanted is None else specs.only(wanted)
    return {dag.dag_id: dag for dag in dags}


def _spec_names(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError as exc:
        raise ConfigError(f"The folder of specs {folder} cannot be listed: {exc.strerror}.") from exc
    return tuple(sorted(name for name in names if is_spec_name(name)))


# What a file turned out to be; None: nothing to show, for it is foreign or gone.
Outcome = WorkflowSpec | SpecError | None


@dataclass(frozen=True)
class _Specs:
    folder: Path
    fileloc: str
    names: tuple[str, ...]

    def all_dags(self) -> Iterator[DAG]:
        """Every spec's DAG or placeholder."""
        outcomes = {name: self._load(name) for name in self.names}
        ids = {name: spec.dag_id for name, spec in outcomes.items() if isinstance(spec, WorkflowSpec)}
        winners: dict[str, str] = {}
        for name in sorted(ids, key=lambda name: (name != f"{ids[name]}.json", name)):
            winners.setdefault(ids[name], name)
        for name, outcome in outcomes.items():
            yield from self._dag(name, outcome, winners.get(ids.get(name, "")))

    def only(self, dag_id: str) -> Iterator[DAG]:
        """The one DAG, which :meth:`all_dags` would give too, without parsing the other files."""
        if not dag_id.startswith(PREFIX):
            if winner := self._find(dag_id):
                yield from self._dag(winner, self._load(winner), winner)
            return
        for name in self.names:
            if placeholder_id(name) == dag_id:
                outcome = self._load(name)
                winner = self._find(outcome.dag_id) if isinstance(outcome, WorkflowSpec) else None
                yield from self._dag(name, outcome, winner)

    def _find(self, dag_id: str) -> str | None:
        """The file whose spec has this DAG id."""
        needle = dag_id.encode()
        best = f"{dag_id}.json"
        for name in sorted(self.names, key=lambda name: name != best):
            if self._mentions(name, needle):
                outcome = self._load(name)
                if isinstance(outcome, WorkflowSpec) and outcome.dag_id == dag_id:
                    return name
                if isinstance(outcome, SpecError):
                    # Until just now it may have been the spec of this task: the task's log must say so.
                    log.error("%s", outcome)
        return None

    def _mentions(self, name: str, needle: bytes) -> bool:
        try:
            return needle in _read(self.folder / name)
        except OSError:
            return False

    def _dag(self, name: str, outcome: Outcome, winner: str | None) -> Iterator[DAG]:
        """The DAG of a file, or its placeholder: at most one of them."""
        try:
            match outcome:
                case SpecError():
                    raise outcome
                case WorkflowSpec():
                    if winner not in (name, None):
                        raise _problem(name, "$.dag_id", _duplicate(outcome.dag_id, winner))
                    dag = dag_of(outcome, source=_safe(name), fileloc=self.fileloc)
                    _apply_policies(dag, name)
                    yield dag
        except SpecError as error:
            yield from self._placeholder(name, error)

    def _placeholder(self, name: str, error: SpecError) -> Iterator[DAG]:
        log.error("%s", error)
        dag = placeholder(name, error, fileloc=self.fileloc)
        try:
            _apply_policies(dag, name)
            yield dag
        except SpecError as refusal:
            log.error("%s", refusal)

    def _load(self, name: str) -> Outcome:
        data = b""
        try:
            data = _read(self.folder / name)
            spec = loader.parse(data, _safe(name))
            _check_dag_id(spec.dag_id, data, name)
            return spec
        except FileNotFoundError:
            is_link = (self.folder / name).is_symlink()
            return _problem(name, "$", "a link to a file that does not exist") if is_link else None
        except OSError as exc:
            return _problem(name, "$", f"cannot be read: {exc.strerror or exc}")
        except SpecError as error:
            if not is_foreign(data):
                return error
            log.info("%s is not an Aqueduct spec; it is left alone", _safe(name))
            return None
        except Exception as exc:
            return _problem(name, "$", _unexpected(exc))


def _read(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        # Opening a named pipe would wait for its writer.
        raise OSError(errno.EINVAL, "not a file; specs lie directly in the folder of their loader")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _check_dag_id(dag_id: str, data: bytes, name: str) -> None:
    if dag_id.startswith(("__", PREFIX)):
        # The loader puts DAGs among its globals: __file__ as a DAG id would replace the loader's own.
        raise _problem(name, "$.dag_id", f"ids that begin with __ or {PREFIX} are reserved; choose another")
    if dag_id.encode() not in data:
        # A task finds its spec by these bytes.
        raise _problem(name, "$.dag_id", f"write {dag_id} without JSON escapes, in UTF-8")


def _apply_policies(dag: DAG, name: str) -> None:
    """Raise what a cluster policy has against ``dag`` now: raised later, it hides every DAG of the loader."""
    try:
        settings.dag_policy(dag)
        for task in dag.tasks:
            settings.task_policy(task)
    except AirflowClusterPolicySkipDag:
        return
    except Exception as exc:
        raise _problem(name, "$", f"a policy of this Airflow refuses the DAG: {exc}") from exc


def _duplicate(dag_id: str, winner: str) -> str:
    return f"{dag_id!r} is the DAG id of {_safe(winner)} already; remove one of the two files"


def _unexpected(exc: Exception) -> str:
    # Only its kind and its place: the message of an error that is not ours may repeat a secret of the spec.
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"cannot be read as a spec: {type(exc).__name__} in {place}; please report this"


def _problem(name: str, path: str, message: str) -> SpecError:
    return SpecError(_safe(name), [Problem(path, message)])


def _safe(name: str) -> str:
    # A file name need not be UTF-8.
    return os.fsencode(name).decode(errors="backslashreplace")
