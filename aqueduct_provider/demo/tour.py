"""Run the demo: start the servers, run the README's script, show where to look."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.demo.stack import Stack, running_stack
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.page_paths import page_path

if TYPE_CHECKING:
    from rich.console import Console

    from aqueduct_provider.demo.local_airflow import Login

DISTRIBUTION = "airflow-provider-aqueduct"
# Modules that the extra installs.
NEEDED = ("airflow", "moto", "pandas", "PIL", "pyarrow", "sklearn")
SCRIPT_SECONDS = 300
# The DAG of the README's flow.
FLOW = "wine_quality"
_FOREIGN = ("AIRFLOW", "_AIRFLOW", "AQUEDUCT_", "AWS_")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Tour:
    """How the demo is run.

    :param script: the flow; empty: start the servers only.
    :param keep: leave the servers running until Ctrl-C.
    :param variables: where to write the variables for the user's shell; None: in the demo's folder.
    :param again: the command that ran the demo, for the hint at the end.
    """

    script: str
    keep: bool = False
    variables: Path | None = None
    again: str = "aqueduct-airflow demo --keep"

    def run(self) -> bool:
        """Run the demo and return whether the script succeeded.

        :raises ConfigError: something that the demo needs is not installed, or it can have no folder.
        :raises AqueductError: a server does not start.
        """
        check_installation()
        steps, started, good = Steps(), time.monotonic(), True
        _end_when_asked()
        forget_settings(os.environ)
        home = _new_folder()
        try:
            with running_stack(home, steps.begin) as stack:
                steps.end()
                page = ""
                if self.script:
                    steps.print(_login(stack))
                    good = run_script(stack, self.script, steps)
                    page = run_page(stack.airflow.login)
                    steps.print(self.verdict(time.monotonic() - started, page, good=good))
                if self.keep:
                    self._stay(stack, steps, page)
        finally:
            steps.stop()
            shutil.rmtree(home, ignore_errors=True)
        return good

    def verdict(self, seconds: float, page: str, *, good: bool) -> str:
        """Return how the script ended, and what to do next.

        :param page: the address of the run's page.
        """
        lines = [f"{'PASSED' if good else 'FAILED'} after {seconds:.0f} s."]
        if not good:
            lines.append(
                "The reason is above. A machine that is busy with other work can be too slow: try again."
            )
        if not self.keep:
            lines += [
                f"The run's page:    {page}",
                f"It ends with its servers, now. To open it in Airflow's UI, keep them running: {self.again}",
            ]
        return "\n".join(lines)

    def _stay(self, stack: Stack, steps: Steps, page: str) -> None:
        path = self.variables or stack.home / "demo.env"
        stack.write_variables(path)
        steps.print(where_to_look(stack, path, page=page))
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            steps.print("Stopping; nothing is left running.")
        finally:
            path.unlink(missing_ok=True)


class Steps:
    """The steps of the demo on the terminal: a spinner while one is under way, then a line with its time."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console: Console = Console(highlight=False, soft_wrap=True)
        self._status = self._console.status("")
        self._label, self._since = "", 0.0

    def begin(self, name: str) -> None:
        """End the step before, and show that this server is being started."""
        self.end()
        self._label, self._since = f"Starting {name}", time.monotonic()
        if self._console.is_terminal:
            self._status.update(f"{self._label} ...")
            self._status.start()

    def end(self) -> None:
        """Print how long the step took."""
        self.stop()
        if self._label:
            self.print(f"{self._label} ... {time.monotonic() - self._since:.0f} s")
        self._label = ""

    def stop(self) -> None:
        """Take the spinner away."""
        self._status.stop()

    def print(self, text: str) -> None:
        """Print lines as they are."""
        self._console.print(text, markup=False)
        self._console.file.flush()


def _end_when_asked() -> None:
    """Let the first signal interrupt the demo, which then ends what it started, whatever comes next."""
    # Background jobs of a shell ignore SIGINT; under nohup it is meant to outlive its terminal.
    hangup = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
    signals = (signal.SIGINT, signal.SIGTERM, *hangup)

    def interrupt(_number: int, _frame: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, interrupt)


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="aqueduct-demo-"))
    except OSError as error:
        raise ConfigError(
            f"no folder can be made for the demo: {error.strerror}. Set TMPDIR to a writable folder."
        ) from error


def forget_settings(environment: MutableMapping[str, str]) -> None:
    """Take out what the user has set for an Airflow, a store and a proxy that are not those of the demo."""
    for name in [name for name in environment if name.startswith(_FOREIGN)]:
        del environment[name]
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(filter(None, [direct, "127.0.0.1"]))


def check_installation() -> None:
    """Check that the extra ``demo`` is installed, with Airflow 3.

    :raises ConfigError: it is not; the message has the command that installs it.
    """
    install = f'pip install "{DISTRIBUTION}[demo]"'
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"the demo needs packages that are not installed ({', '.join(missing)}): {install}")
    version = importlib.metadata.version("apache-airflow")
    if version.startswith("2."):
        raise ConfigError(
            f"the demo needs Airflow 3, but here is {version}: in a new virtual environment, {install}"
        )


def readme_script() -> str:
    """Return the script of the README, which is the description of the installed package."""
    description = importlib.metadata.metadata(DISTRIBUTION)["Description"]
    return script_of(description)


def script_of(markdown: str) -> str:
    """Return the ``python`` blocks of a page as one script."""
    return "\n".join(_BLOCK.findall(markdown))


def run_script(stack: Stack, script: str, steps: Steps) -> bool:
    """Run a script in the stack's folder, in a process of its own, and return whether it succeeded."""
    path = stack.home / "quickstart.py"
    path.write_text(script, "utf-8")
    steps.print("\nRunning the flow of the README:\n")
    try:
        done = subprocess.run(
            [sys.executable, path.name],
            cwd=stack.home,
            # What it leaves there, if it is stopped, is deleted with the rest.
            env={**os.environ, **stack.variables, "TMPDIR": str(stack.home)},
            timeout=SCRIPT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        steps.print(f"The script did not end within {SCRIPT_SECONDS} s.")
        return False
    steps.print("")
    return done.returncode == 0


def run_page(login: Login) -> str:
    """Return the address of the page of the newest run of the README's flow; before the first, of all flows.

    :raises AqueductError: Airflow does not answer.
    """
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.login import AirflowLogin

    with Airflow(AirflowLogin(login.url, login.user, login.password)) as airflow:
        runs = airflow.runs(FLOW, 1)
    return f"{login.url}{page_path(FLOW, runs[0].run_id) if runs else page_path()}"


def where_to_look(stack: Stack, variables: Path, *, page: str = "") -> str:
    """Return what can be done while the servers run.

    :param page: of the run; empty: there is none.
    """
    lines = ["", _login(stack)]
    if page:
        lines += [
            f"The run's page:    {page}",
            f"Its script:        {stack.home / 'quickstart.py'}",
        ]
    lines += [f"In another shell:  . {variables}", f"                   {_command()} flows"]
    return "\n".join([*lines, "Running until Ctrl-C; then all of it is deleted."])


def _command() -> str:
    """Return how a shell finds our command: by its path where that of the demo's Python is not searched."""
    name = "aqueduct-airflow"
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.exists():
        return name
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def _login(stack: Stack) -> str:
    login = stack.airflow.login
    return f"Airflow:           {login.url}   (user {login.user}, password {login.password})"
