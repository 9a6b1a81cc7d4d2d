"""One version of a bundle: which spec each of its files was, by digest (pure).

In: the files of a bundle. Out: the version's id, which is the digest of the list, and its JSON, from which a
worker that has never seen the version rebuilds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.spec.document import json_value


@dataclass(frozen=True, order=True)
class SpecFile:
    """One file of a version.

    :param sha256: digest of its content.
    :param dag_id: of its spec; empty where the content is not a valid spec.
    :param problem: why a spec of the source is missing; ``sha256`` is empty then.
    """

    sha256: str
    dag_id: str = ""
    problem: str = ""


@dataclass(frozen=True)
class BundleVersion:
    """The files of a bundle at one time.

    :param files: file name -> what it was.
    """

    files: Mapping[str, SpecFile]

    @property
    def id(self) -> str:
        """The same for the same files with the same contents, wherever it is computed."""
        lines = (f"{name}\0{file.sha256}\0{file.problem}\0" for name, file in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def holder(self, dag_id: str) -> str:
        """Return the file whose spec makes the DAG: the one named after it, else the first by name."""
        return self.holders().get(dag_id, "")

    def holders(self) -> dict[str, str]:
        """Return the same for every DAG."""
        found: dict[str, str] = {}
        for name, file in sorted(self.files.items()):
            if file.dag_id and (file.dag_id not in found or name == f"{file.dag_id}.json"):
                found[file.dag_id] = name
        return found

    def to_json(self) -> bytes:
        """Return the stored form."""
        files = {name: [file.sha256, file.dag_id, file.problem] for name, file in self.files.items()}
        return json.dumps({"version": 1, "files": files}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes, version_id: str) -> BundleVersion:
        """Read the version in ``data``.

        :raises IntegrityError: it is not the one with this id.
        """
        try:
            document = json_value(data)
            version = cls({name: SpecFile(*facts) for name, facts in document["files"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(f"Version {version_id} of the bundle cannot be read: {error}") from error
        if version.id != version_id:
            raise IntegrityError(
                f"What is stored as version {version_id} of the bundle is {version.id}: it was changed by "
                "hand. Clear the run with the option to use the latest version."
            )
        return version
