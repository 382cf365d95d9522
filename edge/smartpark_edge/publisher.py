"""From the spool to the platform's broker, until ingest says that the database has it.

One thread, one connection at a time. Each connection is a *session* with a client of its own: what an old client
still had queued dies with it, and an acknowledgement can never meet the wrong connection. A session announces the
edge (birth, retained; its will is the death), then sends what `Window` says, and hands ingest's acknowledgements to
the recorder. A broker's PUBACK means nothing here: only ingest's commit ack empties the spool. It reconnects for
ever, after ten seconds at most.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from smartpark.broker import BrokerAddress
from smartpark.errors import SmartparkError
from smartpark.vitals import Pulse
from smartpark.wire import (
    Status,
    pack_json,
)

from smartpark_edge.meters import Meters
from smartpark_edge.mqtt_client import Backoff, in_words
from smartpark_edge.recorder import STUCK_S, Recorder
from smartpark_edge.session import Session
from smartpark_edge.settings import Publish
from smartpark_edge.spool_file import SpoolCorruptError, SpoolUnavailableError
from smartpark_edge.spool_reader import SpoolReader

_log = logging.getLogger(__name__)

_CONNECT_PATIENCE_S: Final = 15.0

MakeStatus = Callable[[int, int | None], Status]
"""The edge's health, for a session and the source time of the oldest pending reading."""


class Publisher(threading.Thread):
    """Sends one agent's batches."""

    def __init__(
        self,
        edge: str,
        address: BrokerAddress,
        settings: Publish,
        *,
        recorder: Recorder,
        make_status: MakeStatus,
        meters: Meters,
    ) -> None:
        super().__init__(name=f"publisher-{edge}", daemon=True)
        self._edge, self._address, self._settings = edge, address, settings
        self._recorder, self._make_status, self._meters = recorder, make_status, meters
        self._session: Session | None = None
        self.pulse = Pulse("the publisher", STUCK_S)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self.connected = threading.Event()
        self.note = ""
        """Last trouble with the connection."""

    @property
    def in_flight(self) -> int:
        """Batches that are sent and not yet acknowledged."""
        session = self._session
        return 0 if session is None else session.in_flight

    @property
    def unanswered_s(self) -> float:
        """Since when ingest has not acknowledged anything, in seconds; 0 while nothing is under way."""
        session = self._session
        return time.monotonic() - session.acked_s if session is not None and session.in_flight else 0.0

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    def stop(self) -> None:
        """Say goodbye and end."""
        self._stopping.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=20)

    def run(self) -> None:
        """Connect, send, and connect again, until stopped."""
        backoff = Backoff()
        while not self._stopping.is_set():
            self.pulse.beat()
            try:
                self._run_session(backoff)
            except SpoolCorruptError as error:
                # Not ours to mend: the agent starts afresh, with another publisher.
                self._recorder.abandon(error)
                break
            except (OSError, SmartparkError) as error:
                self._report(f"{self._address.url}: {in_words(self._address, error)}")
            except Exception as error:  # noqa: BLE001  the thread's edge: whatever it was, the spool is still full
                _log.error("%s: publisher failed, connecting again", self._edge, exc_info=error)
                self.note = f"publisher failed: {error}"
            self.connected.clear()
            self._stopping.wait(0 if self._stopping.is_set() else backoff.next())
        self.connected.clear()

    def _report(self, note: str) -> None:
        if note != self.note:
            _log.warning("%s: platform broker %s", self._edge, note)
        self.note = note

    def _run_session(self, backoff: Backoff) -> None:
        reader = SpoolReader(self._recorder.spool.path)
        session = Session(
            self._edge,
            self._address,
            self._settings,
            recorder=self._recorder,
            reader=reader,
            wake=self._wake,
            meters=self._meters,
        )
        self._session = session
        try:
            session.open(_CONNECT_PATIENCE_S, self._stopping)
            if self._stopping.is_set():
                return
            backoff.reset()
            self.note = ""
            _log.info("%s: connected to the platform broker %s", self._edge, self._address.url)
            self._serve(session, reader)
        finally:
            self._session = None
            session.close()
            reader.close()

    def _serve(self, session: Session, reader: SpoolReader) -> None:
        session.announce()
        self.connected.set()
        status_due = 0.0
        while not self._stopping.is_set() and not session.lost.is_set():
            self.pulse.beat()
            self._wake.clear()
            if session.asked_birth.is_set():
                session.asked_birth.clear()
                session.announce()
            try:
                session.send_due()
            except SpoolUnavailableError as error:
                self._report(str(error))
            now = time.monotonic()
            if now >= status_due:
                status_due = now + self._settings.status_every_s
                session.say("status", pack_json(self._make_status(session.started, reader.oldest_pending())), qos=0)
            self._wake.wait(0.2)
        if session.lost.is_set():
            self._report(f"{self._address.url}: connection lost ({session.why})")
