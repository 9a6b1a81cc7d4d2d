"""The page of all flows that a user may read."""

from __future__ import annotations

from aqueduct_provider.ui.html import Page, Visit, render


def flows_page(visit: Visit) -> Page:
    """Return the list of flows."""
    return render(visit, "flows.html", flows=visit.database.flows(visit.readable()))
