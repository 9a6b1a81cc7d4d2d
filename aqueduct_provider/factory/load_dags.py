"""Listings of specs -> DAGs: a bad spec never hides a good one, and is never silent.

Each file or store that cannot be used has a placeholder DAG that shows the error.

``spec/spec_files.py`` defines what counts as a spec; foreign files are logged and left alone. Of two files
with one DAG id that of the first listing wins, then the one named ``<dag_id>.json``, else the first by name.
In a store every spec has that name, so that a task finds its own with one request.

A spec that takes long, or very many, must not take the time of all others: ordinary specs come before large
ones, each has its limit (``time_limit.py``), and what has no turn is left out of this parse (``turns.py``).
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aqueduct_provider.compat import DAG, AirflowClusterPolicySkipDag, get_parsing_context, settings
from aqueduct_provider.errors import Problem, SpecError, unforeseen
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.placeholder_dag import (
    PREFIX,
    left_out_placeholder,
    placeholder,
    placeholder_id,
    report_count,
    store_placeholder,
)
from aqueduct_provider.factory.time_limit import time_limit
from aqueduct_provider.factory.turns import Turns, keep_left_out, left_out
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.document import content
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.spec_files import is_foreign
from aqueduct_provider.spec_sources.listing import Listing, SpecSource

log = logging.getLogger(__name__)

# Bytes; hardly a spec is as large, and one that takes long has to be.
_LARGE = 256 * 1024
# On a slow disk, reading thousands of files one by one takes longer than all else.
_READERS = 16
_FILES_OF_READER = 8

# The loader puts DAGs among its globals, where these names mean something to Python. Other ids begin with __,
# too: the original makes them of names that begin with a character beyond ASCII.
_MODULE_ATTRIBUTES = frozenset(
    "__all__ __annotations__ __builtins__ __cached__ __dict__ __dir__ __doc__ __file__ __getattr__ "
    "__loader__ __name__ __package__ __path__ __spec__".split()
)


def dags_in(sources: Sequence[SpecSource], fileloc: str) -> dict[str, DAG]:
    """Return the DAGs of all specs, by DAG id; where a task is to run, only the DAG of that task.

    :param fileloc: the loader, in which Airflow finds the DAGs again.
    :raises ConfigError: when a folder cannot be listed.
    """
    wanted = get_parsing_context().dag_id
    dags = _all(sources, fileloc) if wanted is None else _only(sources, fileloc, wanted)
    with _nothing_is_garbage():
        found = {dag.dag_id: dag for dag in dags}
    if wanted is None:
        report_count(fileloc, found)
    return found


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """Disable the garbage collector while building: a million objects, and all of them survive."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _all(sources: Sequence[SpecSource], fileloc: str) -> Iterator[DAG]:
    return _Specs.of([source.listing() for source in sources], fileloc).all_dags()


def _only(sources: Sequence[SpecSource], fileloc: str, wanted: str) -> list[DAG]:
    """Return the one DAG that :func:`_all` would give too."""
    if wanted.startswith(PREFIX):
        return list(_Specs.of([source.listing() for source in sources], fileloc).placeholder(wanted))
    for source in sources:
        # What the first source has, the others are not even asked for.
        for listing in source.listings_with(wanted):
            if found := list(_Specs.of([listing], fileloc).flow(wanted)):
                return found
    return []


@dataclass(frozen=True, eq=False)
class _File:
    """One spec.

    :param rank: of its listing among the listings.
    """

    listing: Listing
    rank: int
    name: str

    @property
    def path(self) -> Path:
        return self.listing.folder / self.name

    @property
    def label(self) -> str:
        """The name that users know it by."""
        return self.listing.origin + _safe(self.name)

    @property
    def id_name(self) -> str:
        """The name of its placeholder; the bytes of two names may look the same in labels."""
        return self.listing.origin + self.name


# What a file holds, why it cannot be read, or, of one that is too large for now, its size.
_Content = bytes | OSError | int
# What a file turned out to be; None: nothing to show, for it is foreign or gone.
Outcome = WorkflowSpec | SpecError | None


@dataclass(frozen=True)
class _Specs:
    listings: Sequence[Listing]
    files: tuple[_File, ...]
    fileloc: str
    turns: Turns = field(default_factory=Turns.begin)

    @classmethod
    def of(cls, listings: Sequence[Listing], fileloc: str) -> _Specs:
        files = [
            _File(listing, rank, name)
            for rank, listing in enumerate(listings)
            for name in (*listing.names, *(name for name in listing.problems if name not in listing.names))
        ]
        return cls(listings, tuple(files), fileloc)

    def all_dags(self) -> Iterator[DAG]:
        """Yield every spec's DAG or placeholder, as far as there is time."""
        before = left_out(self.fileloc)
        waited = {name: place for place, name in enumerate(before)}
        files = sorted(self.files, key=lambda file: waited.get(file.id_name, len(waited)))
        outcomes: dict[_File, Outcome] = {}
        for file, found in _contents(files):
            outcomes[file] = self._outcome(file, found)
            if self.turns.are_over(reading=True):
                break
        ids = {file: spec.dag_id for file, spec in outcomes.items() if isinstance(spec, WorkflowSpec)}
        winners: dict[str, _File] = {}
        for file in sorted(ids, key=lambda file: _order(file, ids[file])):
            winners.setdefault(ids[file], file)
        had_turn = set[_File]()
        for file, outcome in outcomes.items():
            # Whatever the time, the next parse must find less to do.
            if had_turn and self.turns.are_over():
                break
            had_turn.add(file)
            yield from self._dag(file, outcome, winners.get(ids.get(file, "")))
        late = [file.id_name for file in files if file not in had_turn]
        yield from self._failures()
        yield from self._left_out(late)
        if late != before:
            keep_left_out(self.fileloc, late)

    def flow(self, dag_id: str) -> Iterator[DAG]:
        """Yield the one DAG of a flow as :meth:`all_dags` would, without parsing the other files."""
        if winner := self._find(dag_id):
            yield from self._dag(winner, self._load(winner), winner)

    def placeholder(self, dag_id: str) -> Iterator[DAG]:
        """Yield the one placeholder in the same way."""
        for file in self.files:
            if placeholder_id(file.id_name) == dag_id:
                outcome = self._load(file)
                winner = self._find(outcome.dag_id) if isinstance(outcome, WorkflowSpec) else None
                yield from self._dag(file, outcome, winner)
        others = (*self._failures(), *self._left_out(left_out(self.fileloc)))
        yield from (dag for dag in others if dag.dag_id == dag_id)

    def _failures(self) -> Iterator[DAG]:
        for listing in self.listings:
            if listing.failure:
                dag = store_placeholder(listing.connection_id, listing.failure, fileloc=self.fileloc)
                yield from _allowed(dag, listing.connection_id)

    def _left_out(self, names: Sequence[str]) -> Iterator[DAG]:
        if names:
            dag = left_out_placeholder(list(map(_safe, names)), len(self.files), fileloc=self.fileloc)
            log.error("%s", dag.tasks[0].error)
            yield from _allowed(dag, dag.dag_id)

    def _find(self, dag_id: str) -> _File | None:
        """Find the file whose spec has this DAG id."""
        needle = dag_id.encode()
        for file in sorted(self.files, key=lambda file: _order(file, dag_id)):
            if _mentions(file.path, needle):
                outcome = self._load(file)
                if isinstance(outcome, WorkflowSpec) and outcome.dag_id == dag_id:
                    return file
                if isinstance(outcome, SpecError):
                    # Until just now it may have been the spec of this task: the task's log must say so.
                    log.error("%s", outcome)
        return None

    def _dag(self, file: _File, outcome: Outcome, winner: _File | None) -> Iterator[DAG]:
        """Yield the DAG of a file, or its placeholder: at most one of them."""
        try:
            match outcome:
                case SpecError():
                    raise outcome
                case WorkflowSpec():
                    if winner is not None and winner is not file:
                        raise _problem(file.label, "$.dag_id", _duplicate(outcome.dag_id, winner))
                    with time_limit(file.label, self.turns.each):
                        dag = dag_of(outcome, source=file.label, fileloc=self.fileloc)
                        _apply_policies(dag, file.label)
                    yield dag
        except SpecError as error:
            log.error("%s", error)
            yield from _allowed(placeholder(file.id_name, error, fileloc=self.fileloc), file.label)

    def _load(self, file: _File) -> Outcome:
        return self._outcome(file, _content(file))

    def _outcome(self, file: _File, found: _Content) -> Outcome:
        data, label = b"", file.label
        if file.name in file.listing.problems:
            return _problem(label, "$", file.listing.problems[file.name])
        try:
            if isinstance(found, OSError):
                raise found
            assert isinstance(found, bytes)
            data = found
            with time_limit(label, self.turns.each):
                spec = loader.parse(data, label)
            check_dag_id(spec.dag_id, data, label)
            _check_name(spec.dag_id, file)
            return spec
        except FileNotFoundError:
            return (
                _problem(label, "$", "a link to a file that does not exist")
                if file.path.is_symlink()
                else None
            )
        except OSError as exc:
            return _problem(label, "$", f"cannot be read: {exc.strerror or exc}")
        except SpecError as error:
            if not is_foreign(data):
                return error
            log.info("%s is not an Aqueduct spec; it is left alone", label)
            return None
        except Exception as exc:
            return _problem(label, "$", f"cannot be read as a spec: {unforeseen(exc)}")


def _order(file: _File, dag_id: str) -> tuple[int, bool, str]:
    """Return a sort key; the file with the least one wins."""
    return file.rank, file.name != f"{dag_id}.json", file.name


def _contents(files: Sequence[_File]) -> Iterator[tuple[_File, _Content]]:
    """Read files, in the order given, but large ones after the others."""
    large: list[_File] = []
    for file, found in _read_together(files):
        if isinstance(found, int):
            large.append(file)
        else:
            yield file, found
    yield from ((file, _content(file)) for file in large)


def _read_together(files: Sequence[_File]) -> Iterator[tuple[_File, _Content]]:
    """Read all but large files, in the order given, several at once."""
    if len(files) <= _FILES_OF_READER:
        yield from ((file, _content(file, _LARGE)) for file in files)
        return
    parts = [files[start : start + _FILES_OF_READER] for start in range(0, len(files), _FILES_OF_READER)]
    with ThreadPoolExecutor(_READERS) as pool:
        # Not all at once: what is read and waits takes memory.
        for start in range(0, len(parts), _READERS):
            now = parts[start : start + _READERS]
            contents = pool.map(lambda part: [_content(file, _LARGE) for file in part], now)
            for part, found in zip(now, contents, strict=True):
                yield from zip(part, found, strict=True)


def _content(file: _File, most: int | None = None) -> _Content:
    """Read a file; give the size of one that has more bytes than ``most``."""
    try:
        return _read(file.path, most)
    except OSError as error:
        return error


def _mentions(path: Path, needle: bytes) -> bool:
    try:
        found = _read(path)
        return isinstance(found, bytes) and needle in found
    except OSError:
        return False


def _read(path: Path, most: int | None = None) -> bytes | int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        # Opening a named pipe would wait for its writer.
        raise OSError(errno.EINVAL, "not a file; put specs directly into the folder of their loader")
    return status.st_size if most is not None and status.st_size > most else content(path)


def check_dag_id(dag_id: str, data: bytes, label: str) -> None:
    """Raise ``SpecError`` where DAG files of ours cannot show a DAG of this id.

    :param data: the spec.
    """
    problem = ""
    if dag_id in _MODULE_ATTRIBUTES or dag_id.startswith(PREFIX):
        problem = f"{dag_id} is reserved; choose another id"
    elif dag_id.encode() not in data:
        # A task finds its spec by these bytes.
        problem = f"write {dag_id} without JSON escapes, in UTF-8"
    if problem:
        raise _problem(label, "$.dag_id", problem)


def _check_name(dag_id: str, file: _File) -> None:
    if file.listing.origin and file.name != f"{dag_id}.json":
        problem = f"in a store, tasks of {dag_id!r} look for {dag_id}.json; rename the object"
        raise _problem(file.label, "$.dag_id", problem)


def _allowed(dag: DAG, label: str) -> Iterator[DAG]:
    """Yield the placeholder, unless a policy refuses even that."""
    try:
        _apply_policies(dag, label)
        yield dag
    except SpecError as refusal:
        log.error("%s", refusal)


def _apply_policies(dag: DAG, label: str) -> None:
    """Raise what a cluster policy has against ``dag`` now: raised later, it hides every DAG of the loader."""
    try:
        settings.dag_policy(dag)
        for task in dag.tasks:
            settings.task_policy(task)
    except AirflowClusterPolicySkipDag:
        return
    except Exception as exc:
        raise _problem(label, "$", f"a policy of this Airflow refuses the DAG: {exc}") from exc


def _duplicate(dag_id: str, winner: _File) -> str:
    return f"{dag_id!r} is the DAG id of {winner.label} already; remove one of the two files"


def _problem(label: str, path: str, message: str) -> SpecError:
    return SpecError(label, [Problem(path, message)])


def _safe(name: str) -> str:
    # A file name need not be UTF-8.
    return os.fsencode(name).decode(errors="backslashreplace")
