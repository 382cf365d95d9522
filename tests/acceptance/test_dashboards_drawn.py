"""Grafana's own front-end libraries draw every page over the made-up parks, where they and a browser are there."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / ".cache" / "render"

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Report of the whole set, and the folder of its pictures."""
    if not list(LIBRARIES.glob("*/installed")):
        pytest.skip("no libraries in .cache/render: run scripts/render-dashboards once, which asks the npm registry")
    if not shutil.which("chromium"):
        pytest.skip("no Chromium on the PATH: install the package chromium")
    out = tmp_path_factory.mktemp("drawn")
    command = [sys.executable, ROOT / "scripts" / "rendering", "--made-up", "--json", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), out


def test_no_panel_fails_and_every_page_has_its_picture(drawn):
    report, out = drawn
    wrong = [(page["uid"], page["trouble"]) for page in report["pages"] if page["trouble"]]
    wrong += [
        (page["uid"], panel["title"], panel["errors"])
        for page in report["pages"]
        for panel in page["panels"]
        if panel["result"] == "failed"
    ]
    assert wrong == []
    pages = {f"{path.parent.name}/{path.stem}" for path in (ROOT / "dashboards" / "generated").glob("*/*.json")}
    assert {f"{page['language']}/{page['uid'].removesuffix('-en')}" for page in report["pages"]} == pages
    assert {path.stem for path in out.iterdir()} == {"-".join(reversed(name.split("/"))) for name in pages}


def test_what_is_read_on_a_panel_is_what_was_stored_with_its_unit(drawn):
    report, _ = drawn
    page = next(page for page in report["pages"] if page["uid"] == "park-overview-en")
    (load,) = (panel for panel in page["panels"] if panel["id"] == 1)
    (field,) = load["fields"]
    # Two incomers, 250 kW each: tests/data/dashboard_parks.sql.
    assert field["last"] == "500 kW"
