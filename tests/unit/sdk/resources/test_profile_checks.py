from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.profile import Profile
from aqueduct_provider.sdk.resources.profile_checks import as_text, filled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def profile(path: Path, text: str) -> Profile:
    path.write_text(text)
    path.chmod(0o600)
    return Profile.load(path, {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[stores]\n", "stores: unknown. Did you mean 'store'?"),
        ('[store]\nbuckt = "b"\n', "store.buckt: unknown. Did you mean 'bucket'?"),
        ("[store]\nbucket = 7\n", "store.bucket: must be text, in quotes."),
        ('[store]\nfolder = "data"\n', "store.folder: must begin with / or ~."),
        ("store = 7\n", "store: must be a table, under the heading [store]."),
        ("resources = 7\n", "resources: must be tables, under headings such as [resources.my_airflow]."),
        ("[resources]\na = 7\n", "resources.a: must be a table, under the heading [resources.a]."),
        ('[resources.a]\nhost = "h"\n', "resources.a.service: is missing. Write what"),
        ('[resources.a]\nservice = "x"\nsize = 80\n', "resources.a.size: must be text, in quotes, or a list"),
        (
            '[resources.a]\nservice = "x"\npassword = ["p"]\n',
            "resources.a.password: must be text, in quotes.",
        ),
        ('[resources.""]\nservice = "x"\n', "'' cannot name a resource"),
        ('[resources."a\\nb"]\nservice = "x"\n', r"'a\nb' cannot name a resource"),
    ],
)
def test_a_problem_is_named_with_file_and_key(path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        profile(path, text)
    assert str(raised.value).startswith(f"{path}: {problem}")


def test_all_problems_come_at_once_and_without_values(path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        profile(path, 'stor = 1\n[resources.a]\nservice = "x"\npassword = 12345\ntoken = 67890\n')
    assert str(raised.value).splitlines() == [
        f"{path} has 3 problems:",
        "  stor: unknown. Did you mean 'store'?",
        "  resources.a.password: must be text, in quotes.",
        "  resources.a.token: must be text, in quotes.",
    ]


def test_a_port_may_be_a_number(path: Path) -> None:
    known = profile(path, '[resources.a]\nservice = "Postgres"\nport = 5433\n')
    assert known.resource("a").fields["port"] == "5433"
    with pytest.raises(ConfigError, match=r"resources\.a\.port: must be text"):
        profile(path, '[resources.a]\nservice = "Postgres"\nport = true\n')


def test_what_counts_as_given() -> None:
    given = {"a": "", "b": None, "c": [], "d": {}, "e": Path("/x"), "f": ("y",), "g": 0, "h": "z"}
    assert filled(given) == {"e": "/x", "f": ["y"], "g": 0, "h": "z"}


def test_values_as_text() -> None:
    assert [as_text(value) for value in (["a", "b"], 7, "c", True)] == ["a,b", "7", "c", True]
