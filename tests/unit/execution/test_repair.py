"""Damaged caches under whole attempts: real environments, real runners, one more run and a warning."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache, PythonEnvironment
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import OperatorFailed, is_retryable
from aqueduct_provider.process import OnLine
from tests.support.flow_runs import LocalRun
from tests.unit.environment.conftest import Index
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]
AT_LOADING = "import alpha\ndef predict():\n    print('called')\n    return alpha.version"
IN_THE_CALL = "def predict():\n    print('called')\n    import alpha\n    return alpha.version"


class Workshop:
    """A worker with environments of its own, each with the package alpha."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        index = Index(desk.folder / "index")
        index.add("alpha", "1.0")
        kept = {name: os.environ[name] for name in ("PATH", "HOME")}
        uv = {"UV_CACHE_DIR": str(desk.folder / "uv"), "UV_DEFAULT_INDEX": index.url}
        root = desk.folder / "environments"
        self.cache = EnvironmentCache(root, UvBuilder(variables=kept | uv), max_bytes=1 << 30)

    def provide(
        self, _: EnvironmentSpec, on_line: OnLine, cancelled: Callable[[], bool]
    ) -> AbstractContextManager[PythonEnvironment]:
        spec = EnvironmentSpec(("alpha==1.0",), WORKER_PYTHON)
        return self.cache.lease(spec, on_line, cancelled=cancelled)

    def run(self, *operators: dict[str, Any]) -> LocalRun:
        return LocalRun(self.desk.flow(*operators), self.desk.store, self.desk.folder, provide=self.provide)

    def find(self, pattern: str) -> list[Path]:
        return sorted(self.desk.folder.glob(pattern))

    def module(self) -> Path:
        (found,) = self.find("environments/*/lib/python*/site-packages/alpha.py")
        return found

    def built(self, run: LocalRun) -> int:
        return sum("Building a Python" in line for _, line in run.lines)


@pytest.fixture
def workshop(desk: Desk) -> Workshop:
    return Workshop(desk)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(("source", "calls"), [(AT_LOADING, 1), (IN_THE_CALL, 2)])
def test_a_damaged_environment_is_built_again_and_the_operator_succeeds(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture, source: str, calls: int
) -> None:
    run = workshop.run(function(source, retries=1))
    run.run("f")
    workshop.module().unlink()
    run.lines.clear()
    run.run("f")
    assert workshop.desk.content("out") == b"1.0"
    assert run.lines.count(("stdout", "called")) == calls
    assert workshop.built(run) == 1
    (warning,) = warnings(caplog)
    assert str(workshop.module().parents[3]) in warning
    assert "alpha.py" in warning


@pytest.mark.parametrize("content", [None, "damaged = [\n"])
def test_a_function_that_had_begun_and_has_no_retries_is_not_called_again(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    run = workshop.run(function(IN_THE_CALL, retries=0))
    run.run("f")
    module = workshop.module()
    module.unlink()
    if content is not None:
        module.write_text(content)
    run.lines.clear()
    reason = r"The environment .* is damaged \(.*alpha\.py\) and is repaired\. .* Clear its task"
    with pytest.raises(OperatorFailed, match=reason) as caught:
        run.run("f")
    assert is_retryable(caught.value)
    assert workshop.desk.state("f")["error"]["tip"] == str(caught.value)
    assert run.lines.count(("stdout", "called")) == 1
    assert "had begun" in warnings(caplog)[0]
    # The next run has a whole one.
    run.run("f")
    assert workshop.built(run) == 1


def test_a_missing_requirement_is_still_the_users_to_add(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    run = workshop.run(function("import beta\ndef predict(): return 1", retries=1))
    with pytest.raises(OperatorFailed, match=r"beta.*requirements") as caught:
        run.run("f")
    assert not is_retryable(caught.value)
    assert workshop.built(run) == 1
    assert not warnings(caplog)


def test_what_is_damaged_again_is_not_built_for_ever(workshop: Workshop, function: Function) -> None:
    source = (
        "import os, sys\n"
        "for folder in sys.path:\n"
        "    if os.path.exists(f'{folder}/alpha.py'):\n"
        "        os.unlink(f'{folder}/alpha.py')\n"
        "import alpha\n"
        "def predict(): return 1"
    )
    run = workshop.run(function(source, retries=1))
    with pytest.raises(OperatorFailed, match="alpha"):
        run.run("f")
    assert workshop.built(run) == 2


def test_byte_code_that_was_cut_short_is_compiled_again(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    run = workshop.run(function(AT_LOADING, retries=0))
    run.run("f")
    # That of the runner crashes the child, that of the package fails the import.
    for pattern in ("cache/runner/*/aqueduct_runner/__pycache__/*.pyc", "environments/**/alpha.*.pyc"):
        compiled = workshop.find(pattern)
        if not compiled:
            pytest.skip("Python does not write byte code here")
        caplog.clear()
        for path in compiled:
            path.write_bytes(path.read_bytes()[:20])
        run.run("f")
        assert "byte code" in warnings(caplog)[0]
    assert workshop.built(run) == 1


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("ending", ["os._exit(1)", "raise ValueError(', in _compile_bytecode')"])
def test_what_code_prints_is_not_damage(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture, retries: int, ending: str
) -> None:
    source = (
        "import os, sys, alpha\ndef predict():\n    print('called', flush=True)\n"
        f"    print(', in _compile_bytecode', file=sys.stderr, flush=True)\n    {ending}"
    )
    run = workshop.run(function(source, retries=retries))
    with pytest.raises(OperatorFailed):
        run.run("f")
    assert run.lines.count(("stdout", "called")) == 1
    assert not warnings(caplog)


def test_a_function_that_crashed_after_it_had_begun_is_not_called_again(
    workshop: Workshop, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it leaves behind to look as if it had not."""
    source = (
        "import os, pathlib, sys, alpha\ndef predict():\n    print('called', flush=True)\n"
        "    pathlib.Path(os.environ['AQUEDUCT_JOB'], 'request.json').write_text('{}')\n"
        "    damaged = pathlib.Path(alpha.__cached__)\n"
        "    damaged.parent.mkdir(exist_ok=True)\n"
        "    damaged.write_bytes(b'0' * 20)\n"
        "    print(', in _compile_bytecode', file=sys.stderr, flush=True)\n    os._exit(1)"
    )
    run = workshop.run(function(source, retries=0))
    with pytest.raises(OperatorFailed):
        run.run("f")
    assert run.lines.count(("stdout", "called")) == 1
    assert "had begun" in warnings(caplog)[0]


def test_fused_operators_get_the_new_environment(workshop: Workshop, function: Function) -> None:
    first = function(
        "import os, alpha\ndef predict():\n    os.unlink(alpha.__file__)\n    return 1", task_id="a", fuse="g"
    )
    second = function(AT_LOADING, task_id="b", fuse="g", outputs=["out2"])
    run = workshop.run({**first, "outputs": ["out1"]}, second)
    run.group("g").run()
    assert workshop.desk.content("out2") == b"1.0"
    assert workshop.built(run) == 2
