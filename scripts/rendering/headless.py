"""A headless Chromium that sees nothing but the page made here, and the picture that it takes.

Every request is answered in this process or refused, and a refused one is told: nothing leaves the machine.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from libraries import font, icon, program
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, sync_playwright
from server_half import Source

ORIGIN: Final = "http://render.invalid"
FLAGS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb",
    "--font-render-hinting=none",
]  # fmt: skip
PATIENCE: Final = 120_000
"""Milliseconds for one dashboard; on a slow machine most of it is Chromium reading 15 MB of program."""
_ROW, _HEAD = 38, 150
"""Pixels of one row of Grafana's grid, and of what stands above it."""
_BOOT: Final = (
    'window.__grafana_public_path__ = "/public/";'
    'window.grafanaBootData = { settings: { buildInfo: { version: "13.2.2" } }, user: {}, navTree: [] };'
)
_STYLE: Final = """
body { margin: 0; font-size: 14px; font-family: Inter, Helvetica, Arial, "Noto Sans CJK SC", sans-serif; }
#root { padding: 0 16px; }
.smartpark-title { font-size: 20px; margin: 14px 0 10px; }
.smartpark-nothing { display: flex; height: 100%; align-items: center; justify-content: center; font-size: 20px;
  opacity: .6; }
.smartpark-stand-in { position: absolute; right: 4px; bottom: 2px; padding: 0 6px; font-size: 11px; color: #fff;
  background: #7a3f9d; border-radius: 3px; }
"""


@dataclass
class Picture:
    """What came of one dashboard."""

    panels: list[dict[str, Any]]
    marks: list[dict[str, Any]] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that resolves no name."""
    path = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Desk:
    """What every dashboard is drawn with: the browser, the database, the libraries and the page's program."""

    browser: Browser
    source: Source
    folder: Path
    script: Path


def render(desk: Desk, job: dict[str, Any], file: Path) -> Picture:
    """Draw one dashboard into a file."""
    picture = Picture([])
    lowest = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in job["document"]["panels"])
    size = {"width": job["width"], "height": lowest * _ROW + _HEAD}
    context = desk.browser.new_context(viewport=size, timezone_id=job["document"].get("timezone", "UTC"))
    try:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        _listen(page, picture)
        context.route("**/*", lambda route: _answer(route, desk, picture))
        page.goto(f"{ORIGIN}/")
        page.evaluate("job => window.smartparkRender(job)", job)
        page.set_viewport_size({**size, "height": page.evaluate("() => window.smartparkRows()") * _ROW + _HEAD})
        page.wait_for_function("() => window.smartparkSettled()", timeout=PATIENCE)
        page.wait_for_load_state("networkidle")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        picture.panels = page.evaluate("() => window.smartparkReport()")
        picture.marks = page.evaluate("() => window.smartparkMarks()")
        page.screenshot(path=file)
    except Error as error:
        picture.console.append(f"did not settle: {error.message.splitlines()[0]}")
    finally:
        context.close()
    return picture


def _listen(page: Page, picture: Picture) -> None:
    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            picture.console.append(message.text[:500])

    page.on("console", heard)
    page.on("pageerror", lambda error: picture.console.append(error.message[:500]))


def _answer(route: Route, desk: Desk, picture: Picture) -> None:
    url = route.request.url
    path = url.removeprefix(ORIGIN)
    if path == url:
        picture.refused.append(url)
        route.abort()
    elif path == "/":
        route.fulfill(content_type="text/html; charset=utf-8", body=_page())
    elif path == "/page.js":
        route.fulfill(content_type="text/javascript; charset=utf-8", path=desk.script)
    elif path == "/page.css":
        route.fulfill(content_type="text/css; charset=utf-8", path=desk.script.with_suffix(".css"))
    elif "/fonts/" in path and (found := font(desk.folder, path)):
        route.fulfill(content_type="font/woff2", body=found)
    elif path.startswith("/api/ds/query"):
        body = json.loads(route.request.post_data or "{}")
        route.fulfill(content_type="application/json", body=json.dumps(desk.source.answer(body)))
    elif "/img/icons/" in path:
        route.fulfill(content_type="image/svg+xml", body=icon(desk.folder, path))
    else:
        picture.refused.append(url)
        route.fulfill(status=404, body="")


def _page() -> str:
    return (
        '<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="/page.css"><style>{_STYLE}</style></head><body><div id="root"></div>'
        f'<script>{_BOOT}</script><script src="/page.js"></script></body></html>'
    )
