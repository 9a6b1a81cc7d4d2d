"""Name what a user must add to the requirements for a module that is missing.

Where the package is not installed, nothing says which one a module comes from. Most have the module's name;
those that have another one are listed, as far as data is made of them. Standard library only.
"""

from __future__ import annotations

from typing import Dict, Optional

# Top-level module -> the package that brings it along.
_PACKAGES: Dict[str, str] = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "faiss": "faiss-cpu",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "PyYAML",
}


def distribution_of(module: str) -> Optional[str]:
    """Return the package of a top-level module; None: it has the module's name, or is not known."""
    return _PACKAGES.get(module)


def package_of(module: str) -> str:
    """Return how a message calls the package of a module: ``the package 'scikit-learn'``.

    :param module: with or without dots.
    """
    top = module.split(".")[0]
    known = distribution_of(top)
    return f"the package {known!r}" if known else f"the package of {top!r}"


def input_name(number: int, name: str, maker: str) -> str:
    """Return how messages call an input: ``Input 1 ('model', made by 'train')``.

    :param number: counts from 1.
    :param name: of the artifact; empty where that is not known.
    :param maker: the operator that made it; empty where that is not known.
    """
    facts = [repr(name)] if name else []
    facts += [f"made by {maker!r}"] if maker else []
    return f"Input {number} ({', '.join(facts)})" if facts else f"Input {number}"


def missing_for_input(label: str, error: ImportError) -> Optional[str]:
    """Return what to do where reading an input needs a module that is missing; None for other errors.

    :param label: what :func:`input_name` gave.
    :param error: what reading the input raised.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    return (
        f"{label} needs the module {error.name!r} to be read, which is not installed here: add "
        f"{package_of(error.name)} to the requirements of the operator that reads it."
    )
