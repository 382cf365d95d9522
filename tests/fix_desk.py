"""Windows of the console in a real browser: they hear all that goes wrong in them, and have a keyboard to go by.

What a window may do is held to at its end: no complaint of the browser (an error, a breach of the content security
policy), and nothing asked of anybody but the server. Answers that refuse (409, 422) are told by Chromium as errors
of the network; a test that expects one says so.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from fix_console import ConsoleServer
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from smartpark_storage.load_requests import Person

WAIT_MS = 30_000
_MOST_STOPS = 300
_HAS_FOCUS = "one => one.isConnected ? one === document.activeElement : null"
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (409|422)\b")


@dataclass
class Window:
    """A page, what it complained of, and what it asked for."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])
    refusals: int = 0
    """How often the server refused."""

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.hear(message.text))
        self.page.on("pageerror", lambda error: self.hear(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def hear(self, text: str) -> None:
        """Note a complaint."""
        if _REFUSED.match(text):
            self.refusals += 1
        else:
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        """Open a page of the server by its address."""
        self.page.goto(self.address + path)
        return self.page

    @property
    def strangers(self) -> list[str]:
        """What was asked of others than the server."""
        return [url for url in self.asked if not url.startswith(self.address + "/")]

    # --- by keyboard ---

    def reach(self, place: Locator, key: str = "Tab") -> Locator:
        """Press Tab until a place has the focus, as somebody without a mouse does."""
        expect(place).to_be_visible()
        # Looked for once, for that takes longer than a stop; and again where the page has put another in its place.
        one = place.element_handle()
        for _ in range(_MOST_STOPS):
            while (has_focus := one.evaluate(_HAS_FOCUS)) is None:
                one = place.element_handle()
            if has_focus:
                return place
            self.page.keyboard.press(key)
        raise AssertionError(f"{place} is not reached within {_MOST_STOPS} times {key}")

    def press(self, place: Locator, key: str = "Enter") -> None:
        """Reach a link or a button, and press it."""
        self.reach(place)
        self.page.keyboard.press(key)

    def type(self, place: Locator, text: str) -> None:
        """Reach a field, and type in place of what is there."""
        self.reach(place)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        expect(place).to_have_value(text)

    def choose(self, place: Locator, value: str) -> None:
        """Reach a list, and go down in it as far as the value."""
        self.reach(place)
        self.page.keyboard.press("Home")
        for _ in range(place.locator("option").count()):
            if place.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{place} has no {value}")

    def skip_to_main(self) -> None:
        """Leave out the header: the first stop of every page leads behind it."""
        self.page.keyboard.press("Tab")
        expect(self.page.locator("a.skip")).to_be_focused()
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile("#main$"))


OpenWindow = Callable[..., Window]


@pytest.fixture
def open_window(browser: Browser, console_server: ConsoleServer) -> Iterator[OpenWindow]:
    """Open windows of somebody, or of nobody; at the end each must have been quiet."""
    expect.set_options(timeout=WAIT_MS)
    windows: list[tuple[BrowserContext, Window]] = []

    def open_one(
        person: Person | None = None,
        *,
        language: str = "zh",
        width: int = 1440,
        server: ConsoleServer = console_server,
        before: str | None = None,
        **options: Any,
    ) -> Window:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(WAIT_MS)
        context.add_cookies([{"name": "lang", "value": language, "url": server.address}])
        if person is not None:
            context.add_cookies([{"name": "actor", "value": _actor(server, person), "url": server.address}])
        if before is not None:
            context.add_init_script(before)
        window = Window(context.new_page(), server.address)
        windows.append((context, window))
        return window

    yield open_one
    expect.set_options(timeout=None)
    for context, _ in windows:
        context.close()
    for _, window in windows:
        assert window.complaints == []
        assert window.strangers == []
        assert window.asked


def _actor(server: ConsoleServer, person: Person) -> str:
    """The cookie of somebody who has said who they are."""
    visitor = server.visitor()
    with closing(visitor.client):
        visitor.be(person)
        return visitor.client.cookies["actor"]
