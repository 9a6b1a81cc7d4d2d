from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.profile_file import config_path, read, write

COMMENTED = """\
# My settings
[store]
bucket = 'mine'  # the bucket of the team
region = "eu-west-1"

# The cluster of the institute
[resources.cluster]
service = "Airflow"
host = "old:8080"  # moved in May
python_versions = [ "3.10",
  "3.11" ]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aqueduct" / "config.toml"


def wrote(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


# --- which file


def test_the_file_is_the_one_named_else_the_one_at_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert config_path({}) == tmp_path / ".aqueduct" / "config.toml"
    assert config_path({"AQUEDUCT_CONFIG": ""}) == tmp_path / ".aqueduct" / "config.toml"
    assert config_path({"AQUEDUCT_CONFIG": "~/my.toml"}) == tmp_path / "my.toml"
    assert config_path({"AQUEDUCT_CONFIG": "here.toml"}) == tmp_path / "here.toml"


def test_a_home_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="this home folder does not exist"):
        config_path({"AQUEDUCT_CONFIG": "~no-such-user-here/config.toml"})


# --- reading


def test_no_file_is_no_data(path: Path) -> None:
    assert read(path) == {}
    assert not path.parent.exists()


def test_plain_data_comes_back(path: Path) -> None:
    data = read(wrote(path, COMMENTED))
    assert data["store"] == {"bucket": "mine", "region": "eu-west-1"}
    assert type(data["resources"]["cluster"]["python_versions"]) is list


def test_a_byte_order_mark_is_no_error(path: Path) -> None:
    assert read(wrote(path, b"\xef\xbb\xbf[store]\n")) == {"store": {}}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[store]\nbucket = sec'ret", "line 2"),
        ("a = 1\na = 2\n", "line 2"),
        ("[store]\n[store]\n", "line 2"),
        ("[store", "line 1"),
    ],
)
def test_what_is_no_toml_is_named_by_its_line(path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(wrote(path, text))
    assert str(raised.value).startswith(f"{path}, {place}: this is not valid TOML")
    assert "sec" not in str(raised.value).removeprefix(str(path))


def test_what_is_no_text_is_named_by_its_line(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml, line 3: this is not valid UTF-8"):
        read(wrote(path, b"[store]\n\nbucket = '\xff'\n"))


def test_deep_nesting_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(ConfigError, match="this is not valid TOML"):
        read(wrote(path, "a = " + "[" * 10_000))


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_file_that_others_read_is_warned_of_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrote(path, COMMENTED, mode=0o644)
    data = read(path)
    read(path)
    assert [(record.name, record.levelname) for record in caplog.records] == [("aqueduct", "WARNING")]
    assert f"{path} may hold passwords" in caplog.text
    assert f"(mode 0644). Run: chmod 600 {path}" in caplog.text
    write(path, data)
    assert mode_of(path) == 0o600


def test_a_file_of_ones_own_is_not_warned_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(wrote(path, COMMENTED))
    assert not caplog.records


# --- writing


def test_only_the_owner_gets_at_a_new_file(path: Path) -> None:
    write(path, {"store": {"bucket": "b"}})
    assert path.read_text() == '[store]\nbucket = "b"\n'
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_there_keeps_its_mode(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    write(path, {})
    assert mode_of(path.parent) == 0o755


def test_comments_and_forms_are_kept(path: Path) -> None:
    data = read(wrote(path, COMMENTED))
    data["resources"]["cluster"]["host"] = "new:8080"
    data["resources"]["cluster"]["username"] = "me"
    write(path, data)
    assert path.read_text() == COMMENTED.replace("old:", "new:") + 'username = "me"\n'


def test_what_is_left_out_goes(path: Path) -> None:
    data = read(wrote(path, COMMENTED))
    del data["resources"], data["store"]["region"]
    write(path, data)
    assert read(path) == {"store": {"bucket": "mine"}}
    assert "# the bucket of the team" in path.read_text()


SCATTERED = (
    "[resources.a]\nservice = 'x'\n\n[store]\nbucket = 'b'\n\n[resources.b]  # second\nservice = 'y'\n"
)


@pytest.mark.parametrize(
    "text",
    [
        COMMENTED,
        SCATTERED,
        "resources = {a = {service = 'x'}}\n",
        "store.bucket = 'b'\n",
        "[resources]\na.service = 'x'\n",
        "[resources]\n[resources.a]\nservice = 'x'",
        "[resources]\n",
    ],
)
def test_every_way_of_writing_tables_takes_a_new_one(path: Path, text: str) -> None:
    data = read(wrote(path, text))
    data.setdefault("resources", {})["new one"] = {"service": "Airflow", "host": "h", "list": ["a", "b"]}
    write(path, data)
    assert read(path) == data


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_scattered_table_can_be_changed_and_removed(path: Path, name: str) -> None:
    data = read(wrote(path, SCATTERED))
    data["resources"][name] |= {"service": "z", "host": "h"}
    write(path, data)
    assert read(path) == data
    assert "# second" in path.read_text()
    del data["resources"][name]
    write(path, data)
    assert read(path) == data


def test_a_form_that_cannot_be_changed_is_left_alone(path: Path) -> None:
    text = "resources.a.service = 'x'\nresources.a.host = 'y'\n"
    data = read(wrote(path, text))
    data["resources"]["b"] = {"service": "Airflow", "host": "h"}
    with pytest.raises(ConfigError, match="under a heading of its own"):
        write(path, data)
    assert path.read_text() == text


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
tables: st.SearchStrategy[dict[str, Any]] = st.dictionaries(texts, texts, min_size=1, max_size=3)
resources = st.dictionaries(texts, tables, min_size=1, max_size=4)


@settings(deadline=None)
@given(first=resources, second=resources)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any], second: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-text.toml"
    path.unlink(missing_ok=True)
    for data in (first, second):
        write(path, {"store": {"bucket": "b"}, "resources": data})
        assert read(path)["resources"] == data


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    target = wrote(tmp_path / "dotfiles.toml", COMMENTED)
    path.parent.mkdir()
    path.symlink_to(target)
    write(path, {"store": {"bucket": "b"}})
    assert path.is_symlink()
    assert read(target) == {"store": {"bucket": "b"}}


def test_a_device_is_not_replaced() -> None:
    assert read(Path(os.devnull)) == {}
    with pytest.raises(ConfigError, match="not a regular file"):
        write(Path(os.devnull), {"store": {"bucket": "b"}})


def test_what_cannot_be_written(tmp_path: Path) -> None:
    wrote(tmp_path / "file", "")
    with pytest.raises(ConfigError, match="Not a directory"):
        write(tmp_path / "file" / "config.toml", {"store": {}})


def test_a_write_that_fails_leaves_the_file(
    path: Path, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wrote(path, COMMENTED)
    mocker.patch("os.fsync", side_effect=OSError(28, "No space left on device"))
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        write(path, {"store": {"bucket": "b"}})
    assert path.read_text() == COMMENTED
    assert [found.name for found in path.parent.iterdir()] == [path.name]
