"""One station of an HJ 212 uplink while it is served: its line, its data, and how it is left alone when it is lost.

What comes from the queue is told on request (`tell_packet`); answers to the platform, newest readings, minutes and
data that the platform asks for are told in between (`serve`).
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.uplinks import digest_of, wait_s
from smartpark.uplinks.hj212_answers import Asked, Identity, result_of
from smartpark.uplinks.hj212_factors import ToldFactor
from smartpark.uplinks.hj212_segments import Item
from smartpark.uplinks.hj212_settings import COMMANDS, Data, Hj212Settings, Station
from smartpark_storage.uplinks import QueuedNumber, uplink_packet

from smartpark_ingest.uplinks.hj212_data import DAY, HOUR, StationData, StationUnknownError
from smartpark_ingest.uplinks.hj212_database import StationDatabase
from smartpark_ingest.uplinks.hj212_link import LineLostError, StationLine, late
from smartpark_ingest.uplinks.hj212_minutes import MinuteTeller, Reached, floor
from smartpark_ingest.uplinks.kinds import Series, State
from smartpark_ingest.uplinks.pacing import Allowance

_log = logging.getLogger(__name__)

GRAINS: Final = {Data.HOUR: "hour", Data.DAY: "day"}
"""What goes through the queue."""
_LENGTHS: Final = {Data.HOUR: HOUR, Data.DAY: DAY}


class ServedStation:
    """A station, from its settings to its platform."""

    def __init__(
        self,
        settings: Hj212Settings,
        station: Station,
        password: str,
        database: StationDatabase,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._database = settings, database
        self._me = Identity(
            mn=station.mn,
            st=station.st,
            pw=password,
            version=settings.protocol.row.version,
            tells=station.tells,
            real_time_s=settings.timing.real_time_s,
            minutes=settings.timing.minutes,
            set_time=settings.protocol.set_time,
        )
        self.mn, self.tells = station.mn, frozenset(station.tells)
        self.data = StationData(settings, station)
        name = f"uplink {settings.uplink.name}, station {station.mn}"
        self.line = StationLine(settings.server, settings.protocol, self._me, clock, name)
        self._first = datetime.combine(settings.delivery.since, time.min, tzinfo=PARK_ZONE)
        self.minutes = MinuteTeller(settings, self.data, self.line, database, Reached(self._first))
        self._is_reached_known = False
        self.trouble = ""
        """Why it has no line."""
        self._failures = 0
        self._quiet_until: datetime | None = None
        self._newest_told = ""
        """Time of the newest readings that were told."""
        self._newest_at: datetime | None = None
        self._asked: tuple[Asked, datetime, int] | None = None
        """What the platform wants just now, from where on, and how many packets of it were told."""
        self.packets = Counter[str]()
        """Acknowledged, by command."""

    # --- what it is ---

    def series(self) -> Iterator[Series]:
        """What goes through the queue: its published hours and days."""
        place = self.data.station
        for data, grain in GRAINS.items():
            packet = self.packet(data)
            for indicator, factor in self.indicators(data).items() if data in self.tells else ():
                said = None if factor is None else factor.model_dump(mode="json")
                yield Series(
                    item=f"{packet}/{indicator}",
                    form=digest_of(said, self._settings.quality.model_dump(mode="json")),
                    park=place.park,
                    boundary=f"device/{place.device}",
                    indicator=indicator,
                    grain=grain,
                    packet=packet,
                )

    def indicators(self, data: Data) -> dict[str, ToldFactor | None]:
        """Published numbers on which a packet rests, and of which factor they are; None: of the whole station.

        Corrected means are published of hours alone. The index of an air station is there for every hour with
        readings, those of its pollutants only where they have a value.
        """
        found: dict[str, ToldFactor | None] = {}
        for factor in self.data.factors:
            names = (factor.total, factor.index, factor.corrected if data is Data.HOUR else None)
            found |= {name: factor for name in names if name}
            if factor.index:
                found["air_quality_index"] = None
        return found

    def packet(self, data: Data) -> str:
        """Name of a packet in the queue."""
        return f"{self.mn}/{COMMANDS[data]}"

    def remember(self, state: State) -> None:
        """Go on where the state says that minutes were told to; once."""
        kept: Mapping[str, object] | None = state.get("minutes", {}).get(self.mn)
        if not self._is_reached_known and kept is not None:
            self.minutes.reached = Reached.of(kept)
        self._is_reached_known = True

    # --- the line ---

    def may_call(self, now: datetime) -> bool:
        """Whether it was left alone for long enough."""
        return self._quiet_until is None or now >= self._quiet_until

    def call(self, now: datetime, jitter: float) -> None:
        """Open the line; a station that cannot be told is left alone."""
        try:
            # Before the line, so that one that the catalogue does not know occupies none.
            self.data.points(self._database.registry())
            self.line.open()
        except (LineLostError, StationUnknownError) as error:
            self.leave_alone(str(error), now, jitter)

    def leave_alone(self, trouble: str, now: datetime, jitter: float) -> None:
        """Hang up, for longer each time."""
        self.line.close()
        self._asked = None
        self._failures += 1
        delivery = self._settings.delivery
        wait = wait_s(self._failures, first_s=delivery.first_wait_s, longest_s=delivery.longest_wait_s, jitter=jitter)
        self._quiet_until = now + timedelta(seconds=wait)
        if trouble != self.trouble:
            _log.warning("%s: %s", self.line.name, trouble)
        self.trouble = trouble

    def _was_told(self, command: str, packets: int = 1) -> None:
        self.trouble, self._failures, self._quiet_until = "", 0, None
        self.packets[command] += packets

    # --- hours and days ---

    def items(self, data: Data, start: datetime, numbers: Sequence[QueuedNumber]) -> list[Item] | None:
        """Items of a packet with these published numbers; None: there is nothing to tell."""
        registry = self._database.registry()
        build = self.data.hour if data is Data.HOUR else self.data.day
        return self._database.run(lambda connection: build(connection, registry, start, numbers))

    def marked(
        self, data: Data, items: Sequence[Item], numbers: Sequence[QueuedNumber], now: datetime
    ) -> Sequence[Item]:
        """With the mark of late data, where the platform was told before or should have been long ago."""
        end = numbers[0].start + _LENGTHS[data]
        is_again = any(one.attempts or one.is_correction for one in numbers)
        is_late = is_again or now - end > timedelta(seconds=self._settings.timing.late_s)
        return late(items) if is_late and self._settings.protocol.has_late_mark else items

    def tell_packet(self, data: Data, numbers: Sequence[QueuedNumber], now: datetime) -> bool:
        """Tell one packet, and of an hour the minutes that have changed; False: it has nothing to tell."""
        start = numbers[0].start
        items = self.items(data, start, numbers)
        if items is None:
            return False
        if data is Data.HOUR and Data.MINUTE in self.tells:
            self.minutes.tell_again(start, now)
        self.line.tell(COMMANDS[data], self.marked(data, items, numbers, now))
        self._was_told(COMMANDS[data])
        return True

    # --- everything else ---

    def serve(self, now: datetime, allowance: Allowance) -> None:
        """Answer the platform, and tell newest readings and minutes, a batch at most."""
        self.line.listen()
        self._tell_asked(now)
        self._tell_newest(now)
        if Data.MINUTE in self.tells:
            before, batch = self.minutes.told, self._settings.delivery.batch
            self.minutes.tell_live(now, batch)
            allowed = min(batch, allowance.left(now))
            if allowed > 0:
                allowance.spend(self.minutes.tell_backlog(now, allowed))
            if self.minutes.told > before:
                self._was_told(COMMANDS[Data.MINUTE], self.minutes.told - before)
        self.line.heartbeat()

    def has_more(self, now: datetime, allowance: Allowance) -> bool:
        """Whether serving it again at once is worth while."""
        if self._asked is not None or self.line.asked:
            return True
        may_go_back = allowance.left(now) > 0
        return Data.MINUTE in self.tells and (
            self.minutes.has_live(now) or (may_go_back and self.minutes.has_backlog(now))
        )

    def _tell_newest(self, now: datetime) -> None:
        every = timedelta(seconds=self._settings.timing.real_time_s)
        is_due = self._newest_at is None or now - self._newest_at >= every
        if not (is_due and Data.REAL_TIME in self.tells and self.line.wants_real_time):
            return
        self._newest_at = now
        registry = self._database.registry()
        items = self._database.run(lambda connection: self.data.newest(connection, registry, now))
        if items is None or items[0][0][1] == self._newest_told:
            return
        self.line.tell(COMMANDS[Data.REAL_TIME], items)
        self._newest_told = items[0][0][1]
        self._was_told(COMMANDS[Data.REAL_TIME])

    def _tell_asked(self, now: datetime) -> None:
        """Go on with data of the past that the platform wants, a batch of hours at a time."""
        if self._asked is None and self.line.asked:
            asked = self._within_reason(self.line.asked.pop(0), now)
            self._asked = (asked, floor(asked.start, HOUR), 0)
        if self._asked is None:
            return
        asked, here, sent = self._asked
        for _ in range(self._settings.delivery.batch):
            if here > asked.last:
                self.line.say(result_of(asked, self._me, sent=sent))
                self._asked = None
                return
            sent += self._tell_past(asked, here)
            here += HOUR
            self._asked = (asked, here, sent)

    def _within_reason(self, asked: Asked, now: datetime) -> Asked:
        """What is asked for of the time that is told at all: neither centuries nor periods that are not over."""
        timing = self._settings.timing
        over = now - timedelta(minutes=timing.minutes, seconds=timing.minute_grace_s)
        return replace(asked, start=max(asked.start, self._first), last=min(asked.last, over))

    def _tell_past(self, asked: Asked, hour: datetime) -> int:
        """Packets of the data asked for that start in an hour."""
        if asked.data is Data.MINUTE:
            last = asked.last + timedelta(minutes=self._settings.timing.minutes)
            start, end = max(hour, asked.start), min(hour + HOUR, last)
            return self.minutes.tell_asked(start, end) if start < end else 0
        forms, packet = {series.item: series.form for series in self.series()}, self.packet(asked.data)
        uplink = self._settings.uplink.name
        numbers = self._database.run(lambda connection: uplink_packet(connection, uplink, forms, packet, hour))
        told = self.items(asked.data, hour, numbers) if numbers else None
        if told is None:
            return 0
        self.line.tell(COMMANDS[asked.data], late(told) if self._settings.protocol.has_late_mark else told)
        return 1
