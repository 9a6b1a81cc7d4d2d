from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.session import Session

from aqueduct_provider.storage.aws_models import load_quickly

pytestmark = pytest.mark.usefixtures("no_aws_variables")


@pytest.fixture
def loader() -> Loader:
    session = Session()
    load_quickly(session)
    return session.get_component("data_loader")


@pytest.mark.parametrize("service", ["s3", "sts", "sso", "sso-oidc", "athena"])
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_services_are_those_of_botocore(loader: Loader, service: str, kind: str) -> None:
    loaded, expected = loader.load_service_model(service, kind), Loader().load_service_model(service, kind)
    assert json.dumps(loaded) == json.dumps(expected)


@pytest.mark.parametrize("name", ["endpoints", "partitions", "sdk-default-configuration"])
def test_other_files_are_those_of_botocore(loader: Loader, name: str) -> None:
    loaded, path = loader.load_data_with_path(name)
    expected, expected_path = Loader().load_data_with_path(name)
    assert json.dumps(loaded) == json.dumps(expected)
    assert path == expected_path
    assert loader.is_builtin_path(path)


def test_list_of_services_is_that_of_botocore(loader: Loader) -> None:
    assert loader.list_available_services("service-2") == Loader().list_available_services("service-2")


def test_unknown_service(loader: Loader) -> None:
    with pytest.raises(UnknownServiceError, match="'nothing'"):
        loader.load_service_model("nothing", "service-2")


def test_folders_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        model = tmp_path / name / f"service-{name}" / "2026-01-01" / "service-2.json"
        model.parent.mkdir(parents=True)
        model.write_text(json.dumps({"metadata": {"of": f"Zürich {name}"}}), encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TWO", str(tmp_path / "two"))
    monkeypatch.setenv("AWS_DATA_PATH", f"~/one:$TWO:{tmp_path / 'missing'}")
    session = Session()
    load_quickly(session)
    loader = session.get_component("data_loader")
    for name in ("one", "two"):
        loaded = loader.load_service_model(f"service-{name}", "service-2")
        assert loaded == {"metadata": {"of": f"Zürich {name}"}}


LOOKS = """
import sys
looked = []
def hook(event, arguments):
    if event in ("os.listdir", "os.scandir") and "botocore" in str(arguments[0]):
        looked.append(arguments[0])
from aqueduct_provider.storage.s3_client import S3Settings, client_for
import botocore.session
sys.addaudithook(hook)
client_for(S3Settings("bucket", region="eu-west-1", **eval(sys.argv[1])))
print(len(looked))
"""


@pytest.mark.parametrize("way", ["keys", "path", "text", "usual"])
def test_a_client_does_not_look_into_the_folders_of_all_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    text = "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"
    path = tmp_path / "credentials"
    path.write_text(text)
    given = {
        "keys": {"access_keys": ("a", "b")},
        "path": {"credentials_path": str(path)},
        "text": {"credentials_text": text},
        "usual": {},
    }[way]
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    done = subprocess.run(
        [sys.executable, "-c", LOOKS, repr(given)], capture_output=True, text=True, check=True, timeout=60
    )
    # botocore itself looks more than 800 times.
    assert 1 <= int(done.stdout) <= 20, done.stdout
