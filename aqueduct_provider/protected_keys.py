"""Keep loads away from what the product itself writes and reads.

That is the parts of an artifact store from which Airflow and its workers read what they run, and the ledger
of loads in a database. Pure; every room may import it.
"""

from __future__ import annotations

import unicodedata

# The table or collection in which a data system records its loads (``connectors/sql/idempotent_load.py``).
LEDGER = "aqueduct_loads"
LEDGER_REFUSAL = f"{LEDGER} is the table in which Aqueduct records its loads; choose another name"
# The first parts of the keys of the product's own objects (``storage/layout.py``).
PROTECTED = ("specs", "functions", "flows", "bundles", "published", "retired")


def is_ledger(table: str) -> bool:
    """Check whether a load into ``table`` or ``schema.table`` would write to the ledger.

    Names are compared as a database might that ignores case, accents and the width of letters.
    """
    plain = unicodedata.normalize("NFKD", table.rpartition(".")[2]).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip() == LEDGER


def protected_prefix(store: str, target: str, *, is_whole: bool = True) -> str:
    """Return the protected prefix of a store below which a target is; empty where it is below none.

    Names are compared as a store might that ignores case or resolves ``..``. The endpoint does not count: one
    bucket may be reached by many, and by S3's and by Google's protocol. An alias of an access point may be of
    any bucket, so it counts as this one.

    :param store: where the artifact store is, ``s3://bucket/prefix/``.
    :param target: where a load writes, in the same form.
    :param is_whole: False: the target's last part is only the beginning of one.
    """
    own, parts = _parts(store), _parts(target)
    if not is_whole and not target.endswith("/"):
        parts = parts[:-1]
    if _is_alias(own[0]) or _is_alias(parts[0]):
        own[0] = parts[0]
    is_inside = len(parts) > len(own) and parts[: len(own)] == own
    # An object of the very name of a prefix is not below it.
    inner = parts[len(own) :] if is_inside else []
    if inner and inner[0] in PROTECTED and (len(inner) > 1 or not is_whole or target.endswith("/")):
        return f"{inner[0]}/"
    return ""


def _is_alias(bucket: str) -> bool:
    """Check for the aliases of S3's access points and of those with a Lambda function."""
    return bucket.endswith(("-s3alias", "--ol-s3"))


def _parts(url: str) -> list[str]:
    """Return the bucket and the parts of a key, in one spelling."""
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
