"""Files in S3 and Google Cloud Storage: read as artifacts, and written from artifacts.

In: keys, artifacts. Out: artifacts, read here with the resource's own configuration unless lazy; in runs an
Airflow connection leads to the same bucket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound, OperatorFailed, StorageError
from aqueduct_provider.protected_keys import protected_prefix
from aqueduct_provider.runner.codecs import CodecError, Encoded, encode
from aqueduct_provider.sdk.authoring import extract_load
from aqueduct_provider.sdk.enums import ArtifactType
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem
from aqueduct_provider.storage.layout import bucket_and_prefix
from aqueduct_provider.storage.object_store import file_keys

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from aqueduct_provider.sdk.authoring.artifacts import Artifact
    from aqueduct_provider.sdk.keywords import RunOptions
    from aqueduct_provider.storage.object_store import ObjectStore

_FORMATS = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}
_NO_FILES = (ArtifactType.UNTYPED, ArtifactType.KERAS_MODEL)
# Types whose files have a format: tables, and what may hold some.
_FORMATTED = (ArtifactType.TABLE, ArtifactType.LIST, ArtifactType.TUPLE, ArtifactType.UNTYPED)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SHOWN = 1000


@suggest_keywords_of_methods
class FilesResource(ConnectedSystem):
    """A bucket; ``client.resource(name)`` gives it.

    :param own_store: the client's artifact store: what an S3 resource without fields of its own means.
    """

    def __init__(
        self, service: DataSystem, name: str, config: Mapping[str, Any], own_store: Callable[[], ObjectStore]
    ) -> None:
        super().__init__(service, name, config)
        self._own_store = own_store

    @property
    def is_own_store(self) -> bool:
        """Check whether it is the client's artifact store."""
        return self.service.name == "S3" and "bucket" not in self._fields

    @property
    def place(self) -> str:
        """Where it is, in a few words."""
        return self.store().url("") if self.is_own_store else super().place

    def store(self) -> ObjectStore:
        """Return the bucket, as it is reached from here.

        :raises ConfigError: its configuration is wrong.
        :raises StorageError: no credentials were found.
        """
        if self.is_own_store:
            return self._own_store()
        if self.service.name == "GCS":
            from aqueduct_provider.storage import gcs, gcs_connector

            return gcs.connect(gcs_connector.connector_settings(self.system.config))
        from aqueduct_provider.storage import s3
        from aqueduct_provider.storage.s3_connector import connector_settings

        config = dict(self.system.config)
        return s3.connect(connector_settings(config, endpoint_url=config.pop("endpoint_url", "")))

    def check_connection(self) -> str:
        """Check whether the bucket can be listed, in a sentence. Raise ``StorageError``."""
        store = self.store()
        next(iter(store.list("")), None)
        return f"{store.url('')} can be listed."

    def discover(self) -> list[str]:
        """Return the first keys, in order."""
        return list(islice(self.store().list(""), _SHOWN))

    def file(
        self,
        filepaths: str | Sequence[str],
        artifact_type: ArtifactType | str,
        format: str | None = None,
        merge: bool | None = None,
        name: str | None = None,
        output: str | None = None,
        description: str = "",
        lazy: bool = False,
        **how: Unpack[RunOptions],
    ) -> Artifact:
        """Return a file, or several, as an artifact.

        :param filepaths: a key; one that ends with ``/`` is a prefix: all files below it, in order, as a
            tuple; a list of keys gives a tuple, too.
        :param artifact_type: what each file is.
        :param format: of tables: ``"csv"``, ``"json"`` or ``"parquet"``.
        :param merge: make one table of the tables in all files.
        :param name: of the operator; None: ``<resource> query``.
        :param output: name of the artifact.
        :param lazy: only record it.
        :param how: ``retries``, ``retry_delay``, ``timeout``, ``pool``, ``fuse``: as in ``@op``.
        :raises AuthoringError: the arguments do not fit each other.
        :raises OperatorFailed: a file is not what it should be.
        :raises NotFound: there is none.
        """
        from aqueduct_provider.sdk.authoring.artifacts import artifact_for

        source = _source(filepaths, artifact_type, format, merge=bool(merge))
        labels = extract_load.Labels(name or f"{self.name()} query", output, description)
        place = {**self.spec_place(), **source}
        return artifact_for(
            extract_load.extract(self, place, _type_of(source), labels, None, lazy=lazy, how=how)
        )

    def save(
        self,
        artifact: Artifact,
        filepath: str,
        format: str | None = None,
        parameters: Iterable[Artifact | str] | None = None,
        **how: Unpack[RunOptions],
    ) -> None:
        """Write an artifact to a file in every run of the flows that it is in; nothing is written now.

        :param filepath: its key, replaced where it exists. Each ``{name}`` in it is filled by the next
            parameter.
        :param format: of tables: ``"csv"``, ``"json"`` or ``"parquet"``. An image has that of the path's
            suffix, or PNG.
        :param parameters: string artifacts.
        :param how: ``retries``, ``retry_delay``, ``timeout``, ``pool``, ``fuse``: as in ``@op``.
        :raises AuthoringError: the arguments do not fit each other.
        """
        given = list(parameters or ())
        if not isinstance(filepath, str) or not filepath.strip() or filepath.endswith("/"):
            raise AuthoringError(
                f"filepath must be the key of a file, such as 'reports/day.csv', not {filepath!r}."
            )
        places = len(dict.fromkeys(_PLACEHOLDER.findall(filepath)))
        if given and places != len(given):
            raise AuthoringError(
                f"{filepath!r} has {places} placeholders, but {len(given)} parameters were given."
            )
        self._check_place(filepath, is_filled=bool(given))
        kind = extract_load.saved_type(artifact)
        target = {"filepath": filepath, "format": _format(format, kind, "Saving")}
        extract_load.load(self, {**self.spec_place(), **target}, artifact, given, how=how)

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Encoded:  # noqa: ARG002
        """Read what an extract reads, encoded."""
        from aqueduct_provider.runner.file_formats import merge_tables, read_file

        store, filepath = self.store(), source["filepath"]
        kind, form = source["artifact_type"], source["format"] or ""
        if not (keys := file_keys(store, filepath)):
            raise NotFound(f"No files found below {store.url(filepath)}.")
        try:
            values = [read_file(store.get(key), store.url(key), kind, form) for key in keys]
            if isinstance(filepath, str) and not filepath.endswith("/"):
                return encode(values[0], kind, "parquet")
            if source["merge"]:
                return encode(merge_tables(values), "table", "parquet")
            return encode(tuple(values), "tuple", "parquet")
        except CodecError as error:
            raise OperatorFailed(str(error), deterministic=True) from error
        except ImportError as error:
            raise OperatorFailed(
                f"Reading {filepath!r} needs the module {error.name or error}: install its package.",
                deterministic=True,
            ) from error

    def _check_place(self, filepath: str, *, is_filled: bool) -> None:
        """Refuse to write what Airflow and its workers run, as far as it is known here."""
        own = there = "s3://own"
        if not self.is_own_store:
            try:
                own = self._own_store().url("")
            except (ConfigError, StorageError):
                return  # The worker knows it.
            bucket, prefix = bucket_and_prefix(self._fields["bucket"], self._fields.get("root_dir") or "")
            there = f"s3://{bucket}/{prefix}"
        known, brace, _ = filepath.partition("{" if is_filled else "\0")
        target = f"{there.removesuffix('/')}/{known}"
        if prefix := protected_prefix(own, target, is_whole=not brace):
            raise AuthoringError(
                f"{filepath!r} is below {prefix} of the artifact store, from which Airflow and its workers "
                "read what they run: nothing is saved there. Choose another path."
            )

    def _without_connection(self) -> str:
        return "the flow's artifact store" if self.is_own_store else super()._without_connection()

    def spec_place(self) -> dict[str, Any]:
        # Null means the artifact store's connection, which leads to another bucket than one of its own.
        own = {"connection_id": None} if self.is_own_store and not self.connection_id else {}
        return {**super().spec_place(), **own}


def _source(filepaths: Any, artifact_type: Any, format: Any, *, merge: bool) -> dict[str, Any]:
    """Return the fields of the spec's source."""
    several = not isinstance(filepaths, str)
    keys = list(filepaths) if isinstance(filepaths, list | tuple) else [filepaths]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise AuthoringError(
            f"filepaths must be a key, or a list of keys that is not empty, not {filepaths!r}."
        )
    if several and (prefixes := [key for key in keys if key.endswith("/")]):
        raise AuthoringError(
            f"{prefixes[0]!r} is a prefix, and a list holds keys of files only: give the prefix alone."
        )
    known = [kind.value for kind in ArtifactType if kind not in _NO_FILES]
    if artifact_type not in known:
        raise AuthoringError(f"artifact_type must be one of {', '.join(known)}, not {artifact_type!r}.")
    kind = ArtifactType(artifact_type)
    if merge and (kind is not ArtifactType.TABLE or not (several or keys[0].endswith("/"))):
        raise AuthoringError("merge=True makes one table of several files with tables: give such files.")
    return {
        "filepath": keys if several else keys[0],
        "artifact_type": kind.value,
        "format": _format(format, kind.value, "Reading"),
        "merge": merge,
    }


def _type_of(source: Mapping[str, Any]) -> str:
    """Return the type of the artifact that a source gives."""
    filepath = source["filepath"]
    if isinstance(filepath, str) and not filepath.endswith("/"):
        return str(source["artifact_type"])
    return "table" if source["merge"] else "tuple"


def _format(given: Any, kind: str, what: str) -> str | None:
    """Return the format as specs have it."""
    if given is None:
        if kind == "table":
            raise AuthoringError(f"{what} a table needs its format: one of {', '.join(_FORMATS)}.")
        return None
    if kind not in _FORMATTED:
        raise AuthoringError(f"format is for tables only, and this is of type {kind}: leave it out.")
    found = _FORMATS.get(str(getattr(given, "value", given)).lower())
    if found is None:
        raise AuthoringError(f"Unknown format {given!r}: use one of {', '.join(_FORMATS)}.")
    return found
