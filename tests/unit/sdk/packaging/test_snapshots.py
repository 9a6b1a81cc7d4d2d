"""What is published of functions that have been run here."""

from __future__ import annotations

import io
import pickle
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.authoring.decorators import op
from aqueduct_provider.sdk.packaging import snapshots
from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.package import package
from aqueduct_provider.sdk.packaging.pickling import pickled
from aqueduct_provider.sdk.packaging.snapshots import FunctionHistory
from aqueduct_provider.sdk.packaging.user_function import UserFunction

SEEN = {"times": 0}
FACTOR = 2
CONNECTION: Any = None
LATER: Any


class Cache:
    items: dict[int, int] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.used = 0


CACHE = Cache()


@op(requirements=[])
def counted() -> int:
    SEEN["times"] += 1
    return SEEN["times"]


@op(requirements=[])
def scaled() -> tuple[int, int]:
    SEEN["times"] += 1
    return SEEN["times"], FACTOR


@op(requirements=[])
def connected() -> str:
    global CONNECTION
    if CONNECTION is not None:
        return "connected before"
    CONNECTION = threading.Lock()
    return "connected"


def remembered(value: int, known: list[int] = []) -> int:  # noqa: B006
    known.append(value)
    return len(known)


@op(requirements=[])
def caching() -> list[int]:
    Cache.items[len(Cache.items)] = 1
    CACHE.used += 1
    return [len(Cache.items), CACHE.used, remembered(1)]


@op(requirements=[])
def adapted(*, step: int = 1) -> int:
    SEEN["times"] += step
    return SEEN["times"]


@op(requirements=[])
def early() -> Any:
    return LATER  # noqa: F821


@pytest.fixture(autouse=True)
def as_in_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    names = sys.modules[__name__]
    for name, value in (("SEEN", {"times": 0}), ("FACTOR", 2), ("CONNECTION", None), ("CACHE", Cache())):
        monkeypatch.setattr(names, name, value)
    monkeypatch.setattr(Cache, "items", {})


def archive(artifact: Any, name: str = "f") -> bytes:
    return package(artifact.node.producer.function, name).data


def on_worker(artifact: Any, *inputs: Any) -> Any:
    """What the published function returns in its first run."""
    with zipfile.ZipFile(io.BytesIO(archive(artifact))) as zipped:
        return pickle.loads(zipped.read("function/model.pkl"))(*inputs)


def test_runs_do_not_count() -> None:
    artifacts = [counted() for _ in range(3)]
    assert [artifact.get() for artifact in artifacts] == [1, 2, 3]
    assert [on_worker(artifact) for artifact in artifacts] == [1, 1, 1]
    assert len({archive(artifact) for artifact in artifacts}) == 1


def test_any_pickle_of_the_function_is_without_runs() -> None:
    counted()
    with pickled_by_value([__name__]):
        data = pickled(counted.__wrapped__, [__name__]).data  # type: ignore[attr-defined]
    assert pickle.loads(data)() == 1


def test_runs_of_others_do_not_count_either() -> None:
    counted()
    counted.local()
    assert SEEN == {"times": 2}
    assert on_worker(scaled()) == (1, 2)


def test_what_the_user_changes_between_two_calls_is_published() -> None:
    global FACTOR
    first = scaled()
    FACTOR = 3
    second = scaled()
    FACTOR = 4
    assert (on_worker(first), on_worker(second)) == ((1, 2), (1, 3))
    SEEN["times"] = 10
    assert on_worker(scaled()) == (11, 4)


def test_lazy_calls_are_published_as_they_were_recorded() -> None:
    global FACTOR
    first = scaled.lazy()
    FACTOR = 3
    second = scaled.lazy()
    assert first.get() == (1, 3)
    assert (on_worker(first), on_worker(second)) == ((1, 2), (1, 3))


def test_a_name_that_is_defined_after_a_lazy_call(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = early.lazy()
    monkeypatch.setattr(sys.modules[__name__], "LATER", 5, raising=False)
    assert on_worker(artifact) == 5
    assert artifact.get() == 5
    monkeypatch.setattr(sys.modules[__name__], "LATER", 6)
    assert on_worker(artifact) == 5


def test_a_connection_that_a_run_keeps_is_not_published() -> None:
    artifact = connected()
    assert artifact.get() == "connected"
    assert on_worker(artifact) == "connected"
    assert on_worker(connected()) == "connected"


def test_caches_of_classes_objects_and_defaults() -> None:
    first, second = caching(), caching()
    assert second.get() == [2, 2, 2]
    assert archive(first) == archive(second)


def test_arguments_by_name() -> None:
    artifacts = [adapted(), adapted()]
    assert artifacts[1].get() == 2
    assert archive(artifacts[0]) == archive(artifacts[1])


def test_failed_runs_do_not_count() -> None:
    @op(requirements=[])
    def failing() -> int:
        SEEN["times"] += 1
        raise ValueError(SEEN["times"])

    with pytest.raises(Exception, match="1"):
        failing()
    assert on_worker(counted()) == 1


def test_closures() -> None:
    times = 0

    @op(requirements=[])
    def step() -> int:
        nonlocal times
        times += 1
        return times

    first, second = step(), step()
    assert (first.get(), second.get()) == (1, 2)
    assert archive(first) == archive(second)
    assert on_worker(second) == 1


def test_calls_in_threads() -> None:
    with ThreadPoolExecutor(4) as executor:
        artifacts = list(executor.map(lambda _: counted(), range(8)))
    assert {on_worker(artifact) for artifact in artifacts} == {1}


def test_what_cannot_be_pickled_is_refused_when_it_is_published() -> None:
    lock = threading.Lock()

    @op(requirements=[])
    def locked() -> bool:
        return lock.acquire()

    artifact = locked()
    assert artifact.get() is True
    with pytest.raises(PackagingError, match=r"the variable 'lock' of .*locked"):
        archive(artifact)


def test_what_is_too_large_is_not_pickled_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_BYTES", 1000)
    large = [bytes(2000)]
    history = FunctionHistory(UserFunction(lambda: large, (), (), Path.cwd()))
    assert history.current() is None
    large.clear()
    assert history.current() is None


def test_wrong_file_dependencies_are_refused_elsewhere() -> None:
    history = FunctionHistory(UserFunction(remembered, (), ("missing.csv",), Path.cwd()))
    with history.run() as found:
        assert found
