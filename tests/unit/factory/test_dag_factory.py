"""What loader files call; ``test_load_dags.py`` has the folders and stores of specs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aqueduct_provider import DagFactory
from aqueduct_provider.errors import SpecError
from tests.support.example_specs import native_document


def test_a_dag_from_one_file(tmp_path: Path) -> None:
    path = tmp_path / "churn.json"
    path.write_text(json.dumps(native_document()))
    dag = DagFactory.dag_from(path)
    assert dag.dag_id == "churn"
    assert dag.fileloc == __file__
    assert "`churn.json`" in dag.doc_md


def test_a_wrong_file_is_a_spec_error(tmp_path: Path) -> None:
    path = tmp_path / "churn.json"
    path.write_text('{"spec_version": 1}')
    with pytest.raises(SpecError, match=r"churn\.json has \d+ problems"):
        DagFactory.dag_from(str(path))
    with pytest.raises(SpecError, match=r"gone\.json"):
        DagFactory.dag_from(tmp_path / "gone.json")
