"""The process that serves one uplink: takes its turn, plans, connects, tells, waits; outlives database and platform.

Before the first byte of a batch leaves, the queue notes that it is being told; only what the platform acknowledged is
acknowledged here. Killed in between, the same is told again. When the platform is away, nothing in the queue moves:
the worker comes back after a while that doubles. When it answers and does not take an item, that item alone comes
back later, in ever smaller company, so that one that it will never take does not hold up the others.
"""

import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smartpark.clock import utc_now
from smartpark.errors import RetryableError
from smartpark.uplinks import wait_s
from smartpark_storage import describe_database
from smartpark_storage.uplinks import (
    PutOff,
    QueuedNumber,
    acknowledge_uplink_items,
    hold_uplink,
    keep_uplink_state,
    mark_uplink_items_sent,
    note_uplink_trouble,
    open_uplink,
    put_off_uplink_items,
    release_uplink,
    sendable_uplink_items,
    uplink_packet,
)

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError
from smartpark_ingest.uplinks.kinds import Reply, Uplink
from smartpark_ingest.uplinks.pacing import Allowance, batches
from smartpark_ingest.uplinks.planning import Planner
from smartpark_ingest.uplinks.vitals import UplinkVitals

_log = logging.getLogger(__name__)

_REFUSED_IN_A_ROW: Final = 3
"""Groups of which nothing was taken, until the platform is left alone for a while."""
_EVER: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


class NothingTakenError(RetryableError):
    """The platform answers, and takes nothing."""


class UplinkWorker:
    """Serves one uplink until `stop` is set, or until nothing is to be told."""

    def __init__(
        self,
        dsn: str,
        stop: threading.Event,
        uplink: Uplink,
        *,
        clock: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._stop, self._uplink, self._clock, self._jitter = stop, uplink, clock, jitter
        self._database = PatientDatabase(
            dsn, application=f"smartpark uplink {uplink.name}", stop=stop, counters=Counters()
        )
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._forms = {series.item: series.form for series in uplink.series}
        self._packets = {series.item: series.packet for series in uplink.series}
        self._allowance = Allowance(uplink.delivery.backlog_per_minute, clock())
        self._state: dict[str, Any] | None = None
        self._failures = 0
        self._quiet_until: datetime | None = None
        """The platform is left alone until then."""
        self._noted_trouble: str | None = None
        """None: what the worker before this one has noted."""
        self._is_turn_missing = False
        self.vitals = UplinkVitals(uplink, self._database)
        self._planner = Planner(self._database, uplink, self.vitals, clock)

    def run(self) -> None:
        """Serve until asked to stop."""
        try:
            label = self._database.run(describe_database).label
            _log.info("uplink %s tells what is published in %s", self._uplink.name, label)
            while not self._stop.is_set():
                if not self.round():
                    self._stop.wait(self._uplink.delivery.poll_s)
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self.close()

    def run_once(self) -> None:
        """Plan, and tell what may be told by now."""
        try:
            while not self._stop.is_set() and self.round():
                pass
        finally:
            self.close()

    def close(self) -> None:
        """Hang up, and give the turn back."""
        self._uplink.close()
        try:
            if self._state is not None and not self._database.trouble:
                name, holder = self._uplink.name, self._holder
                self._database.run(lambda connection: release_uplink(connection, name, holder))
        except StoppedError:
            _log.warning("%s: the turn is not given back; it runs out by itself", self._uplink.name)
        finally:
            self._database.close()

    def round(self) -> bool:
        """Do one thing of everything; whether another round is worth while at once."""
        self.vitals.pulse.beat()
        if not self._take_turn():
            return False
        is_more = self._planner.look()
        if self._quiet_until is not None and self._clock() < self._quiet_until:
            return is_more
        try:
            was_told = self._tell()
        except RetryableError as error:
            self._leave_alone(str(error))
            return False
        self._note_trouble("")
        self._failures, self._quiet_until = 0, None
        return is_more or was_told

    # --- the turn ---

    def _take_turn(self) -> bool:
        now, lease = self._clock(), timedelta(seconds=self._uplink.delivery.lease_s)
        name, kind = self._uplink.name, self._uplink.kind
        if self._state is None:
            self._state = self._database.run(lambda connection: open_uplink(connection, name, kind))
        has_turn = self._database.run(lambda connection: hold_uplink(connection, name, self._holder, now, lease))
        if not has_turn and not self._is_turn_missing:
            _log.warning("uplink %s: another worker has the turn; waiting for it to end", name)
        self._is_turn_missing = not has_turn
        self.vitals.is_turn_missing = not has_turn
        if not has_turn:
            # The other one may register anew meanwhile.
            self._state = None
        return has_turn

    # --- telling ---

    def _tell(self) -> bool:
        now = self._clock()
        before = self._state or {}
        state = dict(self._uplink.connect(before, now))
        if state != before:
            self._keep(state)
        is_more = self._uplink.idle(now)
        found = self._sendable(state, now)
        refused_in_a_row = 0
        for group in self._groups(found):
            # A long round would outlast the turn.
            if self._stop.is_set() or not self._take_turn():
                break
            reply = self._hand_over(group, state)
            refused_in_a_row = 0 if reply.taken else refused_in_a_row + 1
            if refused_in_a_row == _REFUSED_IN_A_ROW and reply.refused:
                raise NothingTakenError(f"the platform takes nothing: {reply.refused[0][1]}")
        return bool(found) or is_more

    def _keep(self, state: dict[str, Any]) -> None:
        name = self._uplink.name
        self._database.run(lambda connection: keep_uplink_state(connection, name, state))
        self._state = state

    def _sendable(self, state: dict[str, Any], now: datetime) -> list[QueuedNumber]:
        """What is told in this round: live numbers in full, of the backlog what is allowed by now."""
        delivery = self._uplink.delivery
        live_from = now - timedelta(hours=delivery.live_for_h)
        allowed = min(delivery.batch, self._allowance.left(now))
        live = self._fetch(state, now, live_from, _EVER[1], delivery.batch)
        # Without precedence the live ones wait until the backlog has gone.
        if live and delivery.live_first:
            return live
        backlog = self._fetch(state, now, _EVER[0], live_from, allowed) if allowed else []
        if backlog:
            self._allowance.spend(len(backlog))
            return backlog
        if not delivery.live_first and self._fetch(state, now, _EVER[0], live_from, 1):
            return []
        return live

    def _fetch(
        self, state: dict[str, Any], now: datetime, start_from: datetime, start_before: datetime, limit: int
    ) -> list[QueuedNumber]:
        ready, resting = self._uplink.ready(state, now), self._uplink.resting
        name = self._uplink.name
        forms = {item: form for item, form in self._forms.items() if self._packets[item] not in resting}
        return self._database.run(
            lambda connection: sendable_uplink_items(
                *(connection, name, forms, ready, now),
                start_from=start_from,
                start_before=start_before,
                limit=limit,
            )
        )

    def _groups(self, numbers: Sequence[QueuedNumber]) -> Iterator[list[QueuedNumber]]:
        if not self._uplink.tells_whole_packets:
            yield from batches(numbers, self._uplink.delivery.batch)
            return
        name, forms = self._uplink.name, self._forms
        for packet, start in dict.fromkeys((number.packet, number.start) for number in numbers):
            yield self._database.run(
                lambda connection, packet=packet, start=start: uplink_packet(connection, name, forms, packet, start)
            )

    def _hand_over(self, numbers: list[QueuedNumber], state: dict[str, Any]) -> Reply:
        name, now = self._uplink.name, self._clock()
        self._database.run(lambda connection: mark_uplink_items_sent(connection, name, numbers, now))
        try:
            reply = self._uplink.send(numbers, state, now)
        finally:
            self.vitals.told += len(numbers)
        self._settle(reply)
        return reply

    def _settle(self, reply: Reply) -> None:
        name, now = self._uplink.name, self._clock()
        if reply.taken:
            self._database.run(lambda connection: acknowledge_uplink_items(connection, name, reply.taken, now))
        if reply.refused:
            put_off = [PutOff(number, self._again_at(number, now), why) for number, why in reply.refused]
            self._database.run(lambda connection: put_off_uplink_items(connection, name, put_off))
            number, why = reply.refused[0]
            _log.warning(
                "uplink %s: %d items not taken, among them %s of %s: %s",
                *(name, len(put_off), number.item, number.start.isoformat(), why),
            )
        self.vitals.count(reply, now)

    def _again_at(self, number: QueuedNumber, now: datetime) -> datetime:
        return now + timedelta(seconds=self._wait_s(number.refusals + 1))

    def _wait_s(self, failures: int) -> float:
        delivery = self._uplink.delivery
        return wait_s(
            failures, first_s=delivery.first_wait_s, longest_s=delivery.longest_wait_s, jitter=self._jitter()
        )

    # --- trouble ---

    def _leave_alone(self, trouble: str) -> None:
        self._failures += 1
        wait = self._wait_s(self._failures)
        self._quiet_until = self._clock() + timedelta(seconds=wait)
        _log.warning("uplink %s: %s; trying again in %.1f s", self._uplink.name, trouble, wait)
        self._note_trouble(trouble)

    def _note_trouble(self, trouble: str) -> None:
        if trouble == self._noted_trouble:
            return
        if self._noted_trouble and not trouble:
            _log.info("uplink %s: all is well again", self._uplink.name)
        self.vitals.trouble = self._noted_trouble = trouble
        name, now = self._uplink.name, self._clock()
        self._database.run(lambda connection: note_uplink_trouble(connection, name, trouble, now))
