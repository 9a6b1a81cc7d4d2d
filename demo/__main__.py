"""``make demo`` and ``make stack``: ``aqueduct-airflow demo`` with the script of this checkout's README.

What differs: the installed package's description may be older than the README, environments are built with
pip's settings of this machine, and the variables are in a file whose name stays the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aqueduct_provider.demo.tour import Tour, script_of
from aqueduct_provider.errors import AqueductError
from tools.environments import index_settings

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = Path(".work/stack.env")


def main() -> int:
    """Run the demo; 0 when the script did all that it promises."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the servers running until Ctrl-C")
    parser.add_argument("--only-stack", action="store_true", help="start the servers, run nothing")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ.update(index_settings())
    script = "" if options.only_stack else script_of((ROOT / "README.md").read_text("utf-8"))
    keep = options.keep or options.only_stack
    try:
        good = Tour(script, keep=keep, variables=VARIABLES, again="make demo ARGS=--keep").run()
    except AqueductError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.")
        return 130
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
