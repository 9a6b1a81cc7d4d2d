from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun, ShownArtifact, ShownOperator
from aqueduct_provider.sdk.results.runs_document import runs_document, runs_from
from aqueduct_provider.spec.dag_facts import OperatorFacts

REF = ArtifactRef("k", "0" * 64, 8, "m", "1" * 64, "boolean", "json", "good", {"value": False})
CHECK = ShownOperator(
    OperatorFacts("good", "good", "check", "warning"),
    "group",
    OperatorRun("good", "good", "check", ExecutionStatus.FAILED, warning=True, duration=1.5),
    1.5,
    (ShownArtifact("good-id", "good", "boolean", REF), ShownArtifact("x", "x", "table")),
)
RUN = RecordedRun(RunInfo("r1", "success", datetime(2026, 1, 1, tzinfo=timezone.utc)), (CHECK,), "v")


def test_there_and_back() -> None:
    document = json.loads(json.dumps(runs_document([RUN], more=True)))
    assert document["version"] == 1
    assert runs_from(document) == ([RUN], "r1")
    assert runs_from(runs_document([RUN])) == ([RUN], "")
    assert runs_from(runs_document([], more=True)) == ([], "")


def test_fields_of_a_newer_release_are_ignored() -> None:
    document = runs_document([RUN])
    document["runs"][0]["operators"][0]["outputs"][0]["written"]["new"] = 1
    document["runs"][0]["new"] = 1
    assert runs_from({**document, "new": 1}) == ([RUN], "")


@pytest.mark.parametrize("document", [None, [], "x", {}, {"version": 2, "runs": []}])
def test_another_document(document: Any) -> None:
    with pytest.raises(IntegrityError, match="not in a form that this release of the provider knows"):
        runs_from(document)


@pytest.mark.parametrize(
    "run",
    [
        None,
        {},
        {"run_id": "r", "state": "success", "operators": [{}]},
        {"run_id": "r", "state": "success", "operators": [], "started_at": "yesterday"},
    ],
)
def test_a_run_that_cannot_be_read(run: Any) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        runs_from({"version": 1, "runs": [run]})


def test_a_secret_is_not_taken_even_if_it_is_there() -> None:
    document = runs_document([RUN])
    output = document["runs"][0]["operators"][0]["outputs"][0]
    output["name"] = output["written"]["name"] = "api_token"
    ((run,), _) = runs_from(document)
    assert dict(run.artifacts["api_token"].glance) == {}
