"""Builds the virtual environments of this repository: ``python3 tools/environments.py airflow-3 ...``

In: ``pyproject.toml`` and the pins in ``constraints/``. Out: one folder per environment, stamped with the
digest of what it was built from, so that a second call costs nothing. Runs before anything is installed:
the standard library only. ``--renew`` resolves anew and writes the constraints files.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_HOME = ROOT / ".venv-uv"
STAMP = ".aqueduct-stamp"
RELEASE_DAYS = ROOT / "constraints" / "release-days"
# All whose lower bounds are ours; those of the tests are not.
_EXTRAS = (
    "tables,images,expectations,"
    "postgres,sqlite,mysql,sqlserver,redshift,snowflake,bigquery,athena,gcs,mongodb"
)
# What comes with some of them in a version of its own.
_COMPANIONS = {"botocore", "numpy", "pydantic-core", "requests", "s3transfer"}
# The names of requirements in pyproject.toml.
_NAME = re.compile(r'"([A-Za-z0-9-]+)(?:\[[a-z0-9,]+\])?>=')


class SetupError(Exception):
    """An environment cannot be built; the message says what is missing."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment.

    :param requirements: what is asked for; the exact versions stand in the constraints file.
    :param pythons: the Python versions that all of it supports.
    :param pins: whose constraints file it shares; empty: it has one of its own name.
    :param lowest: the release of Airflow next to which it has the oldest versions that ``pyproject.toml``
        allows; empty: it has the newest.
    :param compiled: compile all of it at once, which costs time and space, for many processes start in it.
    """

    name: str
    folder: str
    pythons: str
    requirements: tuple[str, ...]
    pins: str = ""
    lowest: str = ""
    compiled: bool = True

    @property
    def path(self) -> Path:
        return ROOT / self.folder

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def constraints(self) -> Path:
        return ROOT / "constraints" / f"{self.pins or self.name}.txt"

    @property
    def digest(self) -> str:
        """What the environment is built from; another value means that it must be built anew."""
        facts = [str(self), (ROOT / "pyproject.toml").read_text(), self.constraints.read_text()]
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment(
            "airflow-3",
            ".venv",
            ">=3.11,<3.14",
            (
                *("-e", ".", "--group", "test", "--group", "browser", "--group", "lint"),
                # The tests' users with roles; Airflow itself comes without them.
                *("apache-airflow-providers-fab>=2", "apache-airflow>=3,<4"),
            ),
        ),
        # No Airflow and no drivers.
        Environment(
            "dev",
            ".venv-dev",
            ">=3.11,<3.14",
            ("-e", ".", "--group", "dev"),
            compiled=False,
        ),
        # On its own: Airflow loads its plugin into every process.
        Environment(
            "dag-factory",
            ".venv-dag-factory",
            ">=3.11,<3.14",
            ("-e", ".", "--group", "test", "--group", "bench", "apache-airflow>=3,<4"),
            pins="airflow-3",
        ),
        Environment(
            "airflow-2.11",
            ".venv-2.11",
            ">=3.11,<3.13",
            # The auth manager of Airflow 2.11 is the one of fab 1.
            (
                *("-e", ".", "--group", "test", "--group", "browser"),
                *("apache-airflow==2.11.*", "apache-airflow-providers-fab<2"),
            ),
        ),
        # The lower bounds of our requirements, next to the oldest release of each line.
        Environment(
            "lowest-3",
            ".venv-lowest-3",
            ">=3.11,<3.12",
            ("-e", ".", "--group", "test", "apache-airflow==3.0.6"),
            lowest="3.0.6",
        ),
        Environment(
            "lowest-2.11",
            ".venv-lowest-2.11",
            ">=3.11,<3.12",
            ("-e", ".", "--group", "test", "apache-airflow==2.11.0", "apache-airflow-providers-fab<2"),
            lowest="2.11.0",
        ),
        # For make matrix.
        *(
            Environment(
                f"python-3.{minor}",
                f".venv-python-3.{minor}",
                f">=3.{minor},<3.{minor + 1}",
                ("-e", ".", "--group", "test", "apache-airflow>=3,<4"),
            )
            for minor in (10, 12, 14)
        ),
        *(
            Environment(
                f"airflow-{release[:3]}",
                f".venv-{release[:3]}",
                ">=3.11,<3.12",
                ("-e", ".", "--group", "test", "--group", "browser", f"apache-airflow=={release}"),
                pins=f"release-days/{release}",
            )
            for release in ("3.1.8", "3.2.2")
        ),
        # No code of ours is imported: the API reference reads the sources.
        Environment("docs", ".venv-docs", ">=3.11,<3.15", ("--group", "docs")),
        Environment("oracle", ".venv-oracle", ">=3.11,<3.12", ("aqueduct-ml==0.3.6", "psycopg2-binary")),
    )
}


def main(arguments: list[str]) -> int:
    """Build the named environments; 1 and a message when one cannot be built."""
    parser = argparse.ArgumentParser(description="Build the virtual environments of this repository.")
    parser.add_argument("names", nargs="+", choices=sorted(ENVIRONMENTS))
    parser.add_argument("--renew", action="store_true", help="resolve anew and write the constraints files")
    options = parser.parse_args(arguments)
    try:
        for name in options.names:
            renew(ENVIRONMENTS[name]) if options.renew else ensure(ENVIRONMENTS[name])
    except SetupError as error:
        print(f"environments: {error}", file=sys.stderr)
        return 1
    return 0


def ensure(environment: Environment) -> None:
    """Build the environment, unless it stands and was built from the very same files."""
    stamp = environment.path / STAMP
    if environment.python.exists() and stamp.exists() and stamp.read_text() == environment.digest:
        return
    started = time.monotonic()
    _build(environment, ("--constraint", str(environment.constraints)))
    stamp.write_text(environment.digest)
    print(f"{environment.folder}: built in {time.monotonic() - started:.0f} s", flush=True)


def renew(environment: Environment) -> None:
    """Build the environment from the newest versions, or the oldest, and pin them in its constraints file."""
    with tempfile.TemporaryDirectory() as scratch:
        oldest = ("--constraint", str(_oldest(environment, Path(scratch)))) if environment.lowest else ()
        _build(environment, ("--upgrade", *oldest))
    frozen = run_uv("pip", "freeze", "--exclude-editable", "--python", str(environment.python))
    pins = [line for line in frozen.splitlines() if "==" in line and "@" not in line]
    environment.constraints.parent.mkdir(exist_ok=True)
    environment.constraints.write_text("\n".join([*sorted(pins), ""]))
    (environment.path / STAMP).write_text(environment.digest)
    print(f"{environment.constraints.relative_to(ROOT)}: {len(pins)} pins", flush=True)


def _oldest(environment: Environment, scratch: Path) -> Path:
    """Pin the oldest versions of what we require; all else, which Airflow requires, is of its release day."""
    names = {name.lower() for name in _NAME.findall((ROOT / "pyproject.toml").read_text())}
    names |= _COMPANIONS
    day = (RELEASE_DAYS / f"{environment.lowest}.txt").read_text().splitlines()
    constraints, requirements = scratch / "constraints.txt", scratch / "requirements.in"
    constraints.write_text("\n".join(pin for pin in day if pin.partition("==")[0] not in names))
    requirements.write_text(f"apache-airflow=={environment.lowest}\n-e .[{_EXTRAS}]\n")
    options = (
        "--resolution",
        "lowest-direct",
        "--constraint",
        str(constraints),
        "--no-annotate",
        "--no-header",
    )
    python = environment.pythons.partition(",")[0].strip(">=")
    found = run_uv("pip", "compile", "--quiet", "--python-version", python, *options, str(requirements))
    oldest = scratch / "oldest.txt"
    oldest.write_text("\n".join(pin for pin in found.splitlines() if "==" in pin))
    return oldest


def _build(environment: Environment, options: Iterable[str]) -> None:
    print(f"{environment.folder}: building, {environment.requirements[-1]} ...", flush=True)
    try:
        run_uv("venv", "--clear", "--python", environment.pythons, environment.folder)
    except SetupError as error:
        raise SetupError(
            f"{environment.folder} needs Python {environment.pythons} and none was found: install one, "
            f"or let uv fetch it (uv python install).\n{error}"
        ) from error
    python = ("--python", str(environment.python))
    compiled = ("--compile-bytecode",) if environment.compiled else ()
    run_uv("pip", "install", *compiled, *python, *options, *environment.requirements)


def run_uv(*arguments: str) -> str:
    command = [str(_bootstrapped_uv()), "--no-progress", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **index_settings()}, capture_output=True, text=True
    )
    if done.returncode:
        raise SetupError(f"uv {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout


def _bootstrapped_uv() -> Path:
    uv = UV_HOME / "bin" / "uv"
    if uv.exists():
        return uv
    shutil.rmtree(UV_HOME, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(UV_HOME)],
        [str(UV_HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv>=0.8"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(UV_HOME, ignore_errors=True)
            raise SetupError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr).strip()}")
    return uv


def index_settings() -> dict[str, str]:
    """The machine's pip configuration as variables of uv, which reads no configuration of pip's.

    What is already set for uv wins.
    """
    pip = [str(UV_HOME / "bin" / "python"), "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    return {name: value for name, value in uv_settings(listed).items() if not os.environ.get(name)}


def uv_settings(pip_config: str) -> dict[str, str]:
    """uv's variables for what ``pip config list`` printed."""
    settings = _options(pip_config.splitlines())
    translated = {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(settings.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(_existing(settings.get("find-links", "").split())),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "SSL_CERT_FILE": settings.get("cert", ""),
    }
    return {name: value for name, value in translated.items() if value}


def _options(lines: Iterable[str]) -> dict[str, str]:
    # Of the same option in two sections the later counts: global, then install, then the environment.
    order = {"global": 0, "install": 1, ":env:": 2}
    options = [line.partition("=") for line in lines]
    named = [(name.rpartition("."), value) for name, _, value in options]
    known = [(order[section], option, value) for (section, _, option), value in named if section in order]
    return {option: str(ast.literal_eval(value)) for _, option, value in sorted(known)}


def _existing(links: Iterable[str]) -> list[str]:
    """uv, unlike pip, fails on a folder that is not there."""
    return [link for link in links if "://" in link or Path(link).expanduser().exists()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
