"""Keep loads away from the parts of an artifact store from which Airflow and its workers read what they run.

In: where a store is and where a load would write, as URLs. Out: the prefix that is in the way. Pure; every
room may import it.
"""

from __future__ import annotations

import unicodedata

# The first parts of the keys of the product's own objects (``storage/layout.py``).
PROTECTED = ("specs", "functions", "flows", "bundles", "published", "retired")


def protected_prefix(store: str, target: str, *, is_whole: bool = True) -> str:
    """Return the protected prefix of a store below which a target is; empty where it is below none.

    Names are compared as a store might that ignores case or resolves ``..``. The endpoint does not count: one
    bucket may be reached by many, and by S3's and by Google's protocol.

    :param store: where the artifact store is, ``s3://bucket/prefix/``.
    :param target: where a load writes, likewise.
    :param is_whole: False: the target's last part is only the beginning of one.
    """
    own, parts = _parts(store), _parts(target)
    if not is_whole and not target.endswith("/"):
        parts = parts[:-1]
    is_inside = len(parts) > len(own) and parts[: len(own)] == own
    # An object of the very name of a prefix is not below it.
    inner = parts[len(own) :] if is_inside else []
    if inner and inner[0] in PROTECTED and (len(inner) > 1 or not is_whole or target.endswith("/")):
        return f"{inner[0]}/"
    return ""


def _parts(url: str) -> list[str]:
    """The bucket and the parts of a key, in one spelling."""
    plain = unicodedata.normalize("NFC", url.partition("://")[2]).casefold()
    bucket, *rest = plain.replace("\\", "/").split("/")
    parts: list[str] = []
    for part in rest:
        if part == "..":
            # There is nothing above a bucket.
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return [bucket, *parts]
