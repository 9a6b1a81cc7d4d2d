"""An artifact of a run, read from the store: verified by what Airflow's database says of it, then decoded.

Where Airflow cannot say, the store's own metadata says how to read the bytes, and nothing that could run
code is read: whoever can write to the bucket could have put it there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, AuthoringError, IntegrityError, NotFound, ObjectNotFound
from aqueduct_provider.runner import serializations
from aqueduct_provider.sdk.enums import ArtifactType
from aqueduct_provider.sdk.results.records import Recorded
from aqueduct_provider.sdk.results.size_limits import (
    MAX_CONTENT,
    MAX_METADATA,
    bounded_get,
    check_table_size,
)

if TYPE_CHECKING:
    from aqueduct_provider.artifacts.manifest import ArtifactRef
    from aqueduct_provider.runner.codecs import Encoded
    from aqueduct_provider.sdk.results.deleted import Deletion
    from aqueduct_provider.storage.object_store import ObjectStore

log: logging.Logger = logging.getLogger("aqueduct")

_FIX = "Was it changed by hand? Run the operator again to rewrite it."
_UNTYPED = ArtifactType.UNTYPED.value
# Types of which any value may be.
_ANY_TYPE = frozenset({_UNTYPED, ArtifactType.PICKLABLE.value})
_KNOWN_TYPES = frozenset(kind.value for kind in ArtifactType)
# What unpickling raises where a class or function is not as it was.
_OTHER_VERSIONS = (AttributeError, TypeError)
# Nothing else is known of an artifact than what is in the store.
_UNRECORDED = Recorded(why="Nothing says which run of Airflow has written it.")


@dataclass
class StoredSource:
    """The place of an artifact of a run.

    :param declared: its artifact type as the spec has it.
    :param store: the artifact store.
    :param content_key: where its bytes are, as far as nothing else says so.
    :param metadata_key: of its metadata, which is read only where Airflow says nothing of it.
    :param why_missing: says why the operator has not written it; asked only when it is not there.
    :param deletion: says why its content was deleted; asked only when it is gone.
    :param look_up: what Airflow says of it; True: ask again, though it was asked before.
    """

    name: str
    declared: str
    store: ObjectStore
    content_key: str
    metadata_key: str
    why_missing: Callable[[], str]
    deletion: Callable[[], Deletion | None] = lambda: None
    look_up: Callable[[bool], Recorded] = lambda _fresh: _UNRECORDED
    node: None = field(default=None, init=False)
    _recorded: Recorded | None = field(default=None, init=False, repr=False)
    _metadata: Mapping[str, Any] | None = field(default=None, init=False, repr=False)
    _content: bytes | None = field(default=None, init=False, repr=False)
    _is_trusted: bool = field(default=False, init=False, repr=False)

    @property
    def id(self) -> str:
        """Its key in the store."""
        return self.content_key

    @property
    def type(self) -> str:
        """Its artifact type; as the spec has it where nothing is written (yet)."""
        return self._type(self._facts() or {"artifact_type": self.declared})

    @property
    def ready(self) -> bool:
        """Check whether its bytes were read already."""
        return self._content is not None

    @property
    def unverified(self) -> str:
        """Why Airflow does not vouch for it, a sentence; empty where it does."""
        return self._known().why

    def value(self, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return the value, the caller's own; read its bytes once.

        :raises NotFound: the run has not written it, or it was deleted.
        :raises IntegrityError: its bytes are not what the run has written; or it could run code, and Airflow
            does not vouch for it.
        """
        if parameters:
            raise AuthoringError(
                f"{self.name!r} was read from a run: its parameters are those of the run. Trigger the flow "
                "with other values, or call .get(parameters=...) on the artifact that the function returned."
            )
        is_new = not self.ready
        value = self._decoded(self.content())
        if is_new and self.unverified:
            log.warning("%r is shown as the store has it, not verified. %s", self.name, self.unverified)
        return value

    def kept(self) -> tuple[bool, Any]:
        """Return whether a value exists, and the value: of deleted numbers and checks from the run's mark.

        :raises NotFound: its content is gone, and no record says why.
        """
        if self._facts() is None:
            return False, None
        try:
            return True, self._decoded(self.content())
        except NotFound:
            deletion = self.deletion()
            if deletion is None:
                raise
            number, ref = deletion.number, self._known().ref
            if number is not None and ref is not None:
                self._check(json.dumps(number).encode(), ref.sha256, "the number that is kept of it")
            elif number is not None:
                self.check_type(number)
            return number is not None, number

    def known_metadata(self) -> Mapping[str, Any]:
        """Return its types; look for them again as long as they are missing.

        :raises NotFound: the run has not written it.
        """
        facts = self._facts()
        if facts is None:
            raise NotFound(f"{self.name!r} was not written: {self.why_missing()}")
        return {**facts, "artifact_type": self._type(facts)}

    def trust(self) -> None:
        """Read from now on what Airflow does not vouch for, even if that can run code."""
        self._is_trusted = True

    def content(self) -> bytes:
        """Return the bytes as they are stored, verified. Raise as :meth:`value`."""
        self.known_metadata()
        content = self._content
        if content is None:
            content = self._fetched()
            self._check_readable(content)
            self._content = content
        return content

    def encoded(self) -> Encoded:
        """Return the stored value as an operator is given it: what it decodes to needs the operator's code.

        :raises NotFound: as :meth:`value`.
        :raises IntegrityError: as :meth:`value`.
        """
        from aqueduct_provider.runner.codecs import Encoded

        data, facts = self.content(), self.known_metadata()
        types = facts["artifact_type"], facts["serialization_type"]
        if self.unverified:
            if not self._is_trusted:
                # Content that is only data may still ask to run code.
                self._decoded(data)
            log.warning("%r is read as the store has it, not verified. %s", self.name, self.unverified)
        return Encoded(data, *types, "")

    def check_type(self, value: Any) -> None:
        """Check the type of a decoded value that Airflow does not vouch for: the bytes may be any.

        :raises IntegrityError: it is of another type than the artifact.
        """
        from aqueduct_provider.runner.codecs import CodecError, accepted_type

        if not self.unverified or self.type in _ANY_TYPE:
            return
        try:
            accepted_type(value, self.type)
        except CodecError as error:
            place = self.store.url(self.content_key)
            raise IntegrityError(f"{self.name!r} ({place}) {error}. {_FIX}") from error

    # --- what is known of it

    def _known(self) -> Recorded:
        if self._recorded is None or not self._recorded.is_written:
            self._recorded = self.look_up(False)
        return self._recorded

    def _facts(self) -> Mapping[str, Any] | None:
        """Return its types as Airflow has them, else as the store has them. None: it is not written."""
        known = self._known()
        if known.ref is not None:
            return {
                "artifact_type": known.ref.artifact_type,
                "serialization_type": known.ref.serialization_type,
            }
        if known.is_written and self._metadata is None:
            # It is written last: without it, the content may be that of a try that goes on.
            self._metadata = metadata_of(self.store, self.metadata_key)
        return self._metadata if known.is_written else None

    def _type(self, facts: Mapping[str, Any]) -> str:
        return str(facts["artifact_type"] if self.declared == _UNTYPED else self.declared)

    def _misfit(self, facts: Mapping[str, Any]) -> str:
        """Return the type as which it cannot be stored as it is said to be; empty where it can."""
        kinds = (self._type(facts), facts["artifact_type"])
        serialization = facts["serialization_type"]
        return next((kind for kind in kinds if serialization not in serializations.of_type(kind)), "")

    def _check_readable(self, data: bytes) -> None:
        """Refuse what only the store says, where it cannot be, could run code or needs too much memory."""
        facts = self.known_metadata()
        serialization = facts["serialization_type"]
        if not self.unverified:
            return
        if kind := self._misfit({**facts, **(self._metadata or {})}):
            raise IntegrityError(
                f"{self.name!r} is of type {kind}, which is never stored as {serialization!r}, and is not "
                f"read: {self.store.url(self.metadata_key)} was changed. {_FIX}"
            )
        if serialization in serializations.RUNS_CODE and not self._is_trusted:
            raise self._refusal(f"It is stored as a {serialization}, which can run code when it is read")
        if serialization == "parquet" and not self._is_trusted:
            self._check_table(data)

    def _check_table(self, data: bytes) -> None:
        try:
            check_table_size(data, MAX_CONTENT)
        except IntegrityError as error:
            raise self._refusal(f"It {error}") from error
        except ImportError as error:
            raise AuthoringError(_missing_module(self.name, error)) from error
        except Exception as error:
            place = self.store.url(self.content_key)
            raise IntegrityError(f"{self.name!r} ({place}) is not a Parquet file: {error}. {_FIX}") from error

    # --- its bytes

    def _fetched(self) -> bytes:
        known = self._known()
        data = self._bytes(known.ref)
        if known.ref is None:
            return data
        if hashlib.sha256(data).hexdigest() != known.ref.sha256:
            # The operator may have run again since Airflow was asked.
            self._recorded = self.look_up(True)
            newer = self._recorded.ref
            if newer is not None and newer.sha256 != known.ref.sha256:
                return self._fetched()
            self._check(data, known.ref.sha256, self.store.url(known.ref.key))
        return data

    def _bytes(self, ref: ArtifactRef | None) -> bytes:
        try:
            if ref is None and not self._is_trusted:
                return bounded_get(self.store, self.content_key, MAX_CONTENT)
            return self.store.get(ref.key if ref is not None else self.content_key)
        except ObjectNotFound as error:
            key = ref.key if ref is not None else self.content_key
            deletion = self.deletion()
            raise NotFound(
                f"{self.name!r} was {deletion.reason}"
                if deletion
                else f"{self.name!r} was written, but {self.store.url(key)} is not there any more: it was "
                "deleted."
            ) from error

    def _check(self, data: bytes, wanted: str, what: str) -> None:
        from aqueduct_provider.artifacts.transfer import mismatch

        found = hashlib.sha256(data).hexdigest()
        if found != wanted:
            raise mismatch(what, wanted=wanted, found=found)

    def _decoded(self, data: bytes) -> Any:
        from aqueduct_provider.runner.codec_error import CodeRefused
        from aqueduct_provider.runner.codecs import CodecError, decode
        from aqueduct_provider.runner.pickles import data_only

        facts = self.known_metadata()
        if kind := self._misfit(facts):
            raise AuthoringError(
                f"{self.name!r} is stored as a {facts['serialization_type']}, for its class is not that of a "
                f"plain value of type {kind}, and those are never unpickled here. Operators that read it get "
                "it as it was; to read it here, let its function return a plain value."
            )
        may_run_code = self._is_trusted or not self.unverified
        try:
            with nullcontext() if may_run_code else data_only():
                value = decode(data, facts["serialization_type"], facts["artifact_type"])
        except CodeRefused as error:
            raise self._refusal(f"It {error}") from error
        except CodecError as error:
            raise self._unreadable(error) from error
        except ImportError as error:
            raise AuthoringError(_missing_module(self.name, error)) from error
        self.check_type(value)
        return value

    def _refusal(self, reason: str) -> IntegrityError:
        return IntegrityError(
            f"{self.name!r} is not read. {reason}, and whoever can write to {self.store.url('')} could have "
            f"put it there, for nothing in Airflow's database vouches for it. {self.unverified} If you trust "
            "everyone who can write there, pass trust_store=True; in the terminal, --trust-store."
        )

    def _unreadable(self, error: Exception) -> AqueductError:
        cause = error.__cause__
        if isinstance(cause, ImportError):
            return AuthoringError(_missing_module(self.name, cause))
        place = self.store.url(self.content_key)
        if isinstance(cause, _OTHER_VERSIONS):
            return AuthoringError(
                f"{self.name!r} ({place}) {error}. Pickles are read with the packages that wrote them: "
                "compare their versions here with those of the operator's requirements."
            )
        return IntegrityError(f"{self.name!r} ({place}) {error}. {_FIX}")


def _missing_module(name: str, error: ImportError) -> str:
    module = (error.name or str(error)).partition(".")[0]
    return f"Reading {name!r} here needs the module {module!r}: install its package, then read it again."


def metadata_of(store: ObjectStore, key: str) -> dict[str, Any] | None:
    """Return an artifact's metadata, or None where it was not written (yet). It is written after the content.

    :raises IntegrityError: the object is not valid metadata.
    """
    try:
        metadata: dict[str, Any] = json.loads(bounded_get(store, key, MAX_METADATA))
    except ObjectNotFound:
        return None
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{store.url(key)} is not valid JSON: {error}. {_FIX}") from error
    for name in ("artifact_type", "serialization_type"):
        if not isinstance(metadata, dict) or not isinstance(metadata.get(name), str):
            raise IntegrityError(f"{store.url(key)} says nothing of the {name}. {_FIX}")
    if metadata["artifact_type"] not in _KNOWN_TYPES:
        raise IntegrityError(
            f"{store.url(key)} names the unknown artifact type {metadata['artifact_type']!r}. {_FIX}"
        )
    return metadata
