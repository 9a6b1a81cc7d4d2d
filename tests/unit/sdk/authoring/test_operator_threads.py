from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from aqueduct_provider.sdk.authoring.operator_threads import inherited_by_threads
from aqueduct_provider.sdk.settings import inside_operator, is_inside_operator


def in_a_thread() -> bool:
    found = list[bool]()
    thread = threading.Thread(target=lambda: found.append(is_inside_operator()))
    thread.start()
    thread.join()
    return found[0]


def test_threads_that_an_operator_starts_are_inside_it() -> None:
    with inherited_by_threads():
        assert not in_a_thread()
        with inside_operator():
            assert in_a_thread()
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(is_inside_operator).result()
                assert pool.submit(in_a_thread).result()
            with inherited_by_threads():
                assert in_a_thread()
        assert not in_a_thread()


def test_threads_are_as_they_were_afterwards() -> None:
    before = threading.Thread.start
    with inside_operator():
        with inherited_by_threads():
            pass
        assert not in_a_thread()
    assert threading.Thread.start is before
