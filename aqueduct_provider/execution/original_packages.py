"""Find the packages that code of the original uses without listing them.

Every task of the original ran where these packages were installed before its own requirements, so most
archives rely on pandas, numpy or scikit-learn without naming them (Aqueduct formats, section 2). All of them
are 1.2 GB: only those are installed that the archive and its pickled inputs name, or all where that cannot be
seen.
"""

from __future__ import annotations

import ast
import io
import textwrap
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from aqueduct_provider.artifacts.data_modules import strings_in
from aqueduct_provider.runner.packages import distribution_of

# What the original installed, without versions.
ALL = tuple(
    "aqueduct-ml awswrangler boto3 cloudpickle distro google-cloud-bigquery pandas psycopg2-binary pyarrow "
    "pydantic pyodbc pyyaml scikit-learn snowflake-sqlalchemy SQLAlchemy typing_extensions".split()
)
# The modules of those, and of what they brought along.
_MODULES = frozenset(
    "PIL awswrangler boto3 botocore bson dateutil distro great_expectations jinja2 joblib numpy packaging "
    "pandas plotly psutil psycopg2 pyarrow pydantic pymongo pyodbc pytz requests scipy six sklearn "
    "sqlalchemy tenacity threadpoolctl tqdm typing_extensions urllib3 yaml".split()
)
# Where the first part of the name does not tell the package.
_PACKAGES = {
    "aqueduct": "aqueduct-ml",
    "aqueduct_executor": "aqueduct-ml",
    "google.cloud": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "snowflake": "snowflake-sqlalchemy",
}
# Whose code may import anything.
_IMPORTERS = frozenset(["__import__", "import_module"])
_CODE_SUFFIXES = (".py", ".pkl")


def used_packages(files: Iterable[tuple[str, bytes]], modules: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the requirements for what an archive uses of the original's packages.

    :param files: names and contents of its files: :func:`files_in_folder` or :func:`files_in_zip`.
    :param modules: with their dots, that reading its inputs imports.
    """
    names = set(modules)
    for name, data in files:
        found = _names_in(name, data)
        if found is None:
            return ALL
        names |= found
    return tuple(sorted({package for name in names if (package := _package_of(name))}))


def files_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of an unpacked archive that says what it imports."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _CODE_SUFFIXES and path.is_file():
            yield path.name, path.read_bytes()


def files_in_zip(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The same of an archive that is not unpacked."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for name in sorted(zipped.namelist()):
            if name.endswith(_CODE_SUFFIXES):
                yield name, zipped.read(name)


def _names_in(name: str, data: bytes) -> set[str] | None:
    """The modules that a file may import; None where that cannot be seen."""
    if name.endswith(".pkl"):
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
