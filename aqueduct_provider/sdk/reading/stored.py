"""An artifact of a run, read from the store: its metadata says how, its bytes are decoded here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, AuthoringError, IntegrityError, NotFound, ObjectNotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.reading.deleted import Deletion
    from aqueduct_provider.storage.base import ObjectStore

_CURE = "Was it changed by hand? Run the operator again to write it anew."
# What unpickling raises where a class or function is not as it was.
_OTHER_VERSIONS = (AttributeError, TypeError)


@dataclass
class StoredSource:
    """Where an artifact of a run lies.

    :param type: its artifact type as the metadata has it; as the spec has it where there is none (yet).
    :param metadata: None where there was none when it was looked for.
    :param why_missing: says why the operator has not written it; asked only when it is not there.
    :param metadata_key: where to look for it again; empty: nowhere.
    :param deletion: says why its content was deleted; asked only when it is gone.
    """

    name: str
    type: str
    store: ObjectStore
    content_key: str
    metadata: Mapping[str, Any] | None
    why_missing: Callable[[], str]
    metadata_key: str = ""
    deletion: Callable[[], Deletion | None] = lambda: None
    node: None = field(default=None, init=False)
    _content: bytes | None = field(default=None, init=False, repr=False)

    @property
    def id(self) -> str:
        """Its key in the store."""
        return self.content_key

    @property
    def ready(self) -> bool:
        """Whether its bytes were read already."""
        return self._content is not None

    def value(self, parameters: Mapping[str, Any] | None = None) -> Any:
        """The value, the caller's own; its bytes are read once.

        :raises NotFound: the run has not written it, or it was deleted.
        :raises IntegrityError: its bytes are not what its metadata says.
        """
        if parameters:
            raise AuthoringError(
                f"{self.name!r} was read from a run: its parameters are those of the run. Trigger the flow "
                "with other values, or call .get(parameters=...) on the artifact that the function returned."
            )
        data = self.content()
        return self._decoded(data, self.known_metadata())

    def kept(self) -> tuple[bool, Any]:
        """Whether there is a value, and the value; of deleted numbers and checks what the run's mark keeps.

        :raises NotFound: its content is gone, and nothing tells why.
        """
        if self.metadata is None:
            return False, None
        try:
            return True, self.value()
        except NotFound:
            deletion = self.deletion()
            if deletion is None:
                raise
            return deletion.number is not None, deletion.number

    def known_metadata(self) -> Mapping[str, Any]:
        """The metadata; looked for again as long as there is none.

        :raises NotFound: the run has not written it.
        """
        if self.metadata is None and self.metadata_key:
            self.metadata = metadata_of(self.store, self.metadata_key)
        if self.metadata is None:
            raise NotFound(f"{self.name!r} was not written: {self.why_missing()}")
        self.type = self.metadata["artifact_type"]
        return self.metadata

    def content(self) -> bytes:
        """The bytes as they are stored. Raises ``NotFound``."""
        if self._content is None:
            # The metadata is written last: without it, the content may be that of a try that goes on.
            self.known_metadata()
            try:
                self._content = self.store.get(self.content_key)
            except ObjectNotFound as error:
                deletion = self.deletion()
                where = self.store.url(self.content_key)
                raise NotFound(
                    f"{self.name!r} was {deletion.reason}"
                    if deletion
                    else f"{self.name!r} was written, but {where} is not there any more: it was deleted."
                ) from error
        return self._content

    def _decoded(self, data: bytes, metadata: Mapping[str, Any]) -> Any:
        from aqueduct_provider.runner.codecs import CodecError, decode

        try:
            return decode(data, metadata["serialization_type"], metadata["artifact_type"])
        except CodecError as error:
            raise self._unreadable(error) from error
        except ImportError as error:
            raise AuthoringError(_missing_module(self.name, error)) from error

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
        return IntegrityError(f"{self.name!r} ({place}) {error}. {_CURE}")


def _missing_module(name: str, error: ImportError) -> str:
    module = (error.name or str(error)).partition(".")[0]
    return f"Reading {name!r} here needs the module {module!r}: install its package, then read it again."


def metadata_of(store: ObjectStore, key: str) -> dict[str, Any] | None:
    """An artifact's metadata, or None where there is none (yet). It is written after the content.

    :raises IntegrityError: what is there is no metadata.
    """
    try:
        metadata: dict[str, Any] = json.loads(store.get(key))
    except ObjectNotFound:
        return None
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{store.url(key)} is no JSON: {error}. {_CURE}") from error
    for name in ("artifact_type", "serialization_type"):
        if not isinstance(metadata, dict) or not isinstance(metadata.get(name), str):
            raise IntegrityError(f"{store.url(key)} says nothing of the {name}. {_CURE}")
    return metadata
