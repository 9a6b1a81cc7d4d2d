from __future__ import annotations

import pytest

from aqueduct_provider.storage.layout import (
    DELIVERED_PREFIX,
    PUBLISHED_PREFIX,
    CompiledLayout,
    FlowLayout,
    NativeLayout,
    bucket_and_prefix,
    delivered_spec,
    function_archive,
    published,
)

RUN = "manual__2026-01-01T00:00:00+00:00"


def test_compiled_keys_are_the_path_an_underscore_and_the_run_id() -> None:
    layout = CompiledLayout({"content": "metadata"}, RUN)
    assert layout.content("content") == f"content_{RUN}"
    assert layout.metadata("content") == f"metadata_{RUN}"
    assert layout.exec_state("ab12") == f"ab12_{RUN}"


def test_native_keys_lie_below_the_prefix_of_their_run() -> None:
    layout = NativeLayout("f1", RUN)
    keys = [layout.content("a"), layout.metadata("a"), layout.exec_state("o")]
    assert all(key.startswith(f"flows/f1/runs/{RUN}/") for key in keys)
    assert len(set(keys)) == 3
    assert layout.exec_state("o").startswith(layout.operators_prefix)
    assert not layout.content("a").startswith(layout.operators_prefix)


def test_what_the_runs_of_a_flow_share_lies_beside_them_and_goes_with_the_flow() -> None:
    layout = FlowLayout("f1")
    keys = [layout.version("v"), layout.value("sha"), NativeLayout("f1", RUN).run_prefix]
    assert all(key.startswith(layout.prefix) for key in keys)
    assert layout.version("v").startswith(layout.versions_prefix)
    assert not layout.value("sha").startswith((layout.versions_prefix, f"{layout.prefix}runs/"))
    assert not FlowLayout("f12").prefix.startswith(layout.prefix)


def test_what_flows_share_lies_outside_of_them() -> None:
    assert delivered_spec("churn") == f"{DELIVERED_PREFIX}churn.json"
    assert published("churn") == f"{PUBLISHED_PREFIX}churn.json"
    assert function_archive("sha").startswith("functions/")


@pytest.mark.parametrize(
    ("bucket", "root_dir", "expected"),
    [
        ("data", "", ("data", "")),
        ("data", "/team/a/", ("data", "team/a/")),
        ("s3://data", "", ("data", "")),
        ("s3://data/some/prefix", "", ("data", "some/prefix/")),
        ("s3://data/some/prefix/", "root", ("data", "some/prefix/root/")),
        ("s3://data/", "/", ("data", "")),
        ("gs://data/some/prefix", "root", ("data", "some/prefix/root/")),
    ],
)
def test_bucket_and_prefix(bucket: str, root_dir: str, expected: tuple[str, str]) -> None:
    assert bucket_and_prefix(bucket, root_dir) == expected
