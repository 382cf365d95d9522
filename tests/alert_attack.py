"""A worker of alerts in hand, for tests that attack it: it begins, takes turns when told, is killed, begins again.

It is the engine of `smartpark alerts run` on a session of its own; time is the test's.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alert_park import Hill
from smartpark.alerts.routes import ChannelKind, Contact, Route
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting import late
from smartpark_ingest.alerting.engine import Engine
from smartpark_ingest.alerting.watching import WATCHER
from smartpark_storage import Connection, connect
from smartpark_storage.alerts import Intent, alerting_turn, put_contact, put_route, read_intents, register_watch


@dataclass
class Hand:
    """A worker in hand."""

    hill: Hill
    stack: ExitStack = field(default_factory=ExitStack)
    engine: Engine | None = None
    connection: Connection | None = None
    learns: bool = False
    """Whether rules learn beside it, as in the process that runs on."""

    def begin(self, at: datetime) -> Engine:
        """Begin as a process does."""
        self.hill.now = at
        self.connection = self.stack.enter_context(connect(self.hill.dsn, application="in hand"))
        assert self.stack.enter_context(alerting_turn(self.connection))
        register_watch(self.connection, WATCHER, at=at)
        self.engine = Engine(builtin_workdays(), learns_at=self.hill.dsn if self.learns else None)
        self.engine.begin(self.connection, at)
        return self.engine

    def turn(self, at: datetime, *, looks: bool = False) -> None:
        """Do all that there is to do at a moment."""
        self.hill.now = at
        engine, connection = self.engine, self.connection
        assert engine is not None
        assert connection is not None
        if looks:
            engine.rebind_if_changed(connection, at)
        engine._swept_s = float("-inf")
        engine._kept_s = float("-inf")
        while engine.turn(connection, at).has_more:
            pass
        if engine.late._since_s is not None:
            engine.late._since_s -= 2 * late.COLLECT_S
        engine.late_turn(connection, at)

    def end(self) -> None:
        """Let go, as a process that ends; nothing more is written."""
        if self.engine is not None:
            self.engine.close()
        self.stack.close()
        self.stack, self.engine, self.connection = ExitStack(), None, None


def people(hill: Hill, **route: Any) -> None:
    """One contact and one route for everything."""
    with hill.connection() as connection:
        put_contact(connection, Contact(code="duty", name="值班", channel=ChannelKind.WEBHOOK, address="duty"))
        put_contact(connection, Contact(code="chief", name="主管", channel=ChannelKind.WEBHOOK, address="chief"))
        given = {"code": "all", "contacts": ("duty",), "digest": ()} | route
        put_route(connection, Route.model_validate(given), 1)


def messages(hill: Hill) -> list[Intent]:
    """All that was planned, the oldest first."""
    with hill.connection() as connection:
        return sorted(read_intents(connection, limit=10_000), key=lambda one: one.intent_id)


def said(hill: Hill) -> list[tuple[str, str]]:
    """To whom, and what kind."""
    return [(one.contact, one.kind) for one in messages(hill)]
