"""A function as it was when its call was recorded: that is published, whatever its runs here change later.

In: a function with its requirements and files. Out: its pickle, made at the call and kept with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.packaging.archive_size import MAX_BYTES
from aqueduct_provider.sdk.packaging.dependency_files import dependency_files
from aqueduct_provider.sdk.packaging.eager_state import Absent, Watch, content_of
from aqueduct_provider.sdk.packaging.limited_buffer import TooLarge
from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.package import by_value, supply_of
from aqueduct_provider.sdk.packaging.pickling import Pickled, pickled
from aqueduct_provider.sdk.packaging.user_function import UserFunction


@dataclass(frozen=True)
class _Last:
    """The pickle that was made last, and what it was made of."""

    pickled: Pickled
    modules: tuple[str, ...]
    content: bytes

    def watch(self) -> Watch | None:
        """Watch a run that starts now; None where its variables cannot be read, for the run must go on."""
        with suppress(Exception):
            return Watch(self.pickled.variables, self.pickled.namespaces)
        return None


class FunctionHistory:
    """The pickles of one function, of which calls that find it unchanged share one.

    :param function: what is called, and what it needs.
    """

    def __init__(self, function: UserFunction) -> None:
        self._function = function
        self._last: _Last | None = None
        self._is_too_large = False

    def recorded(self, *, lazy: bool) -> UserFunction:
        """Return the function for the node of a call.

        :param lazy: whether it is not run at once, so that the snapshot must be made now.
        """
        return replace(self._function, snapshot=Snapshot(self, lazy=lazy))

    def current(self) -> Pickled | None:
        """Return the pickle of the function as it is now, without what eager runs made of its variables.

        None where there is none: publishing the function then shows why.
        """
        modules, last = self._modules(), self._last
        if not last or last.modules != modules or last.content != content_of(last.pickled.variables):
            last = self._last = self._pickle(modules)
        return last.pickled if last else None

    @contextmanager
    def run(self) -> Iterator[Pickled | None]:
        """Run the function without publishing what it makes of its variables.

        Gives the pickle of the function as it is before.
        """
        modules, last = self._modules(), self._last
        watch = last.watch() if last else None
        if not last or not watch or last.modules != modules or last.content != watch.content:
            last = self._last = self._pickle(modules)
            watch = last.watch() if last else None
        with watch.run() if watch else nullcontext():
            yield last.pickled if last else None

    def _modules(self) -> tuple[str, ...]:
        """Return the modules to be pickled by value."""
        with suppress(AuthoringError):  # Wrong file dependencies are refused elsewhere.
            files = dependency_files(self._function, "")
            return by_value(self._function.call, supply_of(self._function, files))
        return ()

    def _pickle(self, modules: tuple[str, ...]) -> _Last | None:
        if self._is_too_large:
            return None
        try:
            with pickled_by_value(modules):
                found = pickled(self._function.call, modules, limit=MAX_BYTES)
        except TooLarge:
            # It cannot be published, and trying it again would slow down every call.
            self._is_too_large = True
            return None
        except Exception:
            return None
        return _Last(found, modules, content_of(found.variables))


class Snapshot:
    """A function as it was when one call of it was recorded.

    :param lazy: whether it is not run at once.
    """

    def __init__(self, history: FunctionHistory, *, lazy: bool) -> None:
        self._history = history
        found = history.current() if lazy else None
        # A function that uses names which are not defined yet is taken when it is run, or published.
        self._pickled = found if found and _is_complete(found) else None

    @property
    def pickled(self) -> Pickled | None:
        """None: it could not be pickled, and is published as it is when it is published."""
        return self._pickled

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run the function here."""
        with self._history.run() as found:
            self._pickled = self._pickled or found
            yield


def _is_complete(pickled: Pickled) -> bool:
    """Return whether every variable that the function uses exists."""
    return all(one.value() is not Absent for one in pickled.variables)
