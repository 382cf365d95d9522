"""A server that believes nobody without proof, an identity provider beside it, and visitors who log in."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import limits.storage.memory
import limits.strategies
import pytest
from fix_api import NOON, ParkHand, serving
from fix_console import CHEN, HTML, LIN, WU, Console
from fix_oidc import IdentityProvider, identity_provider
from smartpark.access import Grant, Role
from smartpark.catalogue import Catalogue
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import AuditEntry, AuditFilter, add_grant, make_login_link, read_audit
from smartpark_storage.load_requests import Person, put_person


@dataclass
class LoginServer:
    """A server in enforced mode, over a database with `testpark`, and Chen, Lin and Wu, who have no rights."""

    dsn: str
    idp: IdentityProvider
    guests: ExitStack
    address: str = ""
    now: datetime = NOON
    issuer: dict[str, object] = field(default_factory=dict)

    def visitor(self) -> Console:
        """Somebody new, who shows nothing."""
        client = httpx.Client(base_url=self.address, timeout=60, headers=HTML)
        return Console(self.guests.enter_context(client), self.dsn)

    def grant(self, person: str, role: Role = Role.ADMINISTRATOR, park: str | None = None) -> None:
        """Give a person rights, from before now on."""
        with connect(self.dsn, application="test") as connection:
            before = self.now - timedelta(days=1)
            add_grant(connection, f"person:{person}", Grant(role, park), by="test", at=before)
            connection.commit()

    def person(self, person: Person) -> None:
        """Add a person, or change one."""
        with connect(self.dsn, application="test") as connection:
            put_person(connection, person)
            connection.commit()

    def link(self, person: str, *, hours: float = 1) -> str:
        """Address of a one-time link."""
        with connect(self.dsn, application="test") as connection:
            ends = self.now + timedelta(hours=hours)
            token = make_login_link(connection, person, by="test", at=self.now, expires_at=ends)
            connection.commit()
        return f"/login/link/{token}"

    def audit(self, action: str = "") -> list[AuditEntry]:
        """Lines of the audit log, the newest first."""
        with connect(self.dsn, application="test") as connection:
            found = read_audit(connection, AuditFilter(action=action or None))
        return sorted(found, key=lambda entry: entry.entry_id or 0, reverse=True)

    def lin_by_link(self) -> Console:
        """Lin, logged in by a link."""
        visitor = self.visitor()
        use_link(visitor, self.link(LIN.code))
        return visitor


def leave_for(visitor: Console, back: str = "") -> str:
    """Begin a log-in; the address at the provider."""
    answer = visitor.client.get("/login/oidc/park-id/start", params={"back": back} if back else None)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def say_who(address: str, sub: str) -> str:
    """At the provider: the address that it sends one back to."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    with httpx.Client(timeout=60) as browser:
        shown = browser.get(address)
        assert shown.status_code == 200, shown.text
        sent = browser.post(address.partition("?")[0], data={**asked, "sub": sub})
    return sent.headers["location"]


def log_in(visitor: Console, sub: str, back: str = "") -> httpx.Response:
    """The whole way; our answer to it."""
    return visitor.client.get(say_who(leave_for(visitor, back), sub))


def use_link(visitor: Console, path: str) -> httpx.Response:
    """Open a one-time link and press its button."""
    page = visitor.get(path)
    token = page.one("input", name="token")["value"]
    return visitor.client.post("/login/link", data={"csrf": page.csrf, "token": token})


@pytest.fixture
def minute_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits count within one minute, however slow the machine: none of it passes while a test counts."""
    now = time.time()
    for module in (limits.storage.memory, limits.strategies):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))


@pytest.fixture(scope="module")
def login_park(shared_plain_dsn: str, small_park: Catalogue) -> str:
    """A database with people."""
    ParkHand(shared_plain_dsn).load(small_park)
    with connect(shared_plain_dsn, application="test") as connection:
        for person in (CHEN, LIN, WU):
            put_person(connection, person)
        connection.commit()
    return shared_plain_dsn


@pytest.fixture(scope="module")
def login_server(login_park: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoginServer]:
    """One server for a module, whose moment its tests may move; its provider takes e-mail addresses for names."""
    folder: Path = tmp_path_factory.mktemp("login")
    with identity_provider() as idp, ExitStack() as guests:
        server = LoginServer(login_park, idp, guests)
        idp.clock = lambda: server.now
        settings = ApiSettings(
            dsn=login_park,
            access="enforced",
            oidc_file=idp.file(folder, first_login="verified_email"),
            failures_per_minute=1000,
        )
        with serving(create_app(settings, clock=lambda: server.now)) as address:
            server.address = address
            yield server
