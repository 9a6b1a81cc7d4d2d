"""The process that loads archives, started by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from aqueduct_provider.sdk.packaging import load_child

ENTRY = """
import sys
{body}

class Function:
    def __init__(self):
        {load}
"""


def write(folder: Path, name: str, body: str = "", load: str = "pass") -> None:
    with zipfile.ZipFile(folder / name, "w") as zipped:
        zipped.writestr("function/model.py", ENTRY.format(body=body, load=load))


def test_each_archive_has_a_line_when_it_is_begun_and_one_when_it_is_done(tmp_path: Path) -> None:
    write(tmp_path, "0.zip", "import threading; threading.Thread(target=threading.Event().wait).start()")
    write(tmp_path, "1.zip", "assert 'extra' in sys.path", "raise KeyError('x')")
    write(tmp_path, "2.zip", load="open('here.txt', 'w').close(); input()")
    write(tmp_path, "3.zip", "import os", "os._exit(3)")
    write(tmp_path, "4.zip")
    names = [f"{number}.zip" for number in range(5)]
    request = {"path": ["extra"], "archives": names}
    (tmp_path / load_child.REQUEST_FILE).write_text(json.dumps(request))
    done = subprocess.run([sys.executable, "-I", str(load_child.__file__), str(tmp_path)], timeout=60)
    assert done.returncode == 3
    lines = (tmp_path / load_child.RESULTS_FILE).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"archive": "0.zip"},
        {"archive": "0.zip", "error": None},
        {"archive": "1.zip"},
        {"archive": "1.zip", "error": "KeyError: 'x'"},
        {"archive": "2.zip"},
        {"archive": "2.zip", "error": "EOFError: EOF when reading a line"},
        {"archive": "3.zip"},
    ]
    assert (tmp_path / "2" / "function" / "here.txt").exists()
