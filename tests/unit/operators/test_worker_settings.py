from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aqueduct_provider import config
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.operators.worker_settings import patience, worker_for
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.patience import Patience
from tests.unit.operators.conftest import Flows


def _ignore(*_: str) -> None:
    pass


def test_the_configuration_becomes_plain_values(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__KILL_GRACE", "1.5")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__PARALLEL_REQUESTS", "3")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CHILD_ENV_ALLOW", "HF_HOME, MLFLOW_URI")
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})

    worker = worker_for(workflow, _ignore, Patience(), Redactor())

    assert (worker.kill_grace, worker.requests) == (1.5, 3)
    assert worker.allowed_variables == {"HF_HOME", "MLFLOW_URI"}
    assert worker.cache_dir == tmp_path / "cache"
    worker.store.put("key", b"value")
    assert flows.store.get("key") == b"value"
    assert worker.connect.args == (workflow,)  # type: ignore[attr-defined]
    assert worker.connect.keywords == {  # type: ignore[attr-defined]
        "patience": worker.patience,
        "redact": worker.redact,
    }  # type: ignore[attr-defined]


def test_misspelt_options_are_reported(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__ISOLATON", "always")
    config.unknown_options.cache_clear()
    try:
        worker_for(flows.flow({"task_id": "f", "source": ""}), _ignore, Patience(), Redactor())
    finally:
        config.unknown_options.cache_clear()
    (line,) = (message for message in caplog.messages if "no effect" in message)
    assert line.startswith("[aqueduct] isolaton in airflow.cfg, or the variable AIRFLOW__AQUEDUCT__ISOLATON,")
    assert line.endswith("Did you mean isolation?")


def test_the_secrets_of_the_worker_are_masked(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "planted-variable")
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    redact = Redactor()
    worker = worker_for(workflow, _ignore, Patience(), redact)
    assert worker.redact is redact
    for secret in ("planted-variable", *worker.store.secrets()):  # type: ignore[attr-defined]
        assert redact(f"it is {secret}.") == "it is ***."


def test_isolation_decides_which_python_is_provided(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    worker = worker_for(workflow, _ignore, Patience(), Redactor())
    spec = EnvironmentSpec((), WORKER_PYTHON)

    with worker.provide(spec, _ignore, lambda: False) as python:
        assert python.executable == Path(sys.executable)

    monkeypatch.setenv("AIRFLOW__AQUEDUCT__ISOLATION", "always")
    with worker.provide(spec, _ignore, lambda: False) as python:
        assert python.executable.is_relative_to(worker.cache_dir)
    with worker.provide(spec, _ignore, lambda: False) as python:
        assert python.reused


def test_operators_run_in_a_sandbox_where_that_is_configured(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    assert worker_for(workflow, _ignore, Patience(), Redactor()).sandbox is None
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__SANDBOX", "bwrap")
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__SANDBOX_NETWORK", "off")
    sandbox = worker_for(workflow, _ignore, Patience(), Redactor()).sandbox
    assert sandbox is not None
    assert not sandbox.network
    assert {tmp_path / "cache", Path.home()} <= set(sandbox.hidden)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt-get install bubblewrap"):
        worker_for(workflow, _ignore, Patience(), Redactor())


def test_files_with_credentials_are_hidden_in_a_sandbox(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__SANDBOX", "bwrap")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    sandbox = worker_for(workflow, _ignore, Patience(), Redactor()).sandbox
    assert sandbox is not None
    assert tmp_path / "credentials" in sandbox.hidden


def test_a_wrong_setting_is_one_message(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__KILL_GRACE", "soon")
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    with pytest.raises(ConfigError, match=r"kill_grace.*soon"):
        worker_for(workflow, _ignore, Patience(), Redactor())


def test_the_patience_is_that_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    assert patience().seconds == 120
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_PATIENCE", "7")
    assert patience().seconds == 7
