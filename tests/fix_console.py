"""A visitor of the console without a browser: keeps cookies, reads pages, sends their forms as a browser would."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fix_api import NOON, ParkHand, serving
from smartpark.catalogue import Catalogue
from smartpark.load_requests.events import Body, Details
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.workdays import builtin_workdays
from smartpark_api.app import create_app
from smartpark_api.load_requests.service import Desk, act, open_request, view
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, put_person

HTML = {"accept": "text/html"}
CHEN = Person("chen", "陈明", "Chen Ming", "chen@example.org")
LIN = Person("lin", "林岚", "Lin Lan", "")
WU = Person("wu", "吴涛", "Wu Tao", "wu@example.org", language="en")


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

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one that ends itself, as shapes of a drawing do."""
        before = len(self._open)
        self.handle_starttag(tag, attrs)
        del self._open[before:]

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


@dataclass(frozen=True)
class ConsoleServer:
    """A server whose moment is `NOON`, over a database with the park `testpark`, and Chen, Lin and Wu."""

    address: str
    dsn: str
    guests: ExitStack

    def visitor(self) -> Console:
        """Somebody new, who has not said who they are."""
        return Console(self.guests.enter_context(httpx.Client(base_url=self.address, timeout=60)), self.dsn)

    def ask(self, *bodies: Body, days_ago: int = 0, is_lead: bool = False, by: str = "chen", **details: Any) -> str:
        """Open a request so many days before, let things happen to it then, and give its code."""
        usual = {
            "park": "testpark",
            "applicant": "福建榕盛机械有限公司",
            "kind": "new_supply",
            "applied_kva": 630,
            "voltage": "10kv",
            "contact_role": "工程部",
        }
        at = NOON - timedelta(days=days_ago)
        with connect(self.dsn, application="test") as connection:
            desk = Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, by)
            seen = open_request(desk, Details.model_validate(usual | details), is_lead=is_lead, at=at)
            for body in bodies:
                seen = act(desk, seen.code, body, expected=seen.version, at=at)
            connection.commit()
        return seen.code

    def act(self, code: str, body: Body, *, by: str = "lin") -> None:
        """Let somebody else do something to a request."""
        with connect(self.dsn, application="test") as connection:
            desk = Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, by)
            act(desk, code, body, expected=view(desk, code).version)
            connection.commit()


@pytest.fixture(scope="module")
def console_server(shared_plain_dsn: str, small_park: Catalogue) -> Iterator[ConsoleServer]:
    """One server for a module; its tests bring requests and people of their own."""
    ParkHand(shared_plain_dsn).load(small_park)
    with connect(shared_plain_dsn, application="test") as connection:
        for person in (CHEN, LIN, WU):
            put_person(connection, person)
        connection.commit()
    app = create_app(ApiSettings(dsn=shared_plain_dsn), clock=lambda: NOON)
    with serving(app) as address, ExitStack() as guests:
        yield ConsoleServer(address, shared_plain_dsn, guests)


@pytest.fixture
def console(console_server: ConsoleServer) -> Console:
    """A visitor who has not said who they are."""
    return console_server.visitor()


@pytest.fixture
def chen(console: Console) -> Console:
    """A visitor who is Chen."""
    console.be(CHEN)
    return console
