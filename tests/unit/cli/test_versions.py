"""``versions``, ``diff`` and ``rollback`` on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.deployment import deployment
from tests.unit.cli.places import Place

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def own_place(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path) -> Iterator[Place]:
    """A flow with two versions, and a run of the first."""
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        made.publish(message="three rows")
        run = made.run(rows=4)
        made.publish(artifacts=made.author(rows=5))
        options = ["--config", str(tmp_path / "config.toml"), "--bucket", bucket, "--region", "us-east-1"]
        options += ["--endpoint-url", s3_server, "--credentials-path", str(credentials_file)]
        yield Place(made, options, {"good": run.run_id})


def document(capsys: Captured) -> Any:
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_versions_diff_and_rollback(own_place: Place, capsys: Captured) -> None:
    capsys.readouterr()
    assert own_place.main("versions", "churn") == 0
    head, second, first = capsys.readouterr().out.splitlines()
    assert head.split() == ["version", "id", "published", "by", "message", "what", "changed"]
    assert second.startswith("v2 ")
    assert second.endswith("changed the parameters rows")
    assert first.rstrip().endswith("three rows")

    assert own_place.main("versions", "churn", "--limit", "1", "--json") == 0
    (newest,) = document(capsys)
    assert list(newest) == [
        *("number", "version_id", "version", "created_at", "published_by", "message", "git", "restores"),
        "changes",
    ]
    assert (newest["number"], newest["changes"]) == (2, ["changed the parameters rows"])
    assert newest["version"] == f"v2 ({newest['version_id'][:8]})"

    for names in (["1"], ["v1", "2"], [own_place.runs["good"]], [own_place.runs["good"], "latest"]):
        assert own_place.main("diff", "churn", *names) == 0
        out = capsys.readouterr().out.splitlines()
        assert out[0].startswith("v1 (")
        assert out[0].endswith(f" -> {newest['version']}")
        assert [line.split() for line in out[2:]] == ["changed parameter rows default 3 default 5".split()]
    assert own_place.main("diff", "churn", "2", "--json") == 0
    assert document(capsys)["is_empty"] is True

    assert own_place.main("rollback", "churn", "v1", "-m", "too many", "--json") == 0
    found = document(capsys)
    assert (found["flow"], found["number"], found["restores"], found["message"]) == (
        "churn",
        3,
        1,
        "too many",
    )
    assert found["diff"]["parameters"][0]["after"]["default"] == 3
    assert own_place.main("status", "churn") == 0
    assert f"v3 ({found['version_id'][:8]})" in capsys.readouterr().out
    assert own_place.main("rollback", "churn", "v2") == 0
    assert "it restores v2" in capsys.readouterr().out
    assert own_place.main("rollback", "churn", own_place.runs["good"]) == 0
    assert "it restores v1" in capsys.readouterr().out


def test_mistakes(place: Place, capsys: Captured) -> None:
    for arguments, message in (
        (["diff", "churn", "v9"], "'v9': it has 1. aqueduct-airflow versions lists its versions."),
        (
            ["diff", "churn", "no-such-run"],
            "'no-such-run' is neither a version nor a run of 'churn'. A version is a number",
        ),
        (["rollback", "churn", "latest"], "is what is published, so there is nothing to put back"),
        (["rollback", "chrn", "1"], "No flow 'chrn'"),
    ):
        assert place.main(*arguments) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("Traceback")) == ("", 0)
        assert message in err
