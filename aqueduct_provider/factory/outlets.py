"""The assets of what loads write, by which other DAGs of the company wait for tables and files."""

from __future__ import annotations

from collections.abc import Iterable

from aqueduct_provider.compat import Asset


def outlets_of(uris: Iterable[str]) -> list[Asset]:
    """Return the assets with these URIs, which Airflow updates when their task has succeeded."""
    return [asset for uri in uris if (asset := _accepted(uri))]


def _accepted(uri: str) -> Asset | None:
    """Return None where a provider of Airflow has its own rules for the scheme: the load still runs."""
    try:
        return Asset(uri)
    except ValueError:
        return None
