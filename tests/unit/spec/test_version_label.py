from __future__ import annotations

import pytest

from aqueduct_provider.spec.version_label import labelled_version, short_id, version_label, version_name

ID = "7d49f3c4-58c1-4f7e-8a3e-6c1f2b5d4e90"


def test_how_a_version_is_shown() -> None:
    assert version_label(ID, 12) == "v12 (7d49f3c4)"
    assert version_label(ID, None) == "version 7d49f3c4"
    assert (version_name(ID, 12), version_name(ID, None)) == ("v12 (7d49f3c4)", "7d49f3c4")


@pytest.mark.parametrize("number", [1, 12, None])
@pytest.mark.parametrize("before", ["", "About it. - ", "version 00000000 - ", "v3 (00000000) - "])
def test_it_is_found_again(number: int | None, before: str) -> None:
    assert labelled_version(before + version_label(ID, number)) == short_id(ID)


@pytest.mark.parametrize(
    "description",
    [
        "",
        "About it",
        "v12 (7d49f3c4) it was",
        "v0 (7d49f3c4)",
        "xv1 (7d49f3c4)",
        "version 7D49F3C4",
        "v1 (7d49)",
    ],
)
def test_other_descriptions_name_none(description: str) -> None:
    assert labelled_version(description) == ""
