"""What commands say before they publish a copy of a flow; ``test_promote.py`` has the commands themselves."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aqueduct_provider.cli.publish_copy import report
from aqueduct_provider.sdk.publishing.flow_copy import copy_of
from aqueduct_provider.sdk.publishing.republish import Changes
from aqueduct_provider.sdk.versions.promotion import plan_publication
from tests.support.deployment import Deployment, deployment


@pytest.fixture
def made(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path) -> Iterator[Deployment]:
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        yield made


def test_what_would_change_is_said(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    flow, session = made.publish(), made.session
    copy = copy_of(session.registry, flow.record)
    same = plan_publication(session, copy, session.engine(None))
    other = plan_publication(session, copy, session.engine(None), Changes(defaults={"rows": 8}))
    mapped = replace(same, connections={"shop": "shop", "test": "live"})
    capsys.readouterr()
    assert not report(Namespace(json=False), [same, mapped])
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == second == f"'churn': nothing changes; {flow.version()} is published."
    assert third == "Its Airflow connections: 'shop', 'live' for 'test'."
    assert report(Namespace(json=False), [other])
    assert "rows" in capsys.readouterr().out
    assert report(Namespace(json=True), [same, other])
    documents = json.loads(capsys.readouterr().out)
    assert [one["changes"] for one in documents] == [False, True]
