"""Choose the environment of an operator: its own requirements and what its artifacts' codecs import."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_name

from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.execution.original_packages import bounds
from aqueduct_provider.spec.models import ArtifactType
from aqueduct_provider.spec.requirement_lines import parsed
from aqueduct_provider.spec.requirement_sets import applies

# What the runner's codecs import, by serialization type.
CODEC_PACKAGES: dict[str, tuple[str, ...]] = {
    "table": ("pandas",),
    "parquet": ("pandas", "pyarrow"),
    "bson_table": ("pandas", "pymongo"),
    "image": ("pillow",),
    "pickle": ("cloudpickle",),
}
_MAKE_TABLES = {"pandas", "polars", "pyarrow", "duckdb"}


def serialization_of(artifact_type: ArtifactType, table_serialization: str) -> str:
    """Return the serialization type whose packages a value of this type needs; empty: none."""
    return {
        ArtifactType.TABLE: table_serialization,
        ArtifactType.IMAGE: "image",
        ArtifactType.PICKLABLE: "pickle",
    }.get(artifact_type, "")


def environment_of(
    requirements: Iterable[str],
    python_version: str | None,
    serializations: Iterable[str],
    table_serialization: str,
) -> EnvironmentSpec:
    """Return the environment for these requirements and for reading and writing these serialization types.

    Packages that the requirements name keep the versions asked for there. Who asks for a library of tables
    may return one without having said so, and gets what writing it needs. Where the original's tables are
    written, versions that nothing chooses are those that the original could have.
    """
    own, python = tuple(requirements), python_version or WORKER_PYTHON
    named = {name for line in own if (name := _installed_name(line, python))}
    used = [*serializations, *([table_serialization] if named & _MAKE_TABLES else [])]
    needed = dict.fromkeys(package for name in used for package in CODEC_PACKAGES.get(name, ()))
    codecs = tuple(package for package in needed if package not in named)
    requirements = own + codecs
    constraints = bounds(own) if requirements and table_serialization == "table" else ()
    return EnvironmentSpec(requirements, python, constraints)


def with_unlisted(requirements: Iterable[str], unlisted: Iterable[str]) -> tuple[str, ...]:
    """Return requirements and those that code uses without listing them; what is listed stays as it is."""
    listed = tuple(requirements)
    names = {canonicalize_name(requirement.name) for line in listed if (requirement := parsed(line))}
    return (*listed, *(name for name in unlisted if canonicalize_name(name) not in names))


def _installed_name(line: str, python_version: str) -> str | None:
    """Return the name of the package that a line installs, if it does so on Linux with this Python."""
    requirement = parsed(line)
    # What cannot be read is reported by the environment room, with its line.
    if requirement is None or not applies(requirement, python_version):
        return None
    return canonicalize_name(requirement.name)
