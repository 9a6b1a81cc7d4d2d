"""Find the packages that code of the original uses without listing them.

Every task of the original ran where these packages were installed before its own requirements, so most
archives rely on pandas, numpy or scikit-learn without naming them (Aqueduct formats, section 2). All of them
are 1.2 GB: only those are installed that the archive and its pickled inputs name, or all where that cannot be
seen. One of them, aqueduct-ml, bounds the versions of the others, so pandas was never newer than 1.5.2 there.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from packaging.utils import canonicalize_name

from aqueduct_provider.artifacts.data_modules import strings_in
from aqueduct_provider.runner.packages import distribution_of
from aqueduct_provider.spec.compiled_facts import BASE_PACKAGES
from aqueduct_provider.spec.requirement_lines import parsed

# The modules of those, and of what they brought along.
_MODULES = frozenset(
    "IPython PIL altair awswrangler boto3 botocore bs4 bson click croniter cryptography dateutil distro "
    "great_expectations gridfs jinja2 joblib jsonschema numpy packaging pandas pkg_resources plotly psutil "
    "psycopg2 pyarrow pydantic pymongo pyodbc pytz requests requests_toolbelt scipy six sklearn sqlalchemy "
    "tenacity threadpoolctl tqdm typing_extensions urllib3 yaml".split()
)
# Where the first part of the name does not show the package.
_PACKAGES = {
    "aqueduct": "aqueduct-ml",
    "aqueduct_executor": "aqueduct-ml",
    "google.auth": "google-auth",
    "google.cloud": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.oauth2": "google-auth",
    "ruamel": "ruamel.yaml",
    "snowflake": "snowflake-sqlalchemy",
}
# Package -> what its code imports on some occasion, and a word that archives with such an occasion hold.
_COMPANIONS: dict[str, tuple[tuple[bytes, str], ...]] = {
    "pandas": (
        (b"parquet", "pyarrow"),
        (b"feather", "pyarrow"),
        (b"_orc", "pyarrow"),
        (b"read_sql", "SQLAlchemy"),
        (b"to_sql", "SQLAlchemy"),
        (b"postgres", "psycopg2-binary"),
        (b"redshift", "psycopg2-binary"),
        (b"odbc", "pyodbc"),
        (b"snowflake", "snowflake-sqlalchemy"),
    ),
    "scikit-learn": ((b"", "pandas"),),
    "sqlalchemy": (
        (b"postgres", "psycopg2-binary"),
        (b"redshift", "psycopg2-binary"),
        (b"odbc", "pyodbc"),
        (b"mssql", "pyodbc"),
        (b"snowflake", "snowflake-sqlalchemy"),
    ),
}
# What aqueduct-ml 0.3.6 and aqueduct-sdk 0.3.6 say of them in their metadata.
_BOUNDS = (
    "boto3<=1.26.34 cloudpickle<=2.2.0 distro<=1.8.0 google-cloud-storage<=2.7.0 great-expectations<=0.15.47 "
    "numpy<=1.24.2 packaging<=23.0 pandas<=1.5.2 pillow<=9.4.0 plotly<=5.13.0 pyarrow<=11.0.0 "
    "pydantic<=1.10.2 pymongo<=4.3.3 python-dateutil<=2.8.2 pyyaml<=6.0 requests<=2.28.2 sqlalchemy<2.0.0 "
    "typing-extensions<=4.4.0"
).split()
# The newest for which pandas 1.5 and numpy 1.24 have wheels.
_BOUNDED_PYTHONS = 'python_version < "3.12"'
# Whose code may import anything.
_IMPORTERS = frozenset(["__import__", "import_module", "exec", "resolve_name"])
# How pickles begin that any Python 3 has made.
_PICKLE = re.compile(rb"\x80[\x02-\x05]")


def used_packages(files: Iterable[tuple[str, bytes]], modules: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the requirements for what an archive uses of the original's packages.

    :param files: names and contents of its files: :func:`files_in_folder` or :func:`files_in_zip`.
    :param modules: with their dots, that reading its inputs imports.
    """
    names, contents = set(modules), list[bytes]()
    for name, data in files:
        found = _names_in(name, data)
        if found is None:
            return BASE_PACKAGES
        names |= found
        contents.append(data.lower())
    packages = {package for name in names if (package := _package_of(name))}
    return tuple(sorted(_with_companions(packages, contents), key=str.lower))


def bounds(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return the constraints under which the original would have installed these requirements.

    A package whose requirement says which version it wants is not bounded.
    """
    chosen = {
        canonicalize_name(one.name)
        for line in requirements
        if (one := parsed(line)) is not None and (one.specifier or one.url)
    }
    return tuple(
        f"{bound}; {_BOUNDED_PYTHONS}" for bound in _BOUNDS if re.split("[<=]", bound)[0] not in chosen
    )


def files_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give name and content of each file of an unpacked archive that shows what it imports."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                if data := _relevant(path.name, file):
                    yield path.name, data


def files_in_zip(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the same of an archive that is not unpacked."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for name in sorted(zipped.namelist()):
            with zipped.open(name) as file:
                if data := _relevant(name, file):
                    yield name, data


def _relevant(name: str, file: IO[bytes]) -> bytes:
    """Read a file that is code or a pickle; nothing of others."""
    start = file.read(2)
    return start + file.read() if name.endswith((".py", ".pkl")) or _PICKLE.match(start) else b""


def _names_in(name: str, data: bytes) -> set[str] | None:
    """Return the modules that a file may import; None where that cannot be seen."""
    if not name.endswith(".py"):
        names = strings_in(data)
    else:
        try:
            # An operator's source has the indentation of the user's file.
            names = set(_imports_in(ast.parse(textwrap.dedent(data.decode("utf-8")))))
        except (SyntaxError, ValueError, RecursionError):
            return None
    return None if names is None or names & _IMPORTERS else names


def _imports_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield from _IMPORTERS & {alias.name for alias in node.names}
        elif isinstance(node, ast.Name):
            yield from _IMPORTERS & {node.id}
        elif isinstance(node, ast.Attribute):
            yield from _IMPORTERS & {node.attr}


def _package_of(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] in _MODULES:
        return distribution_of(parts[0]) or parts[0]
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((_PACKAGES[prefix] for prefix in prefixes if prefix in _PACKAGES), None)


def _with_companions(packages: set[str], contents: list[bytes]) -> set[str]:
    """Add what the packages themselves import on the occasions that the files mention."""
    by_name = {canonicalize_name(package): package for package in packages}
    waiting = list(by_name)
    while waiting:
        for word, companion in _COMPANIONS.get(waiting.pop(), ()):
            name = canonicalize_name(companion)
            if name not in by_name and (not word or any(word in data for data in contents)):
                by_name[name] = companion
                waiting.append(name)
    return set(by_name.values())
