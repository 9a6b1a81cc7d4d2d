"""Installed packages that hold nothing but their metadata."""

from __future__ import annotations

from pathlib import Path


def install(
    site: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    top_level: str = "",
) -> None:
    """Write the metadata of a distribution into a folder, and files of it that are empty.

    :param requires: pip requirements.
    :param files: what its RECORD lists.
    :param top_level: what setuptools writes.
    """
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nRequires-Dist: not-a-header\n"
    (metadata / "METADATA").write_text(text)
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if top_level:
        (metadata / "top_level.txt").write_text(top_level)
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).touch()
