"""Run a script that publishes flows, but only compose them.

In: the path of a script. Out: the flows that it would publish, as they would be. What the script then does
with them is answered by a stand-in.
"""

from __future__ import annotations

import functools
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aqueduct_provider.errors import AqueductError, AuthoringError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.publishing.compose import Composition, FlowRequest

Function = TypeVar("Function", bound=Callable[..., Any])

# Where the spec is not uploaded, its store does not matter.
_STORE = {"type": "connection"}
_MISSING = "The script {script!r} does not exist. Correct the path."


class Rehearsal:
    """A flow that a script would publish.

    :ivar compositions: in the order in which they would be published.
    :ivar ended_early: why what follows in the script was not run; empty where all of it was.
    """

    def __init__(self) -> None:
        self.compositions: list[Composition] = []
        self.ended_early = ""

    def publish(self, request: FlowRequest) -> Flow:
        """Compose a flow, and return an object in its place.

        :raises AuthoringError: something in it would fail later.
        """
        from aqueduct_provider.sdk.publishing.compose import compose

        self.compositions.append(compose(request, _STORE))
        return cast("Flow", Unpublished())


class Unpublished:
    """A placeholder for a flow that was not published, its runs, and everything that is asked of them."""

    def __getattr__(self, name: str) -> Unpublished:
        # Python asks for these to find out what an object can do.
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Unpublished:
        return self

    def __getitem__(self, _: Any) -> Unpublished:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        # Scripts wait for a run: while len(flow.list_runs()) == 0.
        return 1

    def __bool__(self) -> bool:
        return True

    def __format__(self, _: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return "<not published>"


_current: Rehearsal | None = None


def current_rehearsal() -> Rehearsal | None:
    """Return the rehearsal that is going on in this process."""
    return _current


def not_while_rehearsing(function: Function) -> Function:
    """Let a function that needs published flows return a stand-in while a script is rehearsed."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) if _current is None else Unpublished()

    return cast("Function", call)


def rehearse(script: Path, arguments: Sequence[str] = ()) -> Rehearsal:
    """Run a script as ``python SCRIPT`` does, but publish, trigger, delete and upload nothing.

    What it prints goes to stderr.

    :param arguments: for its ``sys.argv``.
    :raises AuthoringError: the script is missing, it failed, or it publishes nothing.
    """
    if not script.is_file():
        raise AuthoringError(_MISSING.format(script=str(script)))
    with _rehearsing() as rehearsal, _as_main(script, arguments), redirect_stdout(sys.stderr):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as error:
            if error.code not in (None, 0):
                _ended(rehearsal, script, f"it exits with {error.code!r}", error)
        except AqueductError:
            raise
        except Exception as error:
            _ended(rehearsal, script, f"{type(error).__name__}: {error}", error)
    if not rehearsal.compositions:
        raise AuthoringError(f"{script} publishes no flow: it never calls client.publish_flow(...).")
    return rehearsal


def run_script(script: Path, arguments: Sequence[str] = ()) -> None:
    """Run a script as ``python SCRIPT`` does; what it publishes is published.

    :raises AuthoringError: the script is missing, or it failed.
    """
    if not script.is_file():
        raise AuthoringError(_MISSING.format(script=str(script)))
    with _as_main(script, arguments):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except AqueductError:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise AuthoringError(f"{_place(script, error)}: the script failed: {why}.") from error


def _ended(rehearsal: Rehearsal, script: Path, why: str, error: BaseException) -> None:
    """Return how the script ended: once a flow was not published, later steps may fail for that alone."""
    where = _place(script, error)
    if not rehearsal.compositions:
        raise AuthoringError(f"{where}: the script failed before it published a flow: {why}.") from error
    rehearsal.ended_early = f"{where}: {why}"


def _place(script: Path, error: BaseException) -> str:
    """Return where in the script it failed."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(script)]
    return f"{script}, line {lines[-1]}" if lines else str(script)


@contextmanager
def _rehearsing() -> Iterator[Rehearsal]:
    rehearsal = Rehearsal()
    with rehearsing(rehearsal):
        yield rehearsal


@contextmanager
def rehearsing(rehearsal: Rehearsal) -> Iterator[None]:
    """While the block runs, compose what this process publishes, and send nothing to Airflow."""
    global _current
    before, _current = _current, rehearsal
    try:
        yield
    finally:
        _current = before


@contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    argv, path = sys.argv, list(sys.path)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
