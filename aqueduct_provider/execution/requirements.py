"""Stage 6, which Python an operator needs: its own requirements and what its artifacts' codecs import."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.spec.models import ArtifactType

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
    """The serialization type whose packages a value of this type needs; empty where it needs none."""
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
    """The environment for these requirements and for reading and writing these serialization types.

    Packages that the requirements name keep the versions asked for there. Who asks for a library of tables
    may return one without having said so, and gets what writing it needs.
    """
    own = tuple(requirements)
    named = {name for name in map(_name, own) if name}
    used = [*serializations, *([table_serialization] if named & _MAKE_TABLES else [])]
    needed = dict.fromkeys(package for name in used for package in CODEC_PACKAGES.get(name, ()))
    codecs = tuple(package for package in needed if package not in named)
    return EnvironmentSpec(requirements=own + codecs, python_version=python_version or WORKER_PYTHON)


def _name(requirement: str) -> str | None:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return None  # The environment room reports it, with its line.
