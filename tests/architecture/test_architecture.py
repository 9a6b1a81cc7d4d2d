"""The rules of the house that a test can hold: layers, names, sizes, and what may be imported when."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aqueduct_provider

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "aqueduct_provider"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
MAX_LINES = 400
# Modules in which nothing runs.
PROTOCOLS = {"storage/object_store.py"}


def test_rooms_import_only_from_rooms_that_come_later() -> None:
    pytest.importorskip("importlinter")
    # In a process of its own: it disables all loggers that are there.
    command = [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "setup.cfg", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_public_names() -> None:
    assert aqueduct_provider.__all__ == ["AqueductHook", "AqueductOperator", "DagFactory", "__version__"]
    assert dir(aqueduct_provider) == sorted(aqueduct_provider.__all__)
    for name in aqueduct_provider.__all__:
        assert getattr(aqueduct_provider, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'DagFactry'"):
        aqueduct_provider.DagFactry  # noqa: B018


def test_provider_info_has_the_version_of_the_package() -> None:
    from aqueduct_provider.get_provider_info import get_provider_info

    assert get_provider_info()["versions"][0] == aqueduct_provider.__version__


@pytest.mark.parametrize(
    "module", [m for m in MODULES if str(m) not in PROTOCOLS and m.stem != "__init__"], ids=str
)
def test_every_module_has_tests_at_the_mirrored_path(module: Path) -> None:
    tests = ROOT / "tests" if module.parts[0] == "runner" else ROOT / "tests" / "unit"
    path = tests / module.parent / f"test_{module.stem.strip('_')}.py"
    assert path.is_file(), f"write {path.relative_to(ROOT)}"


def python_files() -> Iterator[Path]:
    for folder in ("aqueduct_provider", "benchmarks", "dags_example", "demo", "tests", "tools"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_files_are_short() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in python_files()}
    assert len(sizes) > len(MODULES)
    assert not {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > MAX_LINES}


@pytest.mark.parametrize("module", [m for m in MODULES if m.parent.parts], ids=str)
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse((PACKAGE / module).read_text()))


# --- what may be imported when


def loaded_by(code: str, *options: str) -> set[str]:
    """The top-level and the package's own modules that a new interpreter has after ``code``."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}; print(*sys.modules)"
    output = subprocess.check_output([sys.executable, *options, "-c", program], text=True)
    names = output.split()
    return {n if n.startswith("aqueduct_provider") else n.partition(".")[0] for n in names}


def test_the_runner_needs_nothing_but_the_standard_library() -> None:
    runner = [m.stem for m in MODULES if m.parts[0] == "runner" and m.name != "__init__.py"]
    assert {"contract", "codecs", "invoke", "__main__"} <= set(runner)
    imports = "; ".join(f"import aqueduct_provider.runner.{name}" for name in runner)
    # Without the user's site and the environment's packages: a third-party import fails.
    loaded = loaded_by(imports, "-I", "-S")
    ours = {name for name in loaded if name.startswith("aqueduct_provider")}
    assert ours - {"aqueduct_provider"} == {"aqueduct_provider.runner"} | {
        f"aqueduct_provider.runner.{name}" for name in runner
    }
    # Imported when it was built, the interpreter's own configuration is no part of that list.
    others = {name for name in loaded - ours if not name.startswith(("_sysconfigdata", "__main__"))}
    assert others <= sys.stdlib_module_names


def test_the_package_is_light_to_import() -> None:
    loaded = loaded_by("import aqueduct_provider")
    assert not loaded & {"airflow", "pydantic", "boto3", "botocore", "pandas", "cloudpickle"}
    assert {name for name in loaded if name.startswith("aqueduct_provider")} == {"aqueduct_provider"}


# What Airflow alone imports.
AIRFLOW_SIDE = {"bundles", "compat.py", "example_dags", "factory", "hooks", "operators", "spec_sources", "ui"}


def test_all_but_the_airflow_side_can_be_imported_without_airflow() -> None:
    modules = [m for m in MODULES if m.parts[0] not in AIRFLOW_SIDE and m.stem != "__main__"]
    names = [".".join(["aqueduct_provider", *m.with_suffix("").parts]) for m in modules]
    imports = "; ".join(f"import {name.removesuffix('.__init__')}" for name in names)
    assert "aqueduct_provider.cli.command" in loaded_by(f"sys.modules['airflow'] = None; {imports}")


def test_provider_info_imports_nothing() -> None:
    tree = ast.parse((PACKAGE / "get_provider_info.py").read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {ast.unparse(node) for node in imports} <= {
        "from __future__ import annotations",
        "from typing import Any",
    }


# --- what no file may hold

# Written in pieces, so that this file does not hold them itself.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"(?<![\w.~}-])/" + r"(?:root|work|Users)/[\w.]",
            "files.python" + r"hosted\.org",
            r"pypi\." + r"org/simple",
            r"--(?:extra-)?index" + r"-url[ =]https?://(?!\S*example)[\w-]+\.",
            r"--find" + r"-links[ =]https?://(?!\S*example)[\w-]+\.",
            "AKIA" + r"(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}",
        ]
    )
)


def committed_files() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_machine_an_index_or_a_key() -> None:
    files = committed_files()
    assert PACKAGE / "errors.py" in files
    found = []
    for path in files:
        text = path.read_bytes().decode(errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if FORBIDDEN.search(line) or str(ROOT) in line:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_the_rule_against_machine_paths_finds_one() -> None:
    assert FORBIDDEN.search("see /" + "root/.aws/credentials")
    assert FORBIDDEN.search("https://pypi." + "org/simple")
    assert not FORBIDDEN.search("~/.aws/credentials, s3://bucket/work/x, homework/y")
