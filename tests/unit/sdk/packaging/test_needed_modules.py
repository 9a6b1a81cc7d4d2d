from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.authoring import presets
from aqueduct_provider.sdk.packaging.distributions import coverage
from aqueduct_provider.sdk.packaging.needed_modules import Supply, check_needed_modules
from aqueduct_provider.sdk.packaging.pickling import pickled
from tests.support.installed_distributions import install
from tests.support.user_projects import Project, Refused

OURS = "not installed where operators run. Use only plain functions and values in it, and take what else"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    project.write("helpers.py", "def twice(x): return 2 * x\n")
    return project


def refusal(project: Project, script: str, call: str = "train", **options: tuple[str, ...]) -> str:
    with pytest.raises(Refused) as raised:
        project.package(script, call, name="train", **options)  # type: ignore[arg-type]
    return str(raised.value)


# --- packages


def test_every_package_that_is_missing_is_named_at_once(project: Project) -> None:
    script = """
        import packaging.version
        import pytest

        def train():
            import pygments.lexers
            return packaging.version.Version("1"), pytest.__version__
    """
    lines = refusal(project, script).splitlines()
    assert lines[0] == "'train' needs modules that no worker would have:"
    assert sorted(line.split("'")[1] for line in lines[1:]) == ["packaging", "pygments", "pytest"]
    assert all("which its requirements do not name. Add '" in line for line in lines[1:])
    # pytest requires both others.
    assert project.package(script, "train", requirements=("PyTest",))


def test_the_requirement_to_add_is_the_installed_version(project: Project) -> None:
    from importlib.metadata import version

    text = refusal(project, "import yaml\ndef train(): return yaml.dump")
    found = version("PyYAML")
    assert text == (
        f"'train' needs the module 'yaml' (package pyyaml {found}), which its requirements do not name. Add "
        f"'pyyaml=={found}' to requirements=[...]."
    )


def test_a_requirement_whose_marker_excludes_the_workers_brings_nothing(project: Project) -> None:
    script = "import yaml\ndef train(): return yaml.dump"
    for marker in ("sys_platform == 'win32'", "python_version < '3.8'"):
        text = refusal(project, script, requirements=(f"PyYAML; {marker}",))
        assert f"""but "PyYAML; {marker}" installs nothing where it runs, on Linux with Python 3.""" in text
        assert "Correct the marker" in text
    assert project.package(script, "train", requirements=("pyyaml; sys_platform == 'linux'",))
    assert project.package(script, "train", requirements=("pyyaml; sys_platform == 'win32'", "pyyaml"))


def test_requirements_of_which_none_is_installed_there(project: Project) -> None:
    script = "def train(): return 1"
    text = refusal(project, script, requirements=("pyyaml; sys_platform == 'win32'",))
    assert text.startswith(
        "None of the requirements of 'train' is installed where it runs, on Linux with Python"
    )
    # As tools write them that lock for all systems.
    assert project.package(script, "train", requirements=("pywin32; sys_platform == 'win32'", "pyyaml"))


def test_a_package_of_a_function_or_class_alone(project: Project) -> None:
    for script in (
        "from yaml import dump\ndef train(): return dump",
        "from yaml import YAMLObject\nclass A(YAMLObject): pass\ndef train(): return A",
        "from yaml import YAMLObject\ndef train(x: YAMLObject): return x",
        "from yaml import dump as train",
    ):
        assert "needs the module 'yaml'" in refusal(project, script)


def test_imports_that_may_fail_are_not_looked_at(project: Project) -> None:
    script = """
        def train():
            try:
                import yaml
            except ImportError:
                yaml = None
            import no_such_module_here
    """
    assert project.package(script, "train")


def test_a_function_that_a_library_made_is_not_looked_into(project: Project) -> None:
    site = project.folder.parent / "site"
    install(site, "acme", files=("acme.py",))
    (site / "acme.py").write_text("def made():\n    def inner():\n        import yaml\n    return inner\n")
    script = "import acme\ninner = acme.made()\ndef train(): return inner"
    assert project.package(script, "train", requirements=("acme",), PYTHONPATH=str(site))


def test_a_requirement_that_is_not_installed_here_is_believed(project: Project) -> None:
    site = project.folder.parent / "site"
    # Without metadata, as some systems install.
    (site / "site-packages").mkdir(parents=True)
    (site / "site-packages/ownmodule.py").write_text("x = 3\n")
    script = "import ownmodule\ndef train(): return ownmodule.x"
    path = str(site / "site-packages")
    assert project.package(script, "train", requirements=("own-package",), PYTHONPATH=path)
    assert project.package(script, "train", requirements=("ownmodule",), PYTHONPATH=path)
    text = refusal(project, script, PYTHONPATH=path)  # type: ignore[arg-type]
    assert "needs the module 'ownmodule', which belongs to no installed package. Install" in text


def test_a_module_that_travels_whole_may_need_more_than_the_function(project: Project) -> None:
    project.write("helpers.py", "import yaml\ndef twice(x): return 2 * x\ndef other(): return yaml.dump\n")
    text = refusal(project, "import helpers\ndef train(x): return helpers.twice(x)")
    assert "or, where only other parts of 'helpers' need it, write 'from helpers import ...'" in text
    made = project.package("from helpers import twice\ndef train(x): return twice(x)", "train")
    assert project.run(made, 4) == 8


# --- local modules


def test_a_local_import_in_the_body_is_refused(project: Project) -> None:
    script = "def train(x):\n    from helpers import twice\n    return twice(x)"
    assert refusal(project, script) == (
        "'train' needs the local module 'helpers', which 'train' imports while it runs. Import 'helpers' at "
        "the top of the module, so that it is taken along, or name its file in file_dependencies=[...]."
    )
    assert project.run(project.package(script, "train", files=("helpers.py",)), 4) == 8


def test_so_is_one_in_the_body_of_a_function_that_it_calls(project: Project) -> None:
    project.write("pkg/__init__.py", "")
    project.write("pkg/one.py", "def first(x):\n    from .two import second\n    return second(x)\n")
    project.write("pkg/two.py", "def second(x): return x + 1\n")
    script = "from pkg.one import first\ndef train(x): return first(x)"
    assert "needs the local module 'pkg.two', which 'first' imports while it runs" in refusal(project, script)
    assert project.run(project.package(script, "train", files=("pkg",)), 4) == 5
    assert "'pkg.two'" in refusal(project, script, files=("pkg/one.py",))


def test_what_files_import_is_looked_at_too(project: Project) -> None:
    project.write("first.py", "import second\nimport yaml\nx = second.x\n")
    project.write("second.py", "import json\nx = 3\n")
    script = "import first\ndef train(): return first.x"
    lines = refusal(project, script, files=("first.py",)).splitlines()[1:]
    assert lines[0] == (
        "- the local module 'second', which 'first.py' imports. Name its file in file_dependencies=[...]."
    )
    assert lines[1].startswith("- the module 'yaml' (package pyyaml")
    assert (
        project.run(
            project.package(script, "train", files=("first.py", "second.py"), requirements=("pyyaml",))
        )
        == 3
    )


def test_what_can_only_be_pickled_by_name(project: Project) -> None:
    project.write("single.py", "class Only:\n    def __reduce__(self): return 'ONLY'\nONLY = Only()\n")
    script = "from single import ONLY\ndef train(): return ONLY"
    assert refusal(project, script) == (
        "'train' needs the local module 'single', of which something cannot be taken into a pickle. Name its "
        "file in file_dependencies=[...]."
    )
    assert project.package("import single\ndef train(): return single.ONLY", "train", files=("single.py",))
    script = "class Only:\n    def __reduce__(self): return 'ONLY'\nONLY = Only()\ndef train(): return ONLY"
    assert "needs something of the script itself that can only be pickled by its name" in refusal(
        project, script
    )


def test_an_editable_install_that_is_required_is_imported(project: Project) -> None:
    site, src = project.folder.parent / "site", project.folder / "src"
    project.write("src/acme/__init__.py", "def twice(x): return 2 * x\n")
    install(site, "acme-tools", files=("_acme_tools.pth",))
    (site / "_acme_tools.pth").write_text(f"{src}\n")
    script = "from acme import twice\ndef train(x): return twice(x)"
    path = {"PYTHONPATH": f"{site}:{src}"}
    assert project.run(project.package(script, "train", **path), 3) == 6  # type: ignore[arg-type]
    made = project.package(script, "train", requirements=("acme-tools",), **path)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="No module named 'acme'"):
        project.run(made, 3)


# --- this package


def test_this_package_is_not_there_on_workers(project: Project) -> None:
    script = """
        import aqueduct_provider.sdk as aq
        from aqueduct_provider.sdk import op

        def train(x): return op, aq.check
        def annotated(x: aq.TableArtifact, y: list[aq.NumericArtifact | None] = ()) -> int: return x
        def body(x):
            import aqueduct_provider.sdk as aq
    """
    text = refusal(project, script)
    assert text.startswith("'train' needs the module 'aqueduct_provider' (it uses 'op', 'aq'), which is ")
    assert OURS in text
    assert project.run(project.package(script, "annotated"), 3) == 3
    assert f"which 'body' imports while it runs and which is {OURS}" in refusal(project, script, "body")
    assert project.run(project.package("def train(x): return x", "train"), 3) == 3


def test_a_module_that_also_makes_flows_travels_without_that(project: Project) -> None:
    project.write("helpers.py", "import aqueduct_provider.sdk as aq\ndef twice(x): return 2 * x\n")
    made = project.package("import helpers\ndef train(x): return helpers.twice(x)", "train")
    assert project.run(made, 4) == 8
    script = "import helpers\ndef train(x): return helpers.aq.op"
    assert "(it uses 'helpers.aq')" in refusal(project, script)


def test_operators_that_a_function_calls_travel_as_plain_functions(project: Project) -> None:
    project.write(
        "helpers.py",
        """
        import aqueduct_provider.sdk as aq

        @aq.op(requirements=[])
        def twice(x): return 2 * x
    """,
    )
    script = """
        import aqueduct_provider.sdk as aq
        import helpers
        from helpers import twice

        @aq.op(requirements=[])
        def train(x): return twice(x) + helpers.twice(x) if x < 10 else train(x - 10)
    """
    assert project.run(project.package(script, "train.__wrapped__", name="train"), 24) == 16


def test_presets_travel(project: Project) -> None:
    script = (
        "import operator\n"
        "from aqueduct_provider.sdk.authoring import presets\n"
        "check = presets.bound(operator.lt, 3)"
    )
    made = project.package(script, "check")
    assert [project.run(made, number) for number in (2, 3)] == [True, False]
    supply = Supply(coverage(()), {})
    with pytest.raises(PackagingError, match="needs the module 'aqueduct_provider'"):
        # Had it not been registered to travel.
        check_needed_modules("check", pickled(presets.number_of_rows), supply)


def test_what_a_worker_has_of_local_modules(tmp_path: Path) -> None:
    here = Path(__file__)
    assert Supply(coverage(()), {__name__: here}).has_local(__name__)
    assert not Supply(coverage(()), {__name__: tmp_path}).has_local(__name__)
    assert not Supply(coverage(()), {__name__: None}).has_local(__name__)
    assert not Supply(coverage(()), {}).has_local("sys")
    assert Supply(coverage((__name__.partition(".")[0],)), {}).has_local(__name__)
    assert sys.modules[__name__]


def test_what_workers_add_for_tables_need_not_be_named(project: Project) -> None:
    # pandas 3 keeps text in Arrow arrays, so the pickled frame names pyarrow.
    script = """
        import pandas

        LOOKUP = pandas.DataFrame({"k": ["a", "b"]})

        def first(n):
            return LOOKUP.head(n)
    """
    assert project.package(script, "first", requirements=("pandas",))
    assert "'pandas'" in refusal(project, script, "first")


def test_an_annotation_that_needs_a_package_is_named(project: Project) -> None:
    script = "import yaml\ndef train(t: yaml.Dumper): return 1"
    text = refusal(project, script)
    assert "where only the annotation of 't' needs it, write that in quotes" in text
    assert project.package(script.replace("yaml.Dumper", "'yaml.Dumper'"), "train")
