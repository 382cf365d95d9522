"""A visitor of the console without a browser: keeps cookies, reads pages, sends their forms as a browser would."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fix_api import ParkHand
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, put_person

HTML = {"accept": "text/html"}
CHEN = Person("chen", "陈明", "Chen Ming", "chen@example.org")
LIN = Person("lin", "林岚", "Lin Lan", "")


class Page(HTMLParser):
    """What a test asks of a page: elements with their attributes and text, by tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._texts: list[list[str]] = []
        self._open: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._texts.append([])
        if tag not in {"br", "img", "input", "link", "meta", "rect", "path", "line", "hr"}:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        while self._open:
            if self.elements[self._open.pop()][0] == tag:
                return

    def handle_data(self, data: str) -> None:
        """Text belongs to all that is open."""
        for n in self._open:
            self._texts[n].append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """Attributes of the elements of a tag that have these attributes; their text under ``text``."""
        return [
            attributes | {"text": " ".join("".join(self._texts[n]).split())}
            for n, (name, attributes) in enumerate(self.elements)
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        """The only one of them."""
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def csrf(self) -> str:
        """Token of its forms."""
        return next(one["value"] for one in self.all("input", name="csrf"))


@dataclass
class Console:
    """A visitor."""

    client: httpx.Client
    dsn: str
    headers: dict[str, str] = field(default_factory=lambda: dict(HTML))

    def get(self, path: str, *, status: int = 200, **query: Any) -> Page:
        """A page."""
        answer = self.client.get(path, params=query or None, headers=self.headers, follow_redirects=True)
        assert answer.status_code == status, answer.text[:2000]
        return Page(answer.text)

    def send(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]],
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a form of ours; its answer as it is, not followed."""
        csrf = self.get("/people").csrf if token is None else token
        return self.client.post(path, data={"csrf": csrf, **fields}, headers=self.headers | dict(headers or {}))

    def be(self, person: Person) -> None:
        """Say who is here."""
        answer = self.send("/people/me", {"person": person.code})
        assert answer.status_code == 303, answer.text[:2000]
        self.get(answer.headers["location"])


@pytest.fixture
def console(plain_hand: ParkHand, client_of: Callable[..., httpx.Client]) -> Console:
    """A visitor who has not said who they are; the park `testpark`, and Chen and Lin."""
    with connect(plain_hand.dsn, application="test") as connection:
        put_person(connection, CHEN)
        put_person(connection, LIN)
        connection.commit()
    return Console(client_of(plain_hand.dsn), plain_hand.dsn)
