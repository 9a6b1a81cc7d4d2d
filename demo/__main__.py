"""``make demo`` and ``make stack``: the script of the README against a real Airflow and a real S3 server.

The demo starts the servers, runs the script as a new user would, and says how it went. ``--keep`` leaves the
servers running until Ctrl-C; ``--only-stack`` starts them and runs nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from demo.stack import Stack, running_stack
from tests.documents import python_blocks

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = ROOT / ".work" / "stack.env"
SCRIPT_SECONDS = 300


def main() -> int:
    """Run the demo; 0 when the script did all that it promises."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the servers running until Ctrl-C")
    parser.add_argument("--only-stack", action="store_true", help="start the servers, run nothing")
    options = parser.parse_args()
    started, good = time.monotonic(), True
    try:
        with tempfile.TemporaryDirectory(prefix="aqueduct-demo-") as name:
            print("Starting an S3 server and Airflow on 127.0.0.1 ...", flush=True)
            with running_stack(Path(name)) as stack:
                introduce(stack)
                if not options.only_stack:
                    good = run_script(stack)
                    print(f"{'PASSED' if good else 'FAILED'} after {time.monotonic() - started:.0f} s.")
                if options.keep or options.only_stack:
                    stay(stack)
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.")
        return 130
    return 0 if good else 1


def introduce(stack: Stack) -> None:
    """Say where Airflow is and how to log in."""
    login = stack.airflow.login
    print(f"Airflow: {login.url}   (user {login.user}, password {login.password})", flush=True)


def run_script(stack: Stack) -> bool:
    """Run the README's script in a folder and a process of its own; whether it succeeded."""
    script = stack.home / "quickstart.py"
    script.write_text("\n".join(python_blocks(ROOT / "README.md")))
    print("Running the script of the README:\n", flush=True)
    try:
        done = subprocess.run(
            [sys.executable, script.name],
            cwd=stack.home,
            env={**os.environ, **stack.variables},
            timeout=SCRIPT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        print(f"The script did not end within {SCRIPT_SECONDS} s.")
        return False
    print(flush=True)
    return done.returncode == 0


def stay(stack: Stack) -> None:
    """Wait for Ctrl-C, with the variables of the stack in a file for the user's shell."""
    stack.write_variables(VARIABLES)
    introduce(stack)
    print(f"In another shell: . {VARIABLES.relative_to(ROOT)}", flush=True)
    print("Running until Ctrl-C.", flush=True)
    try:
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    finally:
        VARIABLES.unlink(missing_ok=True)


if __name__ == "__main__":
    # Ended politely, the demo still ends what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
