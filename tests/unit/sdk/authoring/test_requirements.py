"""Which packages a function needs."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, RequirementsMissing
from aqueduct_provider.sdk.authoring.requirements import requirements_of
from tests.support.function_archives import function_in, function_of_a_notebook

# --- where from


def test_the_file_beside_the_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = function_in(tmp_path / "project")
    (tmp_path / "project" / "requirements.txt").write_text("pandas==2.2.3\n")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    monkeypatch.chdir(tmp_path)
    assert requirements_of(None, function) == ("pandas==2.2.3",)


def test_functions_of_a_notebook_have_that_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n")
    monkeypatch.chdir(tmp_path)
    assert requirements_of(None, function_of_a_notebook()) == ("numpy",)


def test_nothing_says_it(tmp_path: Path) -> None:
    with pytest.raises(RequirementsMissing) as caught:
        requirements_of(None, function_in(tmp_path))
    message = str(caught.value)
    assert "'churn'" in message
    for cure in ('requirements=["pandas==2.2.3"]', "requirements=[]", f"requirements.txt into {tmp_path}"):
        assert cure in message


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_path: Callable[[Any], Any]) -> None:
    function = function_in(tmp_path / "project")
    (tmp_path / "project" / "gpu.txt").write_text("torch\n")
    monkeypatch.chdir(tmp_path)
    assert requirements_of(as_path("gpu.txt"), function) == ("torch",)
    assert requirements_of(as_path(tmp_path / "project" / "gpu.txt"), function) == ("torch",)
    (tmp_path / "gpu.txt").write_text("jax\n")
    assert requirements_of(as_path("gpu.txt"), function) == ("jax",)


def test_a_path_that_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = function_in(tmp_path / "project")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequirementsMissing) as caught:
        requirements_of("gpu.txt", function)
    for part in ("'gpu.txt'", "'churn'", f"in {tmp_path} or {tmp_path / 'project'}."):
        assert part in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AuthoringError, match=r"requirements\.txt cannot be read as text in UTF-8"):
        requirements_of(None, function_in(tmp_path))


def test_lines() -> None:
    given = ["pandas==2.2.3", "", "# for models", "scikit-learn>=1  # newest", "pandas==2.2.3"]
    assert requirements_of(given, len) == ("pandas==2.2.3", "scikit-learn>=1")
    assert requirements_of([], len) == ()


# --- what a line may be


def test_a_file_is_read_as_pip_does(tmp_path: Path) -> None:
    text = (
        "\ufeff# our packages\r\n\r\n  pandas \\\n  ==2.2.3   # pinned\n"
        "tool @ https://example.com/tool.zip#sha256=12\n"
        'numpy<2; python_version < "3.12"\nrequests[socks] \\\n# the end of it \\\nhttpx\nrich\\'
    )
    (tmp_path / "requirements.txt").write_text(text, "utf-8")
    assert requirements_of(None, function_in(tmp_path)) == (
        "pandas   ==2.2.3",
        "tool @ https://example.com/tool.zip#sha256=12",
        'numpy<2; python_version < "3.12"',
        "requests[socks]",
        "httpx",
        "rich",
    )


def test_what_powershell_writes(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("pandas==2.2.3\r\nrich\r\n".encode("utf-16"))
    assert requirements_of(None, function_in(tmp_path)) == ("pandas==2.2.3", "rich")


def test_lines_as_they_are_read_from_a_file() -> None:
    assert requirements_of(["pandas \\\n", "  ==2.2.3\n", "rich\n"], len) == ("pandas   ==2.2.3", "rich")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-r other.txt", "put the lines of that file here"),
        ("-c limits.txt", "write the versions into the requirements themselves"),
        ("-e .", "your own modules are packed along with the function"),
        ("--pre", "name the pre-release itself"),
        (
            "--index-url https://user:pass@example.com/simple",
            "--index-url does not belong here, for the index",
        ),
        (
            "--extra-index-url=https://user:pass@example.com/simple",
            "the index that packages come from is set",
        ),
        ("pandas==2.2.3 --hash=sha256:abc", "uv export --no-hashes"),
        ("pandas @ file:///croot/pandas.whl", "is on no worker"),
        ("pandas @ ./pandas.whl", "is on no worker"),
    ],
)
def test_options_of_pip_and_local_files(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"numpy\n\n{line}\n")
    with pytest.raises(AuthoringError) as caught:
        requirements_of(None, function_in(tmp_path))
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert problem in str(caught.value)
    assert "user:pass" not in str(caught.value)


def test_a_locked_file_with_hashes(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "numpy==2.0.0 \\\n    --hash=sha256:aaaa \\\n    --hash=sha256:bb\n"
    )
    with pytest.raises(AuthoringError, match=r"line 1: .* hashes of packages .* 'uv export --no-hashes'"):
        requirements_of(None, function_in(tmp_path))


def test_what_contradicts_itself() -> None:
    with pytest.raises(AuthoringError) as caught:
        requirements_of(["rich", "NumPy==1.0", "numpy[x]==2.0"], function_of_a_notebook())
    assert str(caught.value) == (
        "requirements of 'churn', entry 2 and entry 3: 'NumPy==1.0' and 'numpy[x]==2.0' contradict each "
        "other, for an environment has one version of numpy; keep one of them."
    )
    with pytest.raises(AuthoringError, match=r"entry 1: no version of numpy can be 'numpy>2,<1'"):
        requirements_of(["numpy>2,<1"], len)


def test_pins_for_different_pythons_and_systems_do_not() -> None:
    lines = ["numpy==1.0; python_version<'3.9'", "numpy==2.0", "numpy==3.0; sys_platform=='win32'"]
    assert requirements_of(lines, len) == tuple(lines)


def test_the_line_of_what_is_continued_is_its_first(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\npandas \\\n  = 2 \\\n  \nrich\n")
    with pytest.raises(AuthoringError, match="line 2: "):
        requirements_of(None, function_in(tmp_path))


@pytest.mark.parametrize(
    "line", ["pandas=2", "./wheels/x.whl", "https://example.com/x.whl", "pandas\nnumpy", "==1", "a b"]
)
def test_what_is_no_requirement(line: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        requirements_of(["numpy", line], function_of_a_notebook())
    assert str(caught.value).startswith(f"requirements of 'churn', entry 2: {line!r} ")


def test_credentials_are_not_shown() -> None:
    line = "tool https://jane:s3cret@example.com/tool.zip?token=t0ken"
    with pytest.raises(AuthoringError) as caught:
        requirements_of([line], len)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert "'tool https://***@example.com/tool.zip?***'" in shown
    assert not [secret for secret in ("jane", "s3cret", "t0ken") if secret in shown]
