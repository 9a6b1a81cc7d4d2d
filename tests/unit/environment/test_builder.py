"""Real uv, real virtual environments, from an index in a folder or on a local port."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.builder import (
    Built,
    UvBuilder,
    clean_reason,
    executable_in,
    find_uv,
    uv_variables,
)
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import (
    DiskRefused,
    EnvironmentBuildError,
    OperatorKilled,
    PythonNotFound,
    RequirementsError,
    is_retryable,
)

from .conftest import Index, Log


class Workshop:
    """Builds into a folder and looks at what is there."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder = folder / "environment"
        self.log = log

    def build(
        self, builder: UvBuilder, *requirements: str, python: str = WORKER_PYTHON, **options: Any
    ) -> Built:
        options.setdefault("on_line", self.log)
        return builder.build(EnvironmentSpec(requirements, python), self.folder, **options)

    def ask(self, code: str) -> str:
        command = [str(executable_in(self.folder)), "-I", "-c", f"print({code})"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def other_python() -> str:
    """A minor version that this machine has and the worker's Python is not of."""
    for minor in range(9, 15):
        name = f"python3.{minor}"
        found = [shutil.which(name), *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/{name}")]
        if f"3.{minor}" != WORKER_PYTHON and any(path and _starts(path) for path in found):
            return f"3.{minor}"
    pytest.skip("this machine has one Python only")


def _starts(python: str | Path) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


@pytest.fixture
def workshop(tmp_path: Path, log: Log) -> Workshop:
    return Workshop(tmp_path, log)


def test_constraints_bound_what_is_installed(workshop: Workshop, builder: UvBuilder, tmp_path: Path) -> None:
    spec = EnvironmentSpec(("alpha",), WORKER_PYTHON, ("alpha<2", "not-there<1"))
    builder.build(spec, workshop.folder, on_line=workshop.log)
    assert workshop.ask("__import__('alpha').version") == "1.0"
    assert not (workshop.folder / "constraints.txt").exists()
    assert builder.resolve(spec, tmp_path) == ("alpha==1.0",)
    with pytest.raises(RequirementsError, match="alpha"):
        builder.resolve(replace(spec, requirements=("alpha>=2",)), tmp_path)


def test_the_constraints_of_the_worker_count_as_well(
    workshop: Workshop, builder: UvBuilder, tmp_path: Path
) -> None:
    (tmp_path / "worker.txt").write_text("alpha<2")
    variables = {**(builder.variables or {}), "UV_CONSTRAINT": str(tmp_path / "worker.txt")}
    spec = EnvironmentSpec(("alpha",), WORKER_PYTHON, ("not-there<1",))
    assert replace(builder, variables=variables).resolve(spec, tmp_path) == ("alpha==1.0",)


def test_builds_an_environment(workshop: Workshop, builder: UvBuilder) -> None:
    built = workshop.build(builder, "alpha<2")
    assert workshop.ask("__import__('alpha').version") == "1.0"
    assert built.python_version == sys.version.split()[0]
    assert built.builder.startswith("uv ")
    assert "+ alpha==1.0" in workshop.log.text
    assert list(workshop.folder.rglob("alpha.*.pyc")), "not compiled"
    assert not (workshop.folder / "requirements.txt").exists()


def test_builds_an_empty_environment(workshop: Workshop, builder: UvBuilder) -> None:
    workshop.build(builder)
    assert workshop.ask("1 + 1") == "2"


def test_does_not_see_the_packages_of_the_worker(workshop: Workshop, builder: UvBuilder) -> None:
    workshop.build(builder, "alpha")
    assert workshop.ask("__import__('importlib.util').util.find_spec('packaging')") == "None"


def test_direct_references(workshop: Workshop, builder: UvBuilder, index: Index) -> None:
    wheel = index.add("beta", "3.0")
    workshop.build(builder, f"beta @ {wheel.as_uri()}")
    assert workshop.ask("__import__('beta').version") == "3.0"


def test_installs_from_pypi(workshop: Workshop, uv_cache: Path) -> None:
    workshop.build(UvBuilder(variables={**os.environ, "UV_CACHE_DIR": str(uv_cache)}), "six==1.16.0")
    assert workshop.ask("__import__('six').__version__") == "1.16.0"


def test_another_python_of_the_machine(workshop: Workshop, builder: UvBuilder, other_python: str) -> None:
    built = workshop.build(builder, "alpha", python=other_python)
    assert built.python_version.startswith(f"{other_python}.")
    assert workshop.ask("__import__('platform').python_version()") == built.python_version


def test_broken_pythons_are_passed_over(
    workshop: Workshop, builder: UvBuilder, tmp_path: Path, other_python: str
) -> None:
    broken = tmp_path / "bin" / f"python{other_python}"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    variables = {**(builder.variables or {}), "PATH": f"{broken.parent}:{os.environ['PATH']}"}
    built = workshop.build(replace(builder, variables=variables), python=other_python)
    assert built.python_version.startswith(f"{other_python}.")


def test_a_missing_python_is_an_error_that_names_what_is_there(
    workshop: Workshop, builder: UvBuilder
) -> None:
    with pytest.raises(
        PythonNotFound, match=rf"no Python 3\.99 \(it has .*\b{WORKER_PYTHON}\b.*missing_python"
    ):
        workshop.build(builder, "alpha", python="3.99")


def test_the_workers_python_in_place_of_a_missing_one(workshop: Workshop, builder: UvBuilder) -> None:
    built = workshop.build(replace(builder, missing_python="worker"), "alpha", python="3.99")
    assert built.python_version == sys.version.split()[0]
    assert "Warning: This worker has no Python 3.99" in workshop.log.text


def test_a_python_that_cannot_be_downloaded(workshop: Workshop, builder: UvBuilder) -> None:
    with pytest.raises(PythonNotFound, match=r"3\.99"):
        workshop.build(replace(builder, missing_python="download"), python="3.99")


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("no-such-package-aqx", "no-such-package-aqx was not found in the package registry"),
        ("alpha==99", "no version of alpha==99"),
        ("gone @ file:///no/such/gone-1-py3-none-any.whl", "not found at: file:///no/such/gone"),
    ],
)
def test_requirements_that_cannot_be_had(
    workshop: Workshop, builder: UvBuilder, requirement: str, reason: str
) -> None:
    with pytest.raises(RequirementsError) as caught:
        workshop.build(builder, requirement)
    assert reason in str(caught.value)
    assert "Using Python" not in str(caught.value)
    assert reason in workshop.log.text


def test_requirements_that_contradict_each_other(
    workshop: Workshop, builder: UvBuilder, index: Index
) -> None:
    index.add("gamma", "1.0", "alpha>=2")
    with pytest.raises(RequirementsError, match=r"gamma depend on alpha>=2") as caught:
        workshop.build(builder, "gamma", "alpha<2")
    assert "because you require alpha<2" in str(caught.value)
    assert "cause:" not in str(caught.value)


def test_pip_settings_that_uv_does_not_read_are_pointed_out(workshop: Workshop, builder: UvBuilder) -> None:
    variables = {**(builder.variables or {}), "PIP_INDEX_URL": "https://host/simple"}
    with pytest.raises(RequirementsError, match="uv does not read PIP_INDEX_URL; set UV_DEFAULT_INDEX"):
        workshop.build(replace(builder, variables=variables), "no-such-package-aqx")


def test_a_source_that_cannot_be_built(workshop: Workshop, builder: UvBuilder, index: Index) -> None:
    requirement = index.add_source(
        "broken", "print('gcc: not found', file=sys.stderr)\nraise RuntimeError('not on Tuesdays')"
    )
    with pytest.raises(RequirementsError) as caught:
        workshop.build(builder, requirement)
    message = str(caught.value)
    assert "Failed to build `broken @" in message
    assert "gcc: not found" in message
    assert "RuntimeError: not on Tuesdays" in message
    assert "Traceback" not in message
    assert "backend.py" not in message


def test_builds_do_not_see_the_workers_variables(
    workshop: Workshop, builder: UvBuilder, index: Index, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    requirement = index.add_source("nosy", f"pathlib.Path({str(seen)!r}).write_text(' '.join(os.environ))")
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "AIRFLOW__CORE__FERNET_KEY": "x",
        "PYTHONPATH": "/x",
        "OTHER": "x",
    }
    workshop.build(replace(builder, variables={**(builder.variables or {}), **secrets}), requirement)
    names = set(seen.read_text().split())
    assert "UV_DEFAULT_INDEX" in names
    assert not names & set(secrets)


def test_an_index_that_does_not_answer(workshop: Workshop, builder: UvBuilder) -> None:
    variables = {**(builder.variables or {}), "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    with pytest.raises(EnvironmentBuildError, match="Connection refused"):
        workshop.build(replace(builder, variables=variables), "alpha")


def credentials_in_url(port: int, folder: Path) -> dict[str, str]:
    return {"UV_DEFAULT_INDEX": f"http://user:s3cret@127.0.0.1:{port}"}


def credentials_in_variables(port: int, folder: Path) -> dict[str, str]:
    return {
        "UV_INDEX": f"private=http://127.0.0.1:{port}",
        "UV_INDEX_PRIVATE_USERNAME": "user",
        "UV_INDEX_PRIVATE_PASSWORD": "s3cret",
    }


def credentials_in_netrc(port: int, folder: Path) -> dict[str, str]:
    (folder / "netrc").write_text("machine 127.0.0.1 login user password s3cret\n")
    return {"UV_DEFAULT_INDEX": f"http://127.0.0.1:{port}", "NETRC": str(folder / "netrc")}


@pytest.mark.parametrize("how", [credentials_in_url, credentials_in_variables, credentials_in_netrc])
def test_credentials_of_indexes(
    workshop: Workshop,
    builder: UvBuilder,
    private_index: int,
    tmp_path: Path,
    how: Callable[[int, Path], dict[str, str]],
) -> None:
    variables = {**(builder.variables or {}), **how(private_index, tmp_path)}
    private = replace(builder, variables=variables)
    workshop.build(private, "alpha")
    assert workshop.ask("__import__('alpha').version") == "2.0"
    workshop.folder = tmp_path / "second"
    with pytest.raises(RequirementsError) as caught:
        workshop.build(private, "alpha==99")
    assert "s3cret" not in workshop.log.text + str(caught.value)


def test_missing_credentials_are_not_the_users_fault(
    workshop: Workshop, builder: UvBuilder, private_index: int
) -> None:
    variables = {**(builder.variables or {}), "UV_DEFAULT_INDEX": f"http://127.0.0.1:{private_index}"}
    with pytest.raises(EnvironmentBuildError, match="401"):
        workshop.build(replace(builder, variables=variables), "alpha")


def test_resolves_without_installing(builder: UvBuilder, index: Index, tmp_path: Path) -> None:
    index.add("gamma", "1.0", "alpha<2", "gone; sys_platform == 'darwin'")
    assert builder.resolve(EnvironmentSpec(("gamma",), "3.10"), tmp_path) == ("alpha==1.0", "gamma==1.0")
    with pytest.raises(RequirementsError, match=r"cannot be resolved: .*\n.*alpha==9"):
        builder.resolve(EnvironmentSpec(("alpha==9",), "3.10"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


def test_what_cannot_be_resolved_for_the_machines_sake(builder: UvBuilder, tmp_path: Path) -> None:
    uv = fake_uv(tmp_path, "sleep 600")
    with pytest.raises(EnvironmentBuildError, match=r"Resolving the requirements took longer than 0\.3 s"):
        replace(builder, uv=uv, timeout=0.3).resolve(EnvironmentSpec(("alpha",), "3.10"), tmp_path)


def fake_uv(folder: Path, script: str) -> str:
    """For what cannot be made to happen to the real one."""
    path = folder / "fake-uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_full_disk(workshop: Workshop, builder: UvBuilder, tmp_path: Path) -> None:
    says = "error: Failed to install\n  cause: No space left on device (os error 28)"
    uv = fake_uv(tmp_path, f"echo '{says}' >&2; exit 1")
    reason = r"No space left on device(.|\n)*removed what .*are free there .*cache_dir in the .*UV_CACHE_DIR"
    with pytest.raises(EnvironmentBuildError, match=reason) as caught:
        workshop.build(replace(builder, uv=uv), "alpha")
    assert is_retryable(caught.value)


def test_a_folder_that_uv_may_not_write_is_not_tried_again(
    workshop: Workshop, builder: UvBuilder, tmp_path: Path
) -> None:
    uv = fake_uv(tmp_path, "echo 'error: Permission denied (os error 13)' >&2; exit 2")
    with pytest.raises(DiskRefused, match=r"os error 13\)\nCorrect the owner .*cache_dir in the") as caught:
        workshop.build(replace(builder, uv=uv), "alpha")
    assert not is_retryable(caught.value)


def test_a_build_that_takes_too_long(workshop: Workshop, builder: UvBuilder, tmp_path: Path) -> None:
    uv = fake_uv(tmp_path, "echo working; sleep 600")
    with pytest.raises(EnvironmentBuildError, match=r"longer than 0\.3 s"):
        workshop.build(replace(builder, uv=uv, timeout=0.3), "alpha")


def test_a_build_that_is_cancelled(workshop: Workshop, builder: UvBuilder, tmp_path: Path) -> None:
    started = tmp_path / "started"
    uv = fake_uv(tmp_path, f"touch {started}; sleep 600")
    with pytest.raises(OperatorKilled):
        workshop.build(replace(builder, uv=uv), "alpha", cancelled=started.exists)


def test_finds_uv() -> None:
    done = subprocess.run([find_uv(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("uv ")


def test_no_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentBuildError, match=r"This worker has no uv.*pip install uv"):
        find_uv()


def test_variables_that_uv_gets() -> None:
    worker = {
        "PATH": "/usr/bin:/home/me/.pyenv/shims",
        "PYENV_ROOT": "/home/me/.pyenv",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/certs",
        "UV_INDEX_X_PASSWORD": "p",
        "UV_SYSTEM_PYTHON": "1",
        "LC_ALL": "C",
        "PIP_INDEX_URL": "https://host",
        "AWS_PROFILE": "prod",
        "AIRFLOW_HOME": "/airflow",
        "VIRTUAL_ENV": "/venv",
    }
    assert uv_variables(worker, downloads=False) == {
        "PATH": "/usr/bin",
        "PYENV_ROOT": "/home/me/.pyenv",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/certs",
        "UV_INDEX_X_PASSWORD": "p",
        "LC_ALL": "C",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    assert uv_variables({}, downloads=True)["UV_PYTHON_DOWNLOADS"] == "automatic"


def test_the_reason_of_older_uvs() -> None:
    stderr = (
        "Using Python 3.11.7 environment at: x\n  \u00d7 No solution found when resolving dependencies:\n"
        "  \u2570\u2500\u25b6 Because six was not found and you\n      require six, we stop.\n"
    )
    assert clean_reason(stderr).splitlines() == [
        "No solution found when resolving dependencies:",
        "Because six was not found and you",
        "require six, we stop.",
    ]


def test_a_long_reason_is_cut_in_the_middle() -> None:
    reason = clean_reason("error: first\n" + "\n".join(f"line {n}" for n in range(500)) + "\nlast")
    lines = reason.splitlines()
    assert (lines[0], lines[20], lines[-1], len(lines)) == ("first", "[...]", "last", 41)
