from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import null

from aqueduct_provider.errors import ConfigError, CredentialsError, NotFound
from aqueduct_provider.sdk.resources.profile import Profile, ResourceProfile, StoreProfile, variable_of
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.s3 import S3Store
from tests.support.keyrings import MemoryKeyring, selected

CLUSTER = {"host": "airflow.example.com:8080", "username": "me", "password": "s3cret"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    with selected(null.Keyring()):
        yield


@pytest.fixture
def memory(no_keyring: None) -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with selected(backend):
        yield backend


def profile(path: Path, text: str = "", environ: dict[str, str] | None = None, **overrides: Any) -> Profile:
    if text:
        path.write_text(text)
        path.chmod(0o600)
    return Profile.load(path, environ or {}, overrides)


def resources(known: Profile) -> dict[str, ResourceProfile]:
    return {name: known.resource(name) for name in known.services()}


# --- which file


def test_a_missing_file_is_an_empty_profile(path: Path) -> None:
    assert resources(profile(path)) == {}
    assert not path.exists()


def test_the_file_of_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path.write_text('[store]\nbucket = "named"\n')
    assert Profile.load(environ={"AQUEDUCT_CONFIG": str(path)}).store.bucket == "named"
    other = tmp_path / "other.toml"
    assert Profile.load(other, {"AQUEDUCT_CONFIG": str(path)}).path == other
    monkeypatch.setenv("AQUEDUCT_CONFIG", str(other))
    monkeypatch.setenv("AQUEDUCT_BUCKET", "of-the-process")
    assert Profile.load().path == other
    assert Profile.load().store.bucket == "of-the-process"


# --- the store

FILE = '[store]\nbucket = "filed"\nregion = "eu-west-1"\nroot_dir = "filed"\ncredentials_profile = "filed"\n'


def test_arguments_beat_variables_beat_the_file(path: Path) -> None:
    environ = {"AQUEDUCT_REGION": "eu-west-2", "AQUEDUCT_ROOT_DIR": "env", "AQUEDUCT_CREDENTIALS_PATH": ""}
    assert profile(path, FILE, environ, root_dir="given", bucket="", endpoint_url=None).store == StoreProfile(
        bucket="filed", region="eu-west-2", root_dir="given", credentials_profile="filed"
    )


def test_every_field_has_its_variable(path: Path) -> None:
    names = ("bucket", "region", "root_dir", "endpoint_url", "credentials_path", "credentials_profile")
    environ = {f"AQUEDUCT_{name.upper()}": f"of {name}" for name in names}
    assert profile(path, FILE, environ).store == StoreProfile(*(f"of {name}" for name in names))
    assert profile(path, "", {"AQUEDUCT_FOLDER": "/data"}).store == StoreProfile(folder="/data")


def test_the_highest_place_decides_between_bucket_and_folder(path: Path) -> None:
    assert profile(path, FILE, {"AQUEDUCT_FOLDER": "/data"}).store == StoreProfile(folder="/data")
    assert profile(path, FILE, folder=Path("/data")).store == StoreProfile(folder="/data")
    in_file = '[store]\nfolder = "/data"\nregion = "eu-west-1"\n'
    assert profile(path, in_file, bucket="b").store == StoreProfile("b", region="eu-west-1")


def test_without_a_store_the_three_ways_are_named(path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        profile(path, '[store]\nregion = "eu-west-1"\n').store  # noqa: B018
    for way in ("aq.Client(bucket=", "AQUEDUCT_BUCKET", f"under [store] in {path}"):
        assert way in str(raised.value)


@pytest.mark.parametrize(
    ("use", "place"),
    [
        (lambda path: profile(path, bucket="b", folder="f"), "The client's arguments, or the options"),
        (lambda path: profile(path, "", {"AQUEDUCT_BUCKET": "b", "AQUEDUCT_FOLDER": "f"}), "The environment"),
        (lambda path: profile(path, '[store]\nbucket = "b"\nfolder = "/f"\n'), "config.toml"),
    ],
)
def test_a_bucket_and_a_folder_are_too_many(path: Path, use: Any, place: str) -> None:
    with pytest.raises(ConfigError, match=f"{place}: the artifact store has both a bucket and a folder"):
        use(path).store  # noqa: B018


def test_wrong_arguments(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The artifact store: buckt: unknown. Did you mean 'bucket'\?"):
        profile(path, buckt="b")
    with pytest.raises(ConfigError, match="The artifact store: region: must be text"):
        profile(path, region=7)


def test_connecting_to_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = StoreProfile(folder="~/store").connect()
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "store"
    monkeypatch.chdir(tmp_path)
    assert StoreProfile(folder="here").connect().url("a") == (tmp_path / "here" / "a").as_uri()


def test_connecting_to_a_bucket(bucket: str, s3_server: str, credentials_file: Path) -> None:
    store = StoreProfile(
        f"s3://{bucket}/a", "us-east-1", "b", s3_server, str(credentials_file), "research"
    ).connect()
    assert isinstance(store, S3Store)
    store.put("key", b"data")
    assert store.url("key") == f"s3://{bucket}/a/b/key"
    assert store.get("key") == b"data"


def test_a_credentials_file_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"/none does not exist on this machine\. Correct"):
        StoreProfile("bucket", credentials_path=str(tmp_path / "none")).connect()


# --- resources


def test_a_saved_resource_comes_back(path: Path) -> None:
    saved = profile(path, '# mine\n[store]\nbucket = "b"  # ours\n')
    given = ResourceProfile(
        "my cluster", "Airflow", {**CLUSTER, "python_versions": ("3.10", "3.11"), "ca_file": ""}
    )
    assert saved.save_resource(given) == str(path)
    fields = {**CLUSTER, "python_versions": "3.10,3.11"}
    expected = {"my cluster": ResourceProfile("my cluster", "Airflow", fields)}
    assert resources(saved) == resources(profile(path)) == expected
    assert path.read_text() == (
        '# mine\n[store]\nbucket = "b"  # ours\n\n[resources."my cluster"]\nservice = "Airflow"\n'
        'host = "airflow.example.com:8080"\nusername = "me"\npassword = "s3cret"\n'
        'python_versions = ["3.10", "3.11"]\n'
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_resource_by_its_name(path: Path) -> None:
    known = profile(path)
    known.save_resource(ResourceProfile("a", "Airflow", CLUSTER))
    known.save_resource(ResourceProfile("b", "S3", {"bucket": "x", "connection_id": "lake"}))
    assert known.resource("a") == ResourceProfile("a", "Airflow", CLUSTER)
    assert known.services() == {"a": "Airflow", "b": "S3"}
    assert known.connections() == {"b": "lake"}
    with pytest.raises(NotFound, match=r"No resource is named 'c'. There are: 'a', 'b'. Connect it with "):
        known.resource("c")


def test_saving_what_was_read_changes_nothing(path: Path) -> None:
    text = (
        '[resources.a]  # first\nservice = "Airflow"\nhost = "h"\nuser_of_later = "x"  # kept\n'
        'python_versions = [ "3.10",\n  "3.11" ]\n'
    )
    known = profile(path, text)
    assert known.save_resource(resources(known)["a"]) == ""
    assert path.read_text() == text


def test_saving_sees_what_others_wrote_since(path: Path) -> None:
    first, second = profile(path), profile(path)
    first.save_resource(ResourceProfile("a", "Airflow", {"host": "h"}))
    second.save_resource(ResourceProfile("b", "Airflow", {"host": "h"}))
    assert set(resources(second)) == {"a", "b"}


def test_names_are_any_text(path: Path) -> None:
    name = 'Müllers "Cluster" no. 1: a\\b\'s 💧'
    profile(path).save_resource(ResourceProfile(name, "Airflow", {"host": "h"}))
    assert list(resources(profile(path))) == [name]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x7f", "\ud800", 7])
def test_names_that_are_none(path: Path, name: Any) -> None:
    with pytest.raises(ConfigError, match="cannot name a resource"):
        profile(path).save_resource(ResourceProfile(name, "Airflow", {"host": "h"}))
    assert not path.exists()


def test_wrong_fields_are_not_saved(path: Path, memory: MemoryKeyring) -> None:
    with pytest.raises(ConfigError, match=r"The resource 'a': its configuration.size: must be text"):
        profile(path).save_resource(ResourceProfile("a", "Airflow", {"size": 80, "password": "s3cret"}))
    assert not path.exists()
    assert memory.kept == {}


def test_deleting_a_resource(path: Path) -> None:
    known = profile(
        path, '[store]\nbucket = "b"\n[resources.a]\nservice = "x"\n[resources.b]\nservice = "x"\n'
    )
    known.delete_resource("a")
    assert list(resources(known)) == list(resources(profile(path))) == ["b"]
    known.delete_resource("b")
    assert resources(profile(path)) == {}
    assert path.read_text() == '[store]\nbucket = "b"\n'


def test_deleting_what_is_not_there(path: Path) -> None:
    known = profile(path, '[resources.cluster]\nservice = "x"\n')
    with pytest.raises(NotFound, match=r"has no resource 'clustr'. Did you mean 'cluster'\?"):
        known.delete_resource("clustr")


# --- secrets


def test_secrets_go_to_the_keyring(path: Path, memory: MemoryKeyring) -> None:
    known = profile(path)
    assert known.save_resource(ResourceProfile("a", "Airflow", CLUSTER)) == "the system keyring"
    assert "s3cret" not in path.read_text()
    assert memory.kept == {("aqueduct", f"{path}:a:password"): "s3cret"}
    assert resources(known)["a"].fields == CLUSTER
    known.save_resource(ResourceProfile("a", "Airflow", {"host": "h", "token": "t0ken"}))
    assert resources(known)["a"].fields == {"host": "h", "token": "t0ken"}
    known.delete_resource("a")
    assert memory.kept == {}


def test_a_keyring_that_comes_later_takes_the_secret_out_of_the_file(path: Path) -> None:
    profile(path).save_resource(ResourceProfile("a", "Airflow", CLUSTER))
    assert "s3cret" in path.read_text()
    backend = MemoryKeyring()
    with selected(backend):
        known = profile(path)
        known.save_resource(resources(known)["a"])
        assert "s3cret" not in path.read_text()
        assert resources(profile(path))["a"].fields == CLUSTER


def test_a_locked_keyring_leaves_the_secret_to_the_file(
    path: Path, memory: MemoryKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    memory.locked = True
    assert profile(path).save_resource(ResourceProfile("a", "Airflow", CLUSTER)) == str(path)
    assert resources(profile(path))["a"].fields == CLUSTER
    assert f"It goes to {path} instead" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_secret_written_by_hand_beats_all_of_the_keyring(path: Path, memory: MemoryKeyring) -> None:
    profile(path).save_resource(ResourceProfile("a", "Airflow", CLUSTER))
    text = path.read_text() + 'token = "by hand"\n'
    assert resources(profile(path, text))["a"].fields == {
        "host": CLUSTER["host"],
        "username": "me",
        "token": "by hand",
    }


def test_variables_beat_file_and_keyring(path: Path, memory: MemoryKeyring) -> None:
    profile(path).save_resource(ResourceProfile("my-cluster 2", "Airflow", CLUSTER))
    environ = {"AQUEDUCT_MY_CLUSTER_2_HOST": "ci:8080", "AQUEDUCT_MY_CLUSTER_2_USERNAME": "ci"}
    fields = resources(profile(path, "", environ))["my-cluster 2"].fields
    assert fields == {"host": "ci:8080", "username": "ci", "password": "s3cret"}
    environ = {"AQUEDUCT_MY_CLUSTER_2_TOKEN": "t0ken", "AQUEDUCT_MY_CLUSTER_2_PASSWORD": ""}
    fields = resources(profile(path, "", environ))["my-cluster 2"].fields
    assert fields == {"host": CLUSTER["host"], "username": "me", "token": "t0ken"}


WAREHOUSE = {"host": "db", "database": "shop", "username": "me", "password": "s3cret", "connection_id": "wh"}


def test_each_service_has_its_own_secrets(path: Path, memory: MemoryKeyring) -> None:
    known = profile(path)
    known.save_resource(
        ResourceProfile("docs", "MongoDB", {"auth_uri": "mongodb://me:s3cret@h", "database": "d"})
    )
    known.save_resource(ResourceProfile("lake", "S3", {"bucket": "b", "secret_access_key": "s3cret"}))
    known.save_resource(ResourceProfile("big", "bigquery", {"service_account_credentials": "s3cret"}))
    assert sorted(key.rpartition(":")[2] for _, key in memory.kept) == [
        "auth_uri",
        "secret_access_key",
        "service_account_credentials",
    ]
    assert "s3cret" not in path.read_text()
    assert known.resource("docs").fields == {"auth_uri": "mongodb://me:s3cret@h", "database": "d"}
    # A resource of another service leaves nothing of the one before.
    known.save_resource(ResourceProfile("docs", "SQLite", {"database": "/d"}))
    for name in ("lake", "big"):
        known.delete_resource(name)
    assert memory.kept == {}


def test_every_field_of_a_data_system_has_its_variable(path: Path, memory: MemoryKeyring) -> None:
    profile(path).save_resource(ResourceProfile("wh", "Postgres", WAREHOUSE))
    environ = {"AQUEDUCT_WH_DATABASE": "test", "AQUEDUCT_WH_PORT": "5433", "AQUEDUCT_WH_CONNECTION_ID": "ci"}
    known = profile(path, "", environ)
    assert known.resource("wh").fields == {
        **WAREHOUSE,
        "database": "test",
        "port": "5433",
        "connection_id": "ci",
    }
    assert known.connections() == {"wh": "ci"}


def test_a_url_in_a_variable_replaces_all_but_the_connection(path: Path, memory: MemoryKeyring) -> None:
    profile(path).save_resource(ResourceProfile("wh", "Postgres", WAREHOUSE))
    known = profile(path, "", {"AQUEDUCT_WH_URL": "postgresql://ci@h/d"})
    assert known.resource("wh").fields == {"url": "postgresql://ci@h/d", "connection_id": "wh"}
    environ = {"AQUEDUCT_WH_URL": "postgresql://ci@h/d", "AQUEDUCT_WH_PASSWORD": "other"}
    assert profile(path, "", environ).resource("wh").fields["password"] == "other"


def test_names_of_variables() -> None:
    assert variable_of("my-cluster.é 1", "password") == "AQUEDUCT_MY_CLUSTER___1_PASSWORD"


def test_what_another_program_wrote_is_read_again(path: Path) -> None:
    known = profile(path, '[store]\nbucket = "one"\n')
    assert not known.reload()
    path.write_text('[store]\nbucket = "two"\n')
    assert known.store.bucket == "one"
    assert known.reload()
    assert known.store.bucket == "two"
    path.write_text("[store")
    with pytest.raises(ConfigError, match="not valid TOML"):
        known.reload()


def test_no_secret_is_shown(path: Path) -> None:
    resource = ResourceProfile("a", "Airflow", CLUSTER)
    known = profile(path, "", {"AQUEDUCT_A_TOKEN": "s3cret"})
    known.save_resource(resource)
    for shown in (resource, known, resources(known)):
        assert "s3cret" not in f"{shown} {shown!r}"
    assert repr(known) == f"Profile('{path}')"
