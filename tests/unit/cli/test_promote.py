"""Flows that are promoted, exported, imported and published on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.cli import main
from tests.support.deployment import Deployment, deployment

Captured = pytest.CaptureFixture[str]

SCRIPT = """
import aqueduct_provider.sdk as aq

@aq.op(requirements=[])
def twice(rows: int) -> int:
    return {factor} * rows

client = aq.Client()
client.publish_flow("doubled", artifacts=[twice.lazy(client.create_param("rows", 3))])
"""


@pytest.fixture
def sides(
    s3_server: str, s3_client: Any, credentials_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Deployment, Deployment]]:
    """Staging and production, each with a configuration file that the variables know nothing of."""
    folder, made = tmp_path / "home", list[Deployment]()
    folder.mkdir()
    monkeypatch.setenv("AQUEDUCT_CONFIG", str(folder / "config.toml"))
    # It would be the store of both.
    monkeypatch.setenv("AQUEDUCT_BUCKET", "another")
    monkeypatch.chdir(tmp_path)
    names = [f"{name}-{tmp_path.name.replace('_', '-')[-30:]}" for name in ("staging", "production")]
    for name in names:
        s3_client.create_bucket(Bucket=name)
        (tmp_path / name).mkdir()
    staging, production = (deployment(name, s3_server, credentials_file, tmp_path / name) for name in names)
    with staging as one, production as other:
        made = [one, other]
        for side, name in zip(made, ("staging", "production"), strict=True):
            store = side.session.profile.store
            fields = ("bucket", "region", "endpoint_url", "credentials_path")
            lines = [f"{field} = {json.dumps(getattr(store, field))}\n" for field in fields]
            login = {"service": "Airflow", "host": side.fake.url, "username": side.fake.user}
            login |= {"password": side.fake.password}
            text = "".join(["[store]\n", *lines, "[resources.cluster]\n"])
            text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in login.items())
            path = folder / f"{name}.toml"
            path.write_text(text)
            path.chmod(0o600)
        yield one, other


def options(name: str) -> list[str]:
    return ["--config", f"home/{name}.toml"]


def test_promote(sides: tuple[Deployment, Deployment], capsys: Captured, tmp_path: Path) -> None:
    staging, production = sides
    staging.publish()
    mapping = tmp_path / "map.toml"
    mapping.write_text("[parameters]\nrows = 7\n")
    command = ["promote", "churn", "--from", "staging", "--to", "production", "--map", str(mapping)]
    capsys.readouterr()
    assert main([*command, "--check"]) == 1
    assert capsys.readouterr().out == "'churn' is new.\n"
    assert production.client.list_flows() == []
    # Nobody is there to be asked.
    assert main(command) == 2
    assert "nothing was published; give --yes" in capsys.readouterr().err
    assert main([*command, "--yes", "--message", "Ready."]) == 0
    flow = production.client.flow("churn")
    assert flow.version().message == "Ready."
    assert flow.spec.parameter("rows").default.model_dump()["value"] == 7
    capsys.readouterr()
    assert main([*command, "--check"]) == 0
    assert capsys.readouterr().out.startswith("'churn': nothing changes; v1 (")
    # What was typed beats the file.
    assert main([*command, "-p", "rows=8", "--check", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    (change,) = found["diff"]["parameters"]
    assert (found["flow"], found["is_new"], change["after"]["default"]) == ("churn", False, 8)


def test_promote_what_cannot_be(sides: tuple[Deployment, Deployment], capsys: Captured) -> None:
    staging, _ = sides
    staging.publish()
    assert main(["promote", "churn", "--from", "staging", "--to", "nowhere"]) == 2
    assert "nowhere: neither nowhere nor" in capsys.readouterr().err
    assert main(["promote", "churn", "--from", "staging", "--to", "home/staging.toml"]) == 1
    assert "Both sides have the same artifact store" in capsys.readouterr().err
    Path("map.toml").write_text("[connection]\na = 1\n")
    command = ["promote", "churn", "--from", "staging", "--to", "production", "--map"]
    assert main([*command, "map.toml"]) == 2
    assert "map.toml: it has the tables [connections] and [parameters]" in capsys.readouterr().err
    Path("map.toml").write_text("[connections]\nwarehouse = 'live'\n")
    Path("map.toml").chmod(0o644)
    assert main([*command, "map.toml"]) == 1
    err = capsys.readouterr().err
    assert "'churn' has no Airflow connection 'warehouse'" in err
    assert "chmod" not in err
    assert main([*command, "none.toml"]) == 2
    assert "none.toml does not exist" in capsys.readouterr().err


def test_export_and_import(
    sides: tuple[Deployment, Deployment], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AQUEDUCT_BUCKET")
    staging, production = sides
    staging.publish()
    assert main(["export", "churn", "review/churn", *options("staging")]) == 0
    assert "Wrote v1 (" in capsys.readouterr().out
    assert main(["import", "review/churn", "--yes", *options("production")]) == 0
    assert production.run(rows=4).artifact("total").get() == 6
    capsys.readouterr()
    assert main(["publish", "review/churn", "--check", *options("production")]) == 0
    assert main(["import", "review/churn", "x.py", *options("production")]) == 2
    assert "an exported flow is imported alone" in capsys.readouterr().err


def test_publish_a_script(
    sides: tuple[Deployment, Deployment], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AQUEDUCT_BUCKET")
    monkeypatch.setenv("AQUEDUCT_CONFIG", "home/staging.toml")
    staging, _ = sides
    script = Path("flow.py")
    script.write_text(SCRIPT.format(factor=2))
    assert main(["publish", "flow.py", "--check"]) == 1
    assert capsys.readouterr().out == "'doubled' is new.\n"
    assert staging.client.list_flows() == []
    assert main(["publish", "flow.py"]) == 0
    assert staging.client.flow("doubled").version().number == 1
    capsys.readouterr()
    assert main(["publish", "flow.py", "--check"]) == 0
    assert capsys.readouterr().out.startswith("'doubled': nothing changes; v1 (")
    script.write_text(SCRIPT.format(factor=3))
    assert main(["publish", "flow.py", "--check"]) == 1
    out = capsys.readouterr().out
    assert "-    return 2 * rows" in out
    assert "+    return 3 * rows" in out
    # Nothing of this is for scripts, which say it themselves.
    assert main(["publish", "flow.py", "--message", "x"]) == 2
    assert main(["publish", "none.py"]) == 1
    assert "The script 'none.py' does not exist" in capsys.readouterr().err
    script.write_text("x = 1 / 0\n")
    assert main(["publish", "flow.py"]) == 1
    assert "flow.py, line 1: the script failed: ZeroDivisionError" in capsys.readouterr().err
