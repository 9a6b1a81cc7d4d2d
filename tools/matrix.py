"""Runs what is too heavy for each change: ``python3 -m tools.matrix [NAME ...]``.

In: the unit suites on other Pythons than that of ``make test``, and next to the oldest versions; on the
newest release of each line of Airflow, one flow by the loader and one by a bundle; the pages on the oldest
line of Airflow 3 that has them. Out: an exit code, 0 only when every entry passed. An entry whose environment
cannot be built, such as without its Python, has failed. The standard library only.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from tools.environments import ENVIRONMENTS, SetupError, ensure
from tools.suites import REPORTS, Run, Suite, as_program, closed

UNIT = ("tests/unit", "tests/runner", "tests/architecture")
SMOKE = (
    "tests/integration/test_native_flow.py::test_a_run_leaves_its_artifacts",
    "tests/integration/test_versions.py::test_airflow_pins_a_run_to_a_version_of_the_bundle",
)
# On the oldest line of Airflow 3 that has them, in a browser.
PAGES = (
    "tests/integration/test_ui.py",
    *(
        f"tests/integration/browser/test_{name}.py"
        for name in ("frames", "hostile_content", "logins", "pages")
    ),
)
# With the oldest versions that pyproject.toml allows: what meets other packages, but not their messages.
LOWEST = tuple(
    f"tests/unit/{name}"
    for name in (
        "artifacts execution factory hooks operators runs spec_sources storage test_compat.py test_config.py"
    ).split()
)
# On 2.11 only what meets Airflow: the rest is the same code with the same old libraries.
LOWEST_TWO = tuple(path for path in LOWEST if not path.endswith(("artifacts", "execution", "storage")))
# Other versions than the pinned ones warn of other things.
_LENIENT = ("-W", "default")


@dataclass(frozen=True)
class Entry:
    """One environment and what runs in it.

    :param version: the Python, or the release of Airflow, that makes it differ from the others.
    """

    environment: str
    version: str
    tests: tuple[str, ...]

    @property
    def suite(self) -> Suite:
        """The suite as ``make test`` runs its own."""
        folder = ENVIRONMENTS[self.environment].folder
        return Suite(f"matrix {self.environment}", folder, self.tests, _LENIENT)


ENTRIES = {
    entry.environment: entry
    for entry in (
        Entry("python-3.10", "3.10", UNIT),
        Entry("python-3.12", "3.12", UNIT),
        Entry("python-3.14", "3.14", UNIT),
        Entry("airflow-2.11", "2.11.2", SMOKE),
        Entry("lowest-2.11", "2.11.0", LOWEST_TWO),
        Entry("lowest-3", "3.0.6", (*LOWEST, *SMOKE)),
        Entry("airflow-3.1", "3.1.8", (*SMOKE, *PAGES)),
        Entry("airflow-3.2", "3.2.2", SMOKE),
        Entry("airflow-3", "3.3.2", SMOKE),
    )
}


def main(arguments: list[str]) -> int:
    """Run the named entries, or all; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="make matrix", description="Run the suites on other versions.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENTRIES)}; none: all")
    names: list[str] = parser.parse_args(arguments).names or list(ENTRIES)
    if unknown := [name for name in names if name not in ENTRIES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    run, built, missing = Run([]), [], []
    for name in names:
        try:
            ensure(ENVIRONMENTS[name])
            built.append(ENTRIES[name].suite)
        except SetupError as error:
            print(f"{name}: {error}", file=sys.stderr)
            missing.append(name)
    code = closed(run.all(built))
    if missing:
        print(f"FAILED: no environment for {', '.join(missing)}")
    return 1 if missing else code


if __name__ == "__main__":
    as_program(main)
