"""Pins what could be installed when an Airflow was released: ``python3 -m tools.release_days [VERSION ...]``.

In: the upload times of the package index. Out: ``constraints/release-days/<version>.txt``, which stands for
the constraints file that Airflow publishes with a release. It is resolved without this package, as Airflow's
own is; ``tests/releases`` then installs this package under it. The standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.environments import RELEASE_DAYS, ROOT, SetupError, run_uv
from tools.supported import AIRFLOWS

# Airflow's constraints files are made for each Python; this one all of these releases support.
PYTHON = "3.11"
# What we need and Airflow's constraints files pin too, since some provider needs it.
_OURS = (
    *(
        "boto3",
        "cloudpickle",
        "croniter",
        "httpx",
        "keyring",
        "packaging",
        "pydantic",
        "rich",
        "tomlkit",
        "uv",
    ),
    *("pandas", "pillow", "pyarrow"),
)


def constraints(version: str) -> Path:
    """Return the file with the pins of a release's day."""
    return RELEASE_DAYS / f"{version}.txt"


def renew(version: str) -> None:
    """Resolve what there was on a release's day, and write it."""
    requirements = RELEASE_DAYS / f"{version}.in"
    RELEASE_DAYS.mkdir(exist_ok=True)
    requirements.write_text("\n".join([f"apache-airflow=={version}", *_OURS, ""]))
    options = (
        "--python-version",
        PYTHON,
        "--exclude-newer",
        AIRFLOWS[version],
        "--no-annotate",
        "--no-header",
    )
    try:
        pins = run_uv("pip", "compile", "--quiet", *options, str(requirements)).splitlines()
    finally:
        requirements.unlink()
    constraints(version).write_text("\n".join([*pins, ""]))
    print(f"{constraints(version).relative_to(ROOT)}: {len(pins)} pins", flush=True)


def main(arguments: list[str]) -> int:
    """Renew the files of these releases, or of all; 1 and a message when one cannot be resolved."""
    try:
        for version in arguments or AIRFLOWS:
            renew(version)
    except SetupError as error:
        print(f"release_days: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
