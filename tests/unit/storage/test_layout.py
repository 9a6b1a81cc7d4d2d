from __future__ import annotations

import pytest

from aqueduct_provider.storage.layout import CompiledLayout, NativeLayout, bucket_and_prefix

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


@pytest.mark.parametrize(
    ("bucket", "root_dir", "expected"),
    [
        ("data", "", ("data", "")),
        ("data", "/team/a/", ("data", "team/a/")),
        ("s3://data", "", ("data", "")),
        ("s3://data/some/prefix", "", ("data", "some/prefix/")),
        ("s3://data/some/prefix/", "root", ("data", "some/prefix/root/")),
        ("s3://data/", "/", ("data", "")),
    ],
)
def test_bucket_and_prefix(bucket: str, root_dir: str, expected: tuple[str, str]) -> None:
    assert bucket_and_prefix(bucket, root_dir) == expected
