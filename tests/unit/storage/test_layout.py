from __future__ import annotations

import pytest

from aqueduct_provider.storage.layout import (
    DELIVERED_PREFIX,
    PINNED_SPECS_PREFIX,
    PINNED_VERSIONS_PREFIX,
    PUBLISHED_PREFIX,
    RETIRED_PREFIX,
    CompiledLayout,
    FlowLayout,
    NativeLayout,
    bucket_and_prefix,
    delivered_spec,
    function_archive,
    key_prefix,
    pinned_spec,
    pinned_version,
    published,
    retired,
    run_spec,
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


def test_contents_are_known_by_their_keys() -> None:
    layout = NativeLayout("f1", RUN)
    assert layout.content_of(layout.content("a")) == "a"
    others = [layout.metadata("a"), layout.exec_state("content"), layout.pruned_mark, "content"]
    assert [layout.content_of(key) for key in others] == [None] * 4
    assert NativeLayout("f1", "another").content_of(layout.content("a")) is None
    assert layout.content("a").startswith(layout.artifacts_prefix)
    assert layout.pruned_mark.startswith(layout.run_prefix)


def test_what_the_runs_of_a_flow_share_lies_beside_them_and_goes_with_the_flow() -> None:
    layout = FlowLayout("f1")
    keys = [layout.version("v"), layout.value("sha"), NativeLayout("f1", RUN).run_prefix, layout.pruned(RUN)]
    assert all(key.startswith(layout.prefix) for key in keys)
    assert NativeLayout("f1", RUN).run_prefix == f"{layout.runs_prefix}{RUN}/"
    assert layout.pruned(RUN) == f"{layout.pruned_prefix}{RUN}"
    assert layout.version("v").startswith(layout.versions_prefix)
    assert not layout.value("sha").startswith((layout.versions_prefix, f"{layout.prefix}runs/"))
    assert not FlowLayout("f12").prefix.startswith(layout.prefix)


def test_what_flows_share_lies_outside_of_them() -> None:
    assert delivered_spec("churn") == f"{DELIVERED_PREFIX}churn.json"
    assert published("churn") == f"{PUBLISHED_PREFIX}churn.json"
    assert retired("churn") == f"{RETIRED_PREFIX}churn.json"
    assert function_archive("sha").startswith("functions/")
    assert pinned_version("v") == f"{PINNED_VERSIONS_PREFIX}v.json"
    assert pinned_spec("sha") == f"{PINNED_SPECS_PREFIX}sha.json"


def test_the_version_of_a_run_is_named_anew_when_it_is_cleared() -> None:
    keys = {run_spec(FlowLayout("f1"), RUN, attempt) for attempt in (0, 1)}
    assert len(keys) == 2
    assert all(key.startswith(NativeLayout("f1", RUN).run_prefix) for key in keys)


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


@pytest.mark.parametrize(("given", "expected"), [("", ""), ("specs", "specs/"), ("a/b//", "a/b/")])
def test_a_prefix_that_a_user_gives(given: str, expected: str) -> None:
    assert key_prefix(given) == expected
