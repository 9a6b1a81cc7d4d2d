"""Requirement lines, read as pip reads them, and what is wrong with those that cannot be used."""

from __future__ import annotations

import codecs

import pytest

from aqueduct_provider.spec.requirement_lines import decoded, parsed, problem_of, requirement_lines

TEXT = "# näher\nnumpy\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        # As PowerShell writes "pip freeze > requirements.txt".
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
    ],
)
def test_files_in_the_encodings_that_pip_reads(data: bytes) -> None:
    assert decoded(data) == TEXT


def test_a_coding_line() -> None:
    text = "# -*- coding: latin-1 -*-\nnumpy # näher\n"
    assert decoded(text.encode("latin-1")) == text
    with pytest.raises(LookupError):
        decoded(b"# coding: no-such-code\nnumpy")
    with pytest.raises(UnicodeDecodeError):
        decoded(b"\xe4\xf6")


def test_comments_blank_lines_and_continued_lines() -> None:
    text = (
        "# our packages\r\n\r\n  pandas \\\r\n  ==2.2.3   # pinned\r\n"
        "tool @ https://example.com/tool.zip#sha256=12\n"
        'requests[socks] \\\n# the end of it \\\nhttpx\n\t\nnumpy; python_version<"3.12"\nrich\\'
    )
    assert list(requirement_lines(text.splitlines())) == [
        (3, "pandas   ==2.2.3"),
        (5, "tool @ https://example.com/tool.zip#sha256=12"),
        (6, "requests[socks]"),
        (8, "httpx"),
        (10, 'numpy; python_version<"3.12"'),
        (11, "rich"),
    ]


def test_lines_with_their_ends() -> None:
    assert list(requirement_lines(["pandas \\\r\n", "==2\n", "rich\n"])) == [(1, "pandas ==2"), (3, "rich")]


@pytest.mark.parametrize(
    "line",
    [
        "pandas",
        "pandas[excel]>=2,<3; python_version < '3.12'",
        "a @ https://example.org/a.whl",
        "a @ git+https://example.org/a.git@v1#subdirectory=b",
        "a @ git+ssh://git@example.org/a.git",
        "a @ ${WHEELS}/a.whl",
        "backports.tarfile",
    ],
)
def test_requirements(line: str) -> None:
    assert problem_of(line) == ""
    assert parsed(line)


LOCAL = [
    "numpy @ file:///croot/numpy_1701/dist/numpy-1.26.2-cp311-cp311-linux_x86_64.whl",
    "numpy @ FILE:///x/numpy.whl",
    "numpy@file:numpy.whl",
    "numpy @ git+file:///x/numpy",
    "numpy @ ./numpy.whl",
    "numpy @ ../numpy",
    "numpy @ /x/numpy.whl ; python_version > '3'",
    r"numpy @ C:\wheels\numpy.whl",
    r"numpy @ C:\my wheels\numpy.whl",
    "numpy @ wheels/numpy.whl",
    "file:///x/numpy.whl",
    "./numpy",
    "./numpy[extra]",
    ".",
    ".[extra]",
    "../numpy",
    "/x/numpy.whl",
    "~/numpy",
    "wheels/numpy",
    r"C:\wheels\numpy.whl",
    r"wheels\numpy.whl",
    "numpy-1.26.2-cp311-cp311-linux_x86_64.whl",
    "numpy-1.26.2.tar.gz",
]


@pytest.mark.parametrize("line", LOCAL)
def test_files_and_folders_of_one_machine(line: str) -> None:
    assert "which is on no worker; name a version, 'name==1.2'" in problem_of(line)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("numpy==2.0.0     --hash=sha256:aaaa", "uv export --no-hashes"),
        ("--require-hashes", "uv export --no-hashes"),
        ("-r other.txt", "put the lines of that file here"),
        ("-rother.txt", "put the lines of that file here"),
        ("--requirement=other.txt", "put the lines of that file here"),
        ("-c limits.txt", "write the versions into the requirements themselves"),
        ("--constraint limits.txt", "write the versions into the requirements themselves"),
        ("-e .", "your own modules are packed along with the function"),
        ("--editable ./pkg", "your own modules are packed along with the function"),
        ("--pre", "'name==2.0rc1'"),
        ("--index-url https://user:hunter2@example.com", "--index-url does not belong here, for the index"),
        ("-i https://example.com", "UV_DEFAULT_INDEX"),
        ("--extra-index-url=https://user:hunter2@example.com", "UV_INDEX"),
        ("--find-links ./wheels", "UV_FIND_LINKS"),
        ("-f ./wheels", "UV_FIND_LINKS"),
        ("--trusted-host example.com", "--trusted-host does not belong here, for the index"),
        ("--no-index", "set on Airflow's workers"),
        ("--only-binary :all:", "how packages are chosen and built is set on Airflow's workers"),
        ("numpy --global-option=x", "--global-option does not belong here, for how packages"),
        ("--use-feature=fast-deps", "--use-feature is an option of pip"),
        ("git+https://user:hunter2@example.org/a", "has no name; write 'name @ https://...'"),
        ("https://example.com/x.whl", "has no name"),
        ("numpy=1.26.2=py311_0", "single equals sign, as conda writes them"),
        ("pandas=2", "write 'name==1.2'"),
        ("pandas numpy", "is not a requirement; write 'name==1.2' or"),
        ("pandas\nnumpy", "is not a requirement"),
        ("==1", "is not a requirement"),
    ],
)
def test_every_other_line_gets_its_own_sentence(line: str, part: str) -> None:
    problem = problem_of(line)
    assert part in problem
    assert "hunter2" not in problem
    assert parsed(line) is None


def test_an_address_of_git_is_not_a_package_named_git() -> None:
    assert "has no name" in problem_of("git@example.com:org/x.git")
    assert problem_of("git @ https://example.com/x.whl") == ""
