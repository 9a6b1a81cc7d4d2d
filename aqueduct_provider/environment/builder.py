"""Build an environment with uv.

In: an :class:`EnvironmentSpec` and an empty place. Out: a virtual environment there, or an error that says
whose fault it is; or only the versions that it would have. Knows nothing of locks, markers and eviction.

uv is configured as uv is on this worker: ``UV_*`` variables, ``uv.toml``, netrc, the proxy and certificate
variables. pip's own settings are not translated, since an index that both know may not mean the same to both.
Nothing else of the worker's environment reaches uv, for packages that it builds run their own code there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.environment.git_credentials import without_git_credentials
from aqueduct_provider.errors import (
    AqueductError,
    DiskRefused,
    EnvironmentBuildError,
    OperatorKilled,
    PythonNotFound,
    RequirementsError,
)
from aqueduct_provider.process import MARK, Child, Finished, OnLine
from aqueduct_provider.runner import supervisor
from aqueduct_provider.spec.url_credentials import without_credentials
from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, free_space
from aqueduct_provider.storage.files import expanded

MissingPython = Literal["fail", "worker", "download"]

_PASSED_VARIABLES = frozenset(
    "PATH HOME USER LOGNAME LANG LANGUAGE TZ TMPDIR NETRC PYENV_ROOT "
    "SSL_CERT_FILE SSL_CERT_DIR SSL_CLIENT_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE "
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy "
    "SSH_AUTH_SOCK GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS GIT_SSL_CAINFO GIT_CONFIG_GLOBAL "
    "CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LD_LIBRARY_PATH PKG_CONFIG_PATH CARGO_HOME RUSTUP_HOME".split()
)
_PASSED_PREFIXES = ("UV_", "LC_", "XDG_")
# These would make uv install elsewhere than it is asked to.
_WITHHELD_VARIABLES = frozenset(
    "UV_PYTHON UV_SYSTEM_PYTHON UV_MANAGED_PYTHON UV_PROJECT UV_PROJECT_ENVIRONMENT UV_WORKING_DIR "
    "UV_WORKING_DIRECTORY UV_VENV_RELOCATABLE".split()
)
_PIP_INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")

# Newer and older uv: "error:" and "cause:", a multiplication sign and box drawings.
_FIRST_ERROR = re.compile(r"^\s*(?:error:|\u00d7)")
_MARKS = re.compile(r"^\s*(?:error:|cause:|[\u00d7\u2500-\u257f\u25b6]+)\s*")
# What uv says when the reason lies with the machine or the network, not with the requirements.
_MACHINE = re.compile(
    r"No space left on device|\(os error (?:1|13|28|30|122)\)|Failed to initialize cache|network was disabled"
    r"|error sending request|operation timed out|server error \(5|valid authentication credentials"
)
_FULL = re.compile(r"No space left on device|\(os error (?:28|122)\)")
_REFUSED = re.compile(r"\(os error (?:1|13|30)\)")
_OTHER_FOLDERS = f"Or: {CACHE_REMEDY[0].lower()}{CACHE_REMEDY[1:]}; for uv's own cache, UV_CACHE_DIR."
_NO_PYTHON = re.compile(r"No interpreter found|No download found|No Python .* found", re.IGNORECASE)
_REASON_LINES = 40
# Seconds that what a build leaves running has between SIGTERM and SIGKILL.
_GRACE = 1.0


@dataclass(frozen=True)
class Built:
    """An environment that was built.

    :param python_version: in full, ``3.11.7``.
    :param builder: what built it, ``uv 0.9.1``.
    """

    python_version: str
    builder: str


@dataclass(frozen=True)
class UvBuilder:
    """Builds with uv.

    :param missing_python: what to do when this worker lacks the Python version: ``fail``; use the
        ``worker``'s own, with a warning; or let uv ``download`` one.
    :param timeout: seconds that one step of a build may take.
    :param variables: the worker's environment variables; None: those of this process.
    :param uv: path of uv; None: see :func:`find_uv`.
    """

    missing_python: MissingPython = "fail"
    timeout: float = 3600.0
    variables: Mapping[str, str] | None = None
    uv: str | None = None

    def build(
        self,
        spec: EnvironmentSpec,
        folder: Path,
        *,
        on_line: OnLine,
        cancelled: Callable[[], bool] = lambda: False,
        keep_open: tuple[int, ...] = (),
        fresh: bool = False,
    ) -> Built:
        """Make an environment.

        :param folder: where; does not exist yet, its parent does. On failure, anything may be left there.
        :param on_line: gets each line of output, without credentials.
        :param cancelled: asked often; true ends the build.
        :param keep_open: file descriptors to keep open until no process of the build is left.
        :param fresh: nothing that was downloaded or built before may be used: it may be damaged.
        :raises OperatorKilled: it was cancelled.
        :raises RequirementsError: the requirements cannot be resolved, or one of them cannot be built.
        :raises PythonNotFound: this worker has no such Python.
        :raises EnvironmentBuildError: uv is missing, the disk is full, an index does not answer.
        """
        variables = os.environ if self.variables is None else self.variables
        spec, git = _without_credentials(spec, variables)
        uv = _Uv(self.uv or find_uv(), folder.parent, variables, self, on_line, cancelled, keep_open, git)
        python = self._python(spec.python_version, uv)
        uv.run("venv", "--no-project", "--python", python, str(folder))
        if spec.requirements:
            _install(uv, spec, folder, *(["--no-cache"] if fresh else []))
        return Built(_python_version_in(folder), uv.run("--version", quiet=True).stdout.strip())

    def resolve(self, spec: EnvironmentSpec, folder: Path) -> tuple[str, ...]:
        """Find the versions of all packages of an environment on Linux; nothing is installed.

        :param folder: for temporary files; it exists.
        :return: requirements such as ``numpy==2.0.0``, sorted, without credentials.
        :raises RequirementsError: the requirements cannot be resolved, or one of them cannot be built.
        :raises EnvironmentBuildError: uv is missing, an index does not answer.
        """
        variables = os.environ if self.variables is None else self.variables
        spec, git = _without_credentials(spec, variables)
        uv = _Uv(self.uv or find_uv(), folder, variables, self, lambda *_: None, lambda: False, (), git)
        with (
            _private_file(folder / "requirements.txt", spec.requirements) as path,
            _constraint_options(spec, folder, uv) as constraints,
        ):
            target = ("--python-version", spec.python_version, "--python-platform", "linux")
            plain = ("--no-header", "--no-annotate")
            found = uv.run("pip", "compile", "--python", sys.executable, *target, *plain, *constraints, path)
        lines = (line.strip() for line in found.stdout.splitlines())
        return tuple(without_credentials(line) for line in lines if line)

    def _python(self, wanted: str, uv: _Uv) -> str:
        """Return a Python of this minor version, as ``uv venv --python`` takes it."""
        if wanted == WORKER_PYTHON:
            return sys.executable
        pythons = uv.pythons()
        if wanted in pythons:
            return pythons[wanted]
        lacks = f"This worker has no Python {wanted} (it has {_listing({*pythons, WORKER_PYTHON})})"
        if self.missing_python == "download":
            uv.say(f"{lacks}; uv downloads it.")
            return wanted
        if self.missing_python == "worker":
            uv.say(f"Warning: {lacks}; its own, {WORKER_PYTHON}, is used instead.")
            return sys.executable
        raise PythonNotFound(
            f"{lacks}, and the operator asks for it. Install Python {wanted} on the worker, or set "
            "missing_python in the [aqueduct] section of airflow.cfg (--missing-python in a local run) to "
            "'download' or 'worker'."
        )


def find_uv() -> str:
    """Return the path of the uv installed with this package, else of the one on the PATH.

    :raises EnvironmentBuildError: there is none.
    """
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError) as exc:
        found = shutil.which("uv")
        if found is None:
            raise EnvironmentBuildError("This worker has no uv. Install it: pip install uv.") from exc
        return found


def executable_in(folder: Path) -> Path:
    """Return the Python of the environment in this folder."""
    return folder / "bin" / "python"


def uv_variables(worker: Mapping[str, str], *, downloads: bool) -> dict[str, str]:
    """Return the environment variables for uv: an allow-list of the worker's.

    :param downloads: whether uv may download a Python.
    """
    env = {
        name: value
        for name, value in worker.items()
        if (name in _PASSED_VARIABLES or name.startswith(_PASSED_PREFIXES))
        and name not in _WITHHELD_VARIABLES
    }
    env["PATH"] = _search_path(env.get("PATH", os.defpath), env.get("PYENV_ROOT"))
    env["UV_PYTHON_DOWNLOADS"] = "automatic" if downloads else "never"
    return env


@dataclass(frozen=True)
class _Uv:
    """uv for one build."""

    path: str
    cwd: Path
    worker_variables: Mapping[str, str]
    builder: UvBuilder
    on_line: OnLine
    cancelled: Callable[[], bool]
    keep_open: tuple[int, ...]
    git_variables: Mapping[str, str]

    def say(self, text: str) -> None:
        self.on_line("stderr", without_credentials(text))

    def run(self, *arguments: str, quiet: bool = False) -> Finished:
        downloads = self.builder.missing_python == "download"
        supervised = [sys.executable, "-I", "-S", supervisor.__file__, f"{_GRACE:g}"]
        env = uv_variables(self.worker_variables, downloads=downloads)
        finished = Child(
            [*supervised, self.path, *arguments, "--no-progress", "--color", "never"],
            cwd=self.cwd,
            env={**env, **self.git_variables, MARK: f"build-{uuid.uuid4()}"},
            on_line=lambda _, line: None if quiet else self.say(line),
            timeout=self.builder.timeout,
            cancelled=self.cancelled,
            keep_open=self.keep_open,
            supervised=True,
        ).run()
        if finished.killed:
            raise OperatorKilled("The task was ended while its Python environment was being built.")
        if finished.returncode != 0:
            raise self._failure(arguments, finished)
        return finished

    def pythons(self) -> dict[str, str]:
        """Return the working CPythons of this machine: minor version -> path of the newest one."""
        finished = self.run("python", "list", "--only-installed", "--output-format", "json", quiet=True)
        found = [
            python
            for python in json.loads(finished.stdout)
            if python["implementation"] == "cpython" and python.get("variant", "default") == "default"
        ]
        found.sort(key=lambda python: python["version_parts"]["patch"])
        return {"{major}.{minor}".format(**python["version_parts"]): python["path"] for python in found}

    def _failure(self, arguments: tuple[str, ...], finished: Finished) -> AqueductError:
        reason = without_credentials(clean_reason(finished.stderr))
        resolving = arguments[:2] == ("pip", "compile")
        if finished.timed_out:
            what = "Resolving the requirements" if resolving else "Building the environment"
            return EnvironmentBuildError(f"{what} took longer than {self.builder.timeout:g} s: {reason}")
        if arguments[0] == "venv" and _NO_PYTHON.search(reason):
            return PythonNotFound(f"uv found no such Python, here or to download: {reason}")
        # Exit code 2 is uv's own for what it did not expect.
        if arguments[0] != "pip" or finished.returncode != 1 or _MACHINE.search(finished.stderr):
            what = "resolve the requirements here" if resolving else "build the environment on this worker"
            if _REFUSED.search(finished.stderr):
                return DiskRefused(
                    f"uv could not {what}: {reason}\nCorrect the owner or the permissions. {_OTHER_FOLDERS}"
                )
            full = ""
            if _FULL.search(finished.stderr):
                # uv has removed what it had written so far.
                full = (
                    f"\nThe disk was full. Now that uv has removed what it had begun, {free_space(self.cwd)}"
                    f" ({self.cwd}): it needs more than that. Free some space. {_OTHER_FOLDERS}"
                )
            return EnvironmentBuildError(f"uv could not {what}: {reason}{full}")
        verb = "resolved" if resolving else "installed"
        return RequirementsError(f"The requirements cannot be {verb}: {reason}{self._pip_hint(reason)}")

    def _pip_hint(self, reason: str) -> str:
        ignored = [name for name in _PIP_INDEX_VARIABLES if name in self.worker_variables]
        if not ignored or "not found in the package registry" not in reason:
            return ""
        return (
            f"\nNote: uv does not read {_listing(ignored)}; set UV_DEFAULT_INDEX, UV_INDEX or UV_FIND_LINKS."
        )


def clean_reason(stderr: str) -> str:
    """Return uv's reason from its first error on, without marks and without tracebacks of builds."""
    lines = stderr.splitlines()
    first = next((n for n, line in enumerate(lines) if _FIRST_ERROR.match(line)), 0)
    kept = [_MARKS.sub("", line).strip() for line in _without_tracebacks(lines[first:])]
    text = [line for line in kept if line]
    if len(text) > _REASON_LINES:
        half = _REASON_LINES // 2
        text = [*text[:half], "[...]", *text[-half:]]
    return "\n".join(text) or "uv gave no reason"


def _without_tracebacks(lines: Iterable[str]) -> list[str]:
    """Return the lines without traceback frames; the exceptions at their ends stay."""
    kept: list[str] = []
    indent: int | None = None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if line.lstrip().startswith("Traceback (most recent call last)"):
            indent = depth
        elif indent is None or depth <= indent:
            indent = None
            kept.append(line)
    return kept


def _without_credentials(
    spec: EnvironmentSpec, worker: Mapping[str, str]
) -> tuple[EnvironmentSpec, Mapping[str, str]]:
    known = uv_variables(worker, downloads=False)
    lines, git = without_git_credentials([*spec.requirements, *spec.constraints], known)
    count = len(spec.requirements)
    return replace(spec, requirements=tuple(lines[:count]), constraints=tuple(lines[count:])), git


def _install(uv: _Uv, spec: EnvironmentSpec, folder: Path, *options: str) -> None:
    with (
        _private_file(folder / "requirements.txt", spec.requirements) as path,
        _constraint_options(spec, folder, uv) as constraints,
    ):
        # Bytecode now, once: the tasks that use the environment need not compile it, each again.
        python = str(executable_in(folder))
        where = ("--python", python, "-r", path, *constraints)
        uv.run("pip", "install", "--compile-bytecode", *options, *where)


@contextlib.contextmanager
def _private_file(path: Path, lines: Iterable[str]) -> Iterator[str]:
    """Write a file for uv, since requirements may hold credentials and anyone can read a command line."""
    path.touch(mode=0o600)
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        yield str(path)
    finally:
        path.unlink()


@contextlib.contextmanager
def _constraint_options(spec: EnvironmentSpec, folder: Path, uv: _Uv) -> Iterator[list[str]]:
    """Give the options for the constraints, and those of the worker, which uv would not look at any more."""
    if not spec.constraints:
        yield []
        return
    with _private_file(folder / "constraints.txt", spec.constraints) as path:
        files = [path, *uv.worker_variables.get("UV_CONSTRAINT", "").split()]
        yield [argument for file in files for argument in ("-c", file)]


def _python_version_in(folder: Path) -> str:
    text = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    found = re.search(r"^version(?:_info)?\s*=\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def _search_path(path: str, pyenv_root: str | None) -> str:
    """Return the PATH with pyenv's versions instead of its shims, most of which fail."""
    root = expanded(pyenv_root or "~/.pyenv")
    folders = [folder for folder in path.split(os.pathsep) if not Path(folder).is_relative_to(root)]
    return os.pathsep.join([*folders, *map(str, sorted(root.glob("versions/3.*/bin")))])


def _listing(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=lambda name: [int(n) if n.isdigit() else 0 for n in name.split(".")]))
