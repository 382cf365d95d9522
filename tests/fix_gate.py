"""A server where access is enforced, over two parks, and programs with real keys: one for each role in one park.

`testpark` is the park of every role but the administrator of all parks; `netpark` is the other one. In each there is
a load request with a link and a calendar, and people who work there.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fix_api import NOON, PARK_FILE, ParkHand, serving
from inbox_hand import DEMAND, InboxHand
from smartpark.access import Grant, Role, Scope
from smartpark.alerts.silences import Silence
from smartpark.catalogue import load_catalogue
from smartpark.load_requests.events import Details
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.workdays import builtin_workdays
from smartpark_api.app import create_app
from smartpark_api.load_requests.service import Desk, open_request
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import SecretKind, add_client, add_grant, begin_session, make_secret
from smartpark_storage.alerts import create_silence
from smartpark_storage.load_requests import (
    ManagerTerm,
    Person,
    make_calendar_link,
    make_link,
    put_manager_term,
    put_person,
    read_calendar_links,
    read_links,
)

OWN: Final = "testpark"
OTHER: Final = "netpark"
NETPARK_FILE: Final = Path(__file__).parent / "data" / "planning_park.toml"
NOBODY: Final = "nobody"
CHIEF: Final = "chief"
"""Administrator of all parks."""
LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Whatever the clock of the database says: its rules go by that one."""
PEOPLE: Final = {"chen": OWN, "lin": OTHER}
AS_JSON: Final = {"accept": "application/json"}


@dataclass
class AccessServer:
    """The server, and what leads to things in it, by park."""

    dsn: str
    address: str
    guests: ExitStack
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """Of programs, by their names: the roles, `chief`, and what a test adds."""
    requests: dict[str, str] = field(default_factory=dict[str, str])
    links: dict[str, int] = field(default_factory=dict[str, int])
    calendars: dict[str, int] = field(default_factory=dict[str, int])
    alerts: dict[str, int] = field(default_factory=dict[str, int])
    silences: dict[str, int] = field(default_factory=dict[str, int])
    applicant_tokens: dict[str, str] = field(default_factory=dict[str, str])
    calendar_tokens: dict[str, str] = field(default_factory=dict[str, str])
    app: Any = None

    def client(self, name: str, **headers: str) -> httpx.Client:
        """A program that shows its key; or nobody."""
        shown = {} if name == NOBODY else {"authorization": f"Bearer {self.keys[name]}"}
        made = httpx.Client(base_url=self.address, headers=AS_JSON | shown | headers, timeout=60)
        return self.guests.enter_context(made)

    def session(self, person: str, **headers: str) -> httpx.Client:
        """A person who is logged in."""
        with connect(self.dsn, application="test") as connection:
            token = begin_session(connection, person, "link", at=NOON, expires_at=NOON + timedelta(hours=8))
            connection.commit()
        made = httpx.Client(base_url=self.address, headers=AS_JSON | headers, timeout=60)
        made.cookies.set("session", token)
        return self.guests.enter_context(made)

    def add(
        self, name: str, *grants: Grant, scopes: tuple[Scope, ...] = (), days: int = 30, at: datetime = LONG_AGO
    ) -> str:
        """Make another program known, and keep its key under its name; gives the id of the key."""
        with connect(self.dsn, application="test") as connection:
            add_client(connection, name, title=name, contact="", by="test", at=at)
            for grant in grants:
                add_grant(connection, f"client:{name}", grant, by="test", at=at)
            made = make_secret(
                connection,
                name,
                SecretKind.API_KEY,
                by="test",
                at=at,
                expires_at=max(at, NOON) + timedelta(days=days),
                scopes=[scope.value for scope in scopes],
            )
            connection.commit()
        self.keys[name] = made.text
        return made.secret_id

    def grant(self, person: str, *grants: Grant) -> None:
        """Grant a person something."""
        with connect(self.dsn, application="test") as connection:
            for grant in grants:
                add_grant(connection, f"person:{person}", grant, by="test", at=LONG_AGO)
            connection.commit()


def fill(server: AccessServer) -> None:
    """Two parks, and in each what a desk has."""
    hand = ParkHand(server.dsn)
    for file in (PARK_FILE, NETPARK_FILE):
        hand.load(load_catalogue(file))
    with connect(server.dsn, application="test") as connection:
        for person, park in PEOPLE.items():
            put_person(connection, Person(person, person.title(), person.title(), f"{person}@example.org"))
            put_manager_term(connection, ManagerTerm(park, person, "manager", date(2026, 1, 1)))
        for park in (OWN, OTHER):
            desk = Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, "chen")
            code = open_request(desk, Details.model_validate(DETAILS | {"park": park})).code
            until = NOON + timedelta(days=30)
            server.applicant_tokens[park] = make_link(connection, code, by="chen", at=NOON, expires_at=until)
            server.requests[park] = code
            server.links[park] = read_links(connection, code)[0].link_id
            server.calendar_tokens[park] = make_calendar_link(connection, by="chen", at=NOON, park=park)
            until = NOON + timedelta(days=1)
            asked = Silence(park=park, starts_at=NOON, ends_at=until, reason="planned work")
            server.silences[park] = create_silence(connection, asked, by="chen", at=NOON)
        server.calendars |= {one.park: one.link_id for one in read_calendar_links(connection) if one.park}
        connection.commit()
    inbox = InboxHand(server.dsn)
    inbox.rules(AT_THE_GATE)
    for park in (OWN, OTHER):
        server.alerts[park] = inbox.fires(
            f"point:{park}/gate/active_power", rule=AT_THE_GATE, park=park, device=f"{park}/gate"
        )


AT_THE_GATE: Final = DEMAND.model_copy(update={"code": "at-the-gate"})
DETAILS: Final[Mapping[str, Any]] = {
    "applicant": "福建榕盛机械有限公司",
    "kind": "new_supply",
    "applied_kva": 630,
    "voltage": "10kv",
    "contact_role": "工程部",
}


@pytest.fixture(scope="module")
def access_server(shared_plain_dsn: str) -> Iterator[AccessServer]:
    """One server for a module, which nobody reaches without proof."""
    settings = ApiSettings(
        dsn=shared_plain_dsn, access="enforced", requests_per_minute=1_000_000, failures_per_minute=1_000_000
    )
    app = create_app(settings, clock=lambda: NOON)
    with serving(app) as address, ExitStack() as guests:
        server = AccessServer(shared_plain_dsn, address, guests, app=app)
        fill(server)
        for role in Role:
            server.add(role.value.replace("_", "-"), Grant(role, OWN))
        server.add(CHIEF, Grant(Role.ADMINISTRATOR, None))
        yield server
