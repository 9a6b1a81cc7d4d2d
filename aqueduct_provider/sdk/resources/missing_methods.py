"""Explain a method that a resource does not have: another kind of resource was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.own_frames import ends_in_user_code

# Method -> the resources that have it.
_OWNERS = {
    **dict.fromkeys(("sql", "table"), "databases that are read by SQL have it"),
    "list_tables": "databases have it",
    "file": "S3 and GCS have it",
    "collection": "MongoDB has it",
    "save": "data systems have it",
}


class ExplainsMissingMethods:
    """Base of resources. Its ``AttributeError`` names the kinds of resources that have the method."""

    if not TYPE_CHECKING:

        @ends_in_user_code
        def __getattr__(self, name: str) -> Any:
            owner = _OWNERS.get(name)
            if owner is None:
                # Python adds what was probably meant.
                raise AttributeError(
                    f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
                )
            raise AttributeError(
                f"The resource {self.name()!r} is of service {self.type().value!r}, which has no {name!r}: "
                f"{owner}. Names are case-sensitive; client.list_resources() has all of them.",
                name=name,
                obj=self,
            )
