"""Take the pictures of the pages in ``docs/images/``: ``.venv/bin/python -m tools.page_pictures``.

In: the demo, with the README's flow, run a few times. Out: one picture of each kind of page, small enough for
the documentation. Needs Debian's ``chromium``, as the tests do.
"""

from __future__ import annotations

import os
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from aqueduct_provider.demo.local_airflow import Login
from aqueduct_provider.demo.stack import running_stack
from aqueduct_provider.demo.tour import FLOW, Steps, forget_settings, run_script, script_of
from tests.support.browser import running_browser
from tools.environments import index_settings

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
# Numbers of trees of the further runs, so that there is a history.
_MORE = (2, 5, 100)
_WIDTH, _HEIGHT = 1280, 860
# The documentation is also read over slow connections.
_MOST = 150_000
_AGAIN = """
import aqueduct_provider.sdk as aq
client = aq.Client()
for trees in {trees}:
    client.trigger("wine quality", parameters={{"trees": trees}}).wait(timeout=240)
"""


def main() -> int:
    """Take all pictures; 0 when each is there."""
    os.chdir(ROOT)
    forget_settings(os.environ)
    os.environ.update(index_settings())
    steps = Steps()
    readme = script_of((ROOT / "README.md").read_text("utf-8"))
    with TemporaryDirectory() as folder, running_stack(Path(folder), steps.begin) as stack:
        steps.end()
        scripts = (readme, _AGAIN.format(trees=_MORE))
        if not all(run_script(stack, script, steps) for script in scripts):
            return 1
        take(stack.airflow.login)
    return 0


def take(login: Login) -> None:
    """Write the pictures of the pages of a running Airflow, which has run the README's flow."""
    import httpx

    with httpx.Client(base_url=login.url, timeout=60) as http:
        body = {"username": login.user, "password": login.password}
        token = http.post("/auth/token", json=body).raise_for_status().json()["access_token"]
        answer = http.get(
            f"/api/v2/dags/{FLOW}/dagRuns",
            params={"state": "success", "order_by": "start_date"},
            headers={"Authorization": f"Bearer {token}"},
        )
        run_id = answer.raise_for_status().json()["dag_runs"][0]["dag_run_id"]
    run = f"/dags/{FLOW}/runs/{quote(run_id, safe='')}"
    places = {
        "ui-flows": "/plugin/aqueduct",
        "ui-flow": f"/dags/{FLOW}/plugin/aqueduct-flow",
        "run": f"{run}/plugin/aqueduct-run",
        "ui-task": f"{run}/tasks/predict/plugin/aqueduct-task",
    }
    with running_browser(login.url) as browser, browser.tab({"_token": token}, width=_WIDTH) as tab:
        tab.page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
        for name, place in places.items():
            page = tab.open(place)
            frame = tab.frame()
            _settle(page, frame)
            _write(name, page.screenshot())


def _settle(page: Page, frame: Frame) -> None:
    """Wait until the frame shows all of what it shows at first."""
    frame.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)


def _write(name: str, png: bytes) -> None:
    """Write a picture, with as many colours as it may weigh."""
    from PIL import Image

    picture = Image.open(BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        packed = BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= _MOST:
            break
    (IMAGES / f"{name}.png").write_bytes(packed.getvalue())
    print(f"{name}.png: {packed.tell() / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
