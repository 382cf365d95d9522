"""Minute packets of HJ 212: which periods of a station are still to be told, oldest first.

They rest on readings, not on published numbers, so the queue does not know them. Kept of each station is up to where
was told, and which gaps an outage left behind; of each period that was told, a digest. A period without any reading
is not told. Readings that come later are noticed when the hour that they belong to is told again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smartpark.uplinks import digest_of
from smartpark.uplinks.hj212_segments import Item
from smartpark.uplinks.hj212_settings import COMMANDS, Data, Hj212Settings
from smartpark_storage.uplink_packets import acknowledge_packet, mark_packet_sent, told_packets

from smartpark_ingest.uplinks.hj212_data import HOUR, StationData
from smartpark_ingest.uplinks.hj212_database import StationDatabase
from smartpark_ingest.uplinks.hj212_link import StationLine, late

COMMAND: Final = COMMANDS[Data.MINUTE]


@dataclass
class Reached:
    """How far the minutes of a station were told."""

    until: datetime
    """Everything before was told, but for the gaps."""
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list[tuple[datetime, datetime]])
    """Spans that were left behind so that live data could go first, oldest first."""

    def leave_behind(self, live_from: datetime) -> None:
        """Go on with what is live; what lies before becomes a gap."""
        if self.until < live_from:
            self.gaps.append((self.until, live_from))
            self.until = live_from

    def let_go(self, before: datetime) -> None:
        """Of what lies before a moment nothing is told any more."""
        self.until = max(self.until, before)
        self.gaps = [(max(start, before), end) for start, end in self.gaps if end > before]

    def as_json(self) -> dict[str, Any]:
        """For the state of the uplink."""
        return {"until": self.until.isoformat(), "gaps": [[a.isoformat(), b.isoformat()] for a, b in self.gaps]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Reached":
        """From the state of the uplink."""
        gaps = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in document["gaps"]]
        return cls(datetime.fromisoformat(document["until"]), gaps)


def floor(moment: datetime, length: timedelta) -> datetime:
    """Start of the period of this length that a moment lies in; lengths divide an hour."""
    return moment - (moment - datetime(1970, 1, 1, tzinfo=UTC)) % length


@dataclass
class MinuteTeller:
    """Tells the minute packets of one station."""

    settings: Hj212Settings
    data: StationData
    line: StationLine
    database: StationDatabase
    reached: Reached
    told: int = 0

    @property
    def key(self) -> str:
        """Of the periods that were told."""
        return f"{self.data.station.mn}/{COMMAND}"

    def tell_live(self, now: datetime, most: int) -> None:
        """Tell what has ended since, at most about so many packets."""
        closed = self._closed(now)
        self.reached.let_go(floor(now - timedelta(days=self.settings.delivery.keep_days), HOUR))
        if self.settings.delivery.live_first:
            self.reached.leave_behind(self._live_from(now))
        while most > 0 and self.has_live(now):
            end = min(closed, floor(self.reached.until, HOUR) + HOUR)
            # An hour without data costs a look too.
            most -= max(1, self.tell_span(self.reached.until, end, now))
            self.reached.until = end

    def has_live(self, now: datetime) -> bool:
        """Whether there are live periods that have ended and were not told."""
        return self._live_from(now) <= self.reached.until < self._closed(now)

    def has_backlog(self, now: datetime) -> bool:
        """Whether older periods were not told."""
        return self._oldest(now) is not None

    def tell_backlog(self, now: datetime, most: int) -> int:
        """Tell the oldest of what was left behind, an hour at a time, at most about so many packets; how many."""
        told, looks = 0, 0
        while told < most and looks < most:
            span = self._oldest(now)
            if span is None:
                break
            end = min(span[1], floor(span[0], HOUR) + HOUR)
            told += self.tell_span(span[0], end, now)
            looks += 1
            self._done(end)
        return told

    def tell_again(self, start: datetime, now: datetime) -> None:
        """Tell what has changed in an hour that was told before."""
        end = min(start + HOUR, self.reached.until)
        in_gap = any(a < end and start < b for a, b in self.reached.gaps)
        if start < end and not in_gap:
            self.tell_span(start, end, now)

    def tell_span(self, start: datetime, end: datetime, now: datetime) -> int:
        """Tell the periods of a span that the platform does not know as they are; how many."""
        uplink, told = self.settings.uplink.name, 0
        known = self.database.run(lambda connection: told_packets(connection, uplink, self.key, start, end))
        for begins, items in self._packets(start, end):
            digest, before = digest_of(items), known.get(begins)
            if before is not None and before.digest == digest:
                continue
            self.database.run(lambda connection, at=begins: mark_packet_sent(connection, uplink, self.key, at, now))
            self.line.tell(COMMAND, self.marked(items, begins, now, is_again=before is not None))
            self.database.run(
                lambda connection, at=begins, digest=digest: acknowledge_packet(
                    connection, uplink, self.key, at, digest=digest, now=now
                )
            )
            told += 1
            self.told += 1
        return told

    def tell_asked(self, start: datetime, end: datetime) -> int:
        """Tell the periods of a span because the platform wants them, whatever it knows; how many."""
        packets = self._packets(start, end)
        for _, items in packets:
            self.line.tell(COMMAND, late(items) if self.settings.protocol.has_late_mark else items)
        return len(packets)

    def marked(self, items: Sequence[Item], begins: datetime, now: datetime, *, is_again: bool) -> Sequence[Item]:
        """Items with the mark of late data where it belongs."""
        length = timedelta(minutes=self.settings.timing.minutes)
        is_late = is_again or now - (begins + length) > timedelta(seconds=self.settings.timing.late_s)
        return late(items) if is_late and self.settings.protocol.has_late_mark else items

    def _packets(self, start: datetime, end: datetime) -> list[tuple[datetime, list[Item]]]:
        registry = self.database.registry()
        first, last = floor(start, HOUR), floor(end - timedelta(microseconds=1), HOUR) + HOUR
        found = self.database.run(lambda connection: self.data.minutes(connection, registry, first, last))
        return [(begins, items) for begins, items in sorted(found.items()) if start <= begins < end]

    def _closed(self, now: datetime) -> datetime:
        timing = self.settings.timing
        return floor(now - timedelta(seconds=timing.minute_grace_s), timedelta(minutes=timing.minutes))

    def _live_from(self, now: datetime) -> datetime:
        return floor(now - timedelta(hours=self.settings.delivery.live_for_h), HOUR)

    def _oldest(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Oldest span that was left behind."""
        if self.reached.gaps:
            return self.reached.gaps[0]
        live_from = self._live_from(now)
        return (self.reached.until, live_from) if self.reached.until < live_from else None

    def _done(self, end: datetime) -> None:
        """The oldest span was told until here."""
        if not self.reached.gaps:
            self.reached.until = end
        elif self.reached.gaps[0][1] <= end:
            del self.reached.gaps[0]
        else:
            self.reached.gaps[0] = (end, self.reached.gaps[0][1])
