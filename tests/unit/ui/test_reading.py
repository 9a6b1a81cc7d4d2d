from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ConfigError, NotFound
from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts
from aqueduct_provider.ui import reading
from aqueduct_provider.ui.reading import PageSession, published_at, record_of, run_for
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import FLOW_ID, VERSION_ID


def facts(**options: Any) -> DagFacts:
    own: dict[str, Any] = {"id": FLOW_ID, "name": "churn", "dialect": "native", "version": VERSION_ID}
    return DagFacts(FlowFacts(**{**own, **options}), {})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("nonsense", None),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=timezone.utc)),
        ("2026-01-01T00:00:00+00:00", datetime(2026, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_when_a_version_was_published(text: str, moment: datetime | None) -> None:
    assert published_at(facts(created_at=text)) == moment
    assert record_of("churn", facts(created_at=text)).version_id == VERSION_ID


def test_a_store_whose_keys_are_in_the_spec(rows: AirflowRows) -> None:
    with pytest.raises(ConfigError, match="with the keys of its store in the spec"):
        PageSession(rows.database, facts()).store  # noqa: B018


def test_the_store_of_the_spec(rows: AirflowRows, tmp_path: Path) -> None:
    keys = tmp_path / "credentials"
    keys.write_text("[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
    where = {"bucket": "models", "region": "eu-central-1", "root_dir": "team", "credentials_path": str(keys)}
    store = PageSession(rows.database, facts(store=where)).store
    assert store.url("x") == "s3://models/team/x"


def test_a_run(rows: AirflowRows) -> None:
    with pytest.raises(NotFound, match="no run 'x'"):
        run_for(rows.database, "churn", "x", facts())
    rows.run("churn", "x", state="failed")
    run = run_for(rows.database, "churn", "x", facts())
    assert (run.run_id, run.info and run.info.state) == ("x", "failed")
    with pytest.raises(ConfigError, match="original Aqueduct"):
        run_for(rows.database, "churn", "x", facts(dialect="compiled"))


def test_pages_have_nothing_that_unpickles() -> None:
    folder = Path(reading.__file__).parent
    found = [
        path.name
        for path in folder.glob("*.py")
        if re.search(r"import .*(pickle|codecs)|pickle\.|\.get\(trust", path.read_text())
    ]
    assert found == []
