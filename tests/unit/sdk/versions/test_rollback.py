"""Earlier versions are put back: what Airflow then shows and runs, and what is refused."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, DigestMismatch, IntegrityError, NotFound
from aqueduct_provider.sdk.enums import FlowState
from aqueduct_provider.storage.layout import FlowLayout, delivered_spec
from tests.support.deployment import Deployment, deployment
from tests.support.flow_runs import function_zip

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def two_versions(made: Deployment) -> aq.Flow:
    """Publish two versions: of 3 rows, and of 5 with another name of the total."""
    made.publish()
    return made.publish(artifacts=made.author(rows=5, total="sum"))


@pytest.mark.parametrize("major", [3, 2])
def test_it_runs_and_is_what_status_and_trigger_know(
    major: int,
    bucket: str,
    s3_server: str,
    credentials_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with deployment(bucket, s3_server, credentials_file, tmp_path, major=major) as made:
        first = made.publish(message="three rows").record
        made.publish(artifacts=made.author(rows=5, total="sum"))
        capsys.readouterr()
        flow = made.client.rollback("churn", "v1", "five were too many")
        out = capsys.readouterr().out.splitlines()
        new, old = (flow.version(number) for number in (3, 2))
        assert out[0] == f"{old} -> {new}"
        assert any(line.split()[:3] == ["changed", "parameter", "rows"] for line in out)
        assert f"it restores v1 ({first.version_id[:8]})." in out[-2]
        assert out[-1] == f"Airflow shows it: {flow.url()}"
        assert (new.restores, new.message, new.number) == (1, "five were too many", 3)
        assert flow.diff(1, 3).is_empty
        assert flow.status().state is FlowState.CURRENT
        run = made.client.trigger("churn", progress=False)
        made.work(run.run_id)
        assert run.artifact("total").get() == 3
        assert [one.label for one in flow.versions()] == ["v3", "v2", "v1"]


def test_an_old_spec_that_was_copied_by_hand_is_repaired(made: Deployment) -> None:
    flow = two_versions(made)
    old = made.session.registry.spec_text(flow.record.flow_id, flow.version(1).id)
    made.store.put(delivered_spec("churn"), old)
    made.parse()
    assert flow.status().state is FlowState.STALE
    flow = made.client.rollback(flow, 1)
    assert flow.status().state is FlowState.CURRENT
    assert made.run().artifact("total").get() == 3


def test_runs_finish_on_the_version_that_they_began_with(made: Deployment) -> None:
    flow = two_versions(made)
    run = made.run()
    flow = made.client.rollback(flow, 1)
    assert flow.fetch(run.run_id).artifact("sum").get() == 10
    assert flow.diff(run) == flow.diff(2, 3)
    # A run stands for its version.
    assert made.client.rollback(flow, run).version().restores == flow.version(run).number == 2


def test_only_a_machine_with_the_store_is_needed(
    made: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_versions(made)
    made.client.delete_resource("cluster")
    capsys.readouterr()
    flow = made.client.rollback("churn", 1)
    assert "Its spec is delivered, and Airflow finds it by itself" in capsys.readouterr().out
    made.parse()
    assert made.spec().version.restores == 1
    assert made.spec().version.id == flow.version().spec.version.id


def test_nothing_need_be_printed(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    flow = two_versions(made)
    capsys.readouterr()
    made.client.rollback(flow, 1, progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_deleted_flow_comes_back(made: Deployment) -> None:
    two_versions(made)
    made.client.delete_flow("churn")
    flow = made.client.rollback("churn", "latest")
    assert (flow.retired_at(), flow.version().number, flow.version().restores) == (None, 3, 2)
    assert made.session.registry.retired() == []


def test_a_folder_of_dags_gets_it(made: Deployment, tmp_path: Path) -> None:
    folder = tmp_path / "dags"
    folder.mkdir()
    made.fake.all_admins = True
    login = {**made.fake.login, "dags_folder": str(folder)}
    made.client.connect_resource("folder", "Airflow", login)
    made.publish(engine="folder", wait=0)
    made.publish(engine="folder", artifacts=made.author(rows=5), wait=0)
    made.client.rollback("churn", 1, wait=0)
    assert '"restores": 1' in (folder / "churn.json").read_text()
    made.client.delete_resource("folder")
    with pytest.raises(AuthoringError, match=r"delivered to .*churn\.json, by the resource 'folder'"):
        made.client.rollback("churn", 1)


def test_what_workers_reach_the_store_by_is_of_today(made: Deployment) -> None:
    made.publish()
    made.fake.all_admins = True
    made.client.connect_resource("cluster", "Airflow", {**made.fake.login, "connection_id": "other"})
    made.publish(artifacts=made.author(rows=5))
    flow = made.client.rollback("churn", 1)
    assert flow.spec.artifact_store.model_dump() == {"type": "connection", "connection_id": "other"}


# --- what is refused


def unchanged(made: Deployment, flow: aq.Flow) -> bool:
    """Check that the second version is still published, delivered and the last one."""
    versions = list(made.store.list(FlowLayout(flow.record.flow_id).versions_prefix))
    newest = made.session.registry.newest(flow.record)
    return len(versions) == 2 and newest == flow.record and made.spec().version.number == 2


def test_what_is_published_already(made: Deployment) -> None:
    flow = two_versions(made)
    for name in ("latest", 2, flow.record.version_id):
        with pytest.raises(AuthoringError, match=r"^v2 \(.{8}\) of 'churn' is what is published"):
            made.client.rollback(flow, name)
    with pytest.raises(NotFound, match="has no version 3"):
        made.client.rollback(flow, 3)
    with pytest.raises(AuthoringError, match="rollback: message must be text"):
        made.client.rollback(flow, 1, "x" * 501)
    with pytest.raises(AuthoringError, match="The flow's message holds"):
        made.client.rollback(flow, 1, "uses postgres://ada:hunter2-long@db/shop")
    assert unchanged(made, flow)


def test_code_that_was_changed_or_deleted(made: Deployment) -> None:
    flow = two_versions(made)
    (code, *_) = (one.code for one in flow.version(1).spec.operators if one.type == "function")
    data = made.store.get(code.key)
    made.store.put(code.key, function_zip("def predict(): ...\n"))
    with pytest.raises(DigestMismatch, match=f"{code.key} was changed after it was written"):
        made.client.rollback(flow, 1)
    made.store.delete([code.key])
    with pytest.raises(NotFound, match=rf"v1 .* cannot be put back: .*{code.key}, which it"):
        made.client.rollback(flow, 1)
    assert unchanged(made, flow)
    made.store.put(code.key, data)
    made.client.rollback(flow, 1)


def test_a_spec_that_was_changed(made: Deployment) -> None:
    flow = two_versions(made)
    key = FlowLayout(flow.record.flow_id).version(flow.version(1).id)
    made.store.put(key, made.store.get(key).replace(b"how many", b"whatever"))
    # Also where it was read before: what is put back is what is there now.
    for _ in range(2):
        with pytest.raises(DigestMismatch, match="was changed after it was published"):
            made.client.rollback(flow, 1)
        made.session.registry._read_spec.cache_clear()
    assert unchanged(made, flow)


def forged(made: Deployment, flow: aq.Flow, number: int) -> str:
    """Write a version that was never published, and make it look older than all others."""
    document = json.loads(made.session.registry.spec_text(flow.record.flow_id, flow.record.version_id))
    document["version"] |= {"id": str(uuid4()), "number": number}
    key = FlowLayout(flow.record.flow_id).version
    made.store.put(key(document["version"]["id"]), json.dumps(document).encode())
    for one in flow.record.versions[::-1]:
        made.store.put(key(one.version_id), made.store.get(key(one.version_id)))
    return str(document["version"]["id"])


def test_a_forged_version_is_not_put_back_by_its_number(made: Deployment) -> None:
    flow = two_versions(made)
    first = flow.version(1).id
    forged(made, flow, 1)
    assert made.client.rollback("churn", 1).diff(first).is_empty


def test_whoever_may_write_the_record_decides(made: Deployment) -> None:
    flow = two_versions(made)
    version = forged(made, flow, 3)
    text = made.session.registry.spec_text(flow.record.flow_id, version)
    digest = hashlib.sha256(text).hexdigest()
    made.session.registry.put(replace(flow.record, version_id=version, spec_sha256=digest, number=3))
    flow = made.client.flow("churn")
    assert flow.version().id == version
    flow.export(made.folder / "export")
    assert (made.folder / "export/flow.json").read_bytes() == text


def test_what_the_record_does_not_know_needs_trust(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = two_versions(made)
    version = forged(made, flow, 9)
    assert flow.version(9).id == version
    for name in (9, version, flow.version(version)):
        with pytest.raises(IntegrityError, match=r"v9 \(.*\) of 'churn' is not taken: .* trust_store=True"):
            made.client.rollback(flow, name)
    with pytest.raises(IntegrityError, match="is not taken"):
        flow.export(made.folder / "export", version=9)
    assert made.client.rollback(flow, 9, trust_store=True).version().restores == 9


def test_a_damaged_newest_version_is_not_in_the_way(
    made: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    flow = two_versions(made)
    made.store.put(FlowLayout(flow.record.flow_id).version(flow.record.version_id), b"{}")
    made.session.registry._read_spec.cache_clear()
    assert made.client.rollback("churn", 1).version().restores == 1
    assert "What the rollback changes is not known" in caplog.text


def test_what_this_airflow_cannot_run(made: Deployment) -> None:
    made.publish("before")
    made.publish(source_flow="before")
    flow = made.publish(artifacts=made.author(rows=5))
    made.fake.all_admins = True
    made.client.connect_resource("cluster", "Airflow", {**made.fake.login, "python_versions": ["3.1"]})
    with pytest.raises(AuthoringError, match=rf"Functions of Python {HERE} cannot run on 'cluster'"):
        made.client.rollback(flow, 1)
    made.client.connect_resource("cluster", "Airflow", made.fake.login)
    made.client.delete_flow("before")
    with pytest.raises(AuthoringError, match="'churn' cannot run after 'before', which was deleted"):
        made.client.rollback(flow, 1)
    assert unchanged(made, flow)
