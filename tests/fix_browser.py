"""A headless Chromium that may speak to this machine only; skips, with the reason, where there is none."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _installed_chromium() -> Path | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a file.

    Not for the session: while Playwright runs, its event loop does, and no asynchronous test could run after it in
    the same process.
    """
    chromium = _installed_chromium()
    if chromium is None:
        pytest.skip("no Chromium on the PATH: install the package chromium to test the pages in a browser")
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        except Error as error:
            pytest.skip(f"{chromium} does not start: {error.message.splitlines()[0]}")
        yield opened
        opened.close()
