"""A version of a flow as its spec states it: which one, who published it, why, and of which commit."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from aqueduct_provider.spec.types import Model

# Characters that say what a version changes, and who published it.
MAX_MESSAGE, MAX_PUBLISHER = 500, 200

COMMIT_PATTERN = r"^[0-9a-f]{40}([0-9a-f]{24})?$"


class GitFacts(Model):
    """The commit that was checked out where a version was published."""

    commit: Annotated[str, Field(pattern=COMMIT_PATTERN)] = Field(description="Its id, in full.")
    clean: bool = Field(
        description="Whether nothing differed from it: no changed or new files but copies of specs."
    )


class FlowVersion(Model):
    """One published version of the flow."""

    id: UUID = Field(description="The original's workflow_dag_id; of a compiled spec also a tag of the DAG.")
    number: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Counts the flow's versions from 1; null: unknown. The DAG's description shows it."
    )
    created_at: AwareDatetime | None = Field(None, description="When it was published, ISO 8601 with offset.")
    message: Annotated[str, Field(max_length=MAX_MESSAGE)] = Field(
        "", description="What it changes and why, as its publisher says."
    )
    published_by: Annotated[str, Field(max_length=MAX_PUBLISHER)] = Field(
        "", description="The user who published it; empty: unknown."
    )
    git: GitFacts | None = Field(
        None, description="Where its code comes from; null: not from a Git repository, or unknown."
    )
    restores: Annotated[int, Field(ge=1)] | None = Field(
        None, description="The number of the earlier version whose content a rollback put back; null: none."
    )
