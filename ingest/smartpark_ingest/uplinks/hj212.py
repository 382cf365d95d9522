"""The sender of HJ 212: stations of the settings, each on a line of its own to one environment platform.

Hours and days go through the queue: when a published number of a station is new or corrected, its packet is told
whole, with the means of that period beside it. Minutes follow the readings (`hj212_minutes`), real-time data are the
newest readings and are never told later. A station that the platform does not answer is left alone for a while and
does not hold up the others; when none is answered, the platform counts as away. Passwords come from files and are
told to nobody but the platform, which by the standard gets them in clear.
"""

import logging
import random
import re
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

from smartpark.clock import PARK_ZONE, utc_now
from smartpark.errors import InvalidFileError, Problem
from smartpark.exposition import Family, counter, gauge
from smartpark.periods import Grain, period_containing
from smartpark.tomlfile import load_model
from smartpark.uplinks import Delivery, digest_of, wait_s
from smartpark.uplinks.hj212_answers import Asked, Identity, result_of
from smartpark.uplinks.hj212_items import told_total, told_value
from smartpark.uplinks.hj212_segments import Item, write_items
from smartpark.uplinks.hj212_settings import COMMANDS, Data, Hj212Settings, Missing, Station, ToldFactor
from smartpark_storage import (
    Connection,
    Registry,
    StorageUnavailableError,
    connect,
    dsn_from_environment,
    load_registry,
    registry_version,
)
from smartpark_storage.uplink_packets import forget_packets
from smartpark_storage.uplinks import DueNumber, QueuedNumber, uplink_packet

from smartpark_ingest.uplinks.hj212_data import DAY, HOUR, StationData, StationUnknownError
from smartpark_ingest.uplinks.hj212_link import LineLostError, StationLine, late
from smartpark_ingest.uplinks.hj212_minutes import MinuteTeller, Reached, floor
from smartpark_ingest.uplinks.kinds import Reply, Series, State, Verdict
from smartpark_ingest.uplinks.pacing import Allowance

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

_PASSWORD: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_GRAINS: Final = {Data.HOUR: "hour", Data.DAY: "day"}
_LENGTHS: Final = {Data.HOUR: HOUR, Data.DAY: DAY}
_DATA_OF: Final = {command: data for data, command in COMMANDS.items()}
_FORGET_EVERY: Final = timedelta(hours=1)


def hj212_uplink(path: Path) -> "Hj212Uplink":
    """Uplink of a file, with the passwords that it names."""
    settings = load_model(path, Hj212Settings)
    passwords, problems = dict[str, str](), list[Problem]()
    for number, station in enumerate(settings.station):
        try:
            passwords[station.mn] = read_password(station.password_file)
        except LookupError as error:
            problems.append(Problem(str(path), f"station[{number}].password_file", str(error.args[0])))
    if settings.server.ca_file is not None:
        try:
            ssl.create_default_context(cafile=str(settings.server.ca_file))
        except (OSError, ssl.SSLError) as error:
            why = getattr(error, "strerror", None) or error
            problems.append(Problem(str(path), "server.ca_file", f"{settings.server.ca_file} is of no use: {why}"))
    if problems:
        raise InvalidFileError(problems)
    return Hj212Uplink(settings, passwords)


def read_password(path: Path) -> str:
    """Password in a file, alone; `LookupError` says why there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LookupError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not ASCII'}") from None
    if not _PASSWORD.fullmatch(text):
        raise LookupError(f"{path} holds no password: letters and digits, 6 by the standard")
    return text


@dataclass
class _Station:
    """A station while it is served."""

    data: StationData
    line: StationLine
    me: Identity
    minutes: MinuteTeller | None = None
    trouble: str = ""
    failures: int = 0
    quiet_until: datetime | None = None
    newest_told: str = ""
    """Time of the newest readings that were told."""
    real_time_at: datetime | None = None
    asked_at: tuple[Asked, datetime, int] | None = None
    """What the platform wants just now, from where on, and how many packets of it were told."""

    @property
    def mn(self) -> str:
        return self.me.mn

    def tells(self, data: Data) -> bool:
        return data in self.data.station.tells


@dataclass
class _Counts:
    real_time: int = 0
    packets: dict[str, int] = field(default_factory=dict[str, int])


class Hj212Uplink:
    """Stations at one platform."""

    kind = "hj212"
    tells_whole_packets = True

    def __init__(
        self,
        settings: Hj212Settings,
        passwords: Mapping[str, str],
        *,
        dsn: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._dsn, self._clock, self._jitter = settings, dsn, clock, jitter
        self._stations = {one.mn: self._station(one, passwords[one.mn]) for one in settings.station}
        self._factors = {
            (f"{mn}/{COMMANDS[data]}", indicator): factor
            for mn, station in self._stations.items()
            for data in _GRAINS
            for factor in station.data.factors
            for indicator in _indicators(factor, data)
        }
        self._connection: Connection | None = None
        self._registry: Registry | None = None
        self._allowance: Allowance | None = None
        self._forgot_at: datetime | None = None
        self._turn = 0
        self._counts = _Counts()

    def _station(self, station: Station, password: str) -> _Station:
        settings = self._settings
        me = Identity(
            mn=station.mn,
            st=station.st,
            pw=password,
            version=settings.protocol.row.version,
            tells=station.tells,
            real_time_s=settings.timing.real_time_s,
            minutes=settings.timing.minutes,
            set_time=settings.protocol.set_time,
        )
        name = f"uplink {settings.uplink.name}, station {station.mn}"
        line = StationLine(settings.server, settings.protocol, me, self._clock, name)
        return _Station(StationData(settings, station), line, me)

    # --- what it is ---

    @property
    def name(self) -> str:
        """Under which the queue is kept."""
        return self._settings.uplink.name

    @property
    def delivery(self) -> Delivery:
        """How what is queued leaves."""
        return self._settings.delivery

    @property
    def series(self) -> Sequence[Series]:
        """What is told through the queue: the hours and days of each station."""
        return [series for station in self._stations.values() for series in self._series(station)]

    def _series(self, station: _Station) -> Iterator[Series]:
        place = station.data.station
        for data, grain in _GRAINS.items():
            packet = f"{station.mn}/{COMMANDS[data]}"
            for factor in station.data.factors if station.tells(data) else ():
                for indicator in _indicators(factor, data):
                    yield Series(
                        item=f"{packet}/{indicator}",
                        form=digest_of(
                            factor.model_dump(mode="json"), self._settings.quality.model_dump(mode="json")
                        ),
                        park=place.park,
                        boundary=f"device/{place.device}",
                        indicator=indicator,
                        grain=grain,
                        packet=packet,
                    )

    @property
    def resting(self) -> Collection[str]:
        """Packets of the stations that have no line."""
        away = [mn for mn, station in self._stations.items() if not station.line.is_open]
        return {f"{mn}/{COMMANDS[data]}" for mn in away for data in _GRAINS}

    def judge(self, number: DueNumber) -> Verdict:
        """Told is what its packet would say; without a value it is a mark, or nothing."""
        factor = self._factors[number.packet, number.indicator]
        is_left_out = number.estimated_share > 0 and not self._settings.quality.estimated_totals
        value = None if is_left_out else number.value
        if value is None and self._settings.quality.missing is Missing.OMIT:
            why = "rests on substituted hours" if is_left_out else number.reason or "no value"
            return Verdict("", withheld=why)
        text = told_total(factor, value) if number.indicator == factor.total else told_value(factor, value)
        return Verdict(digest_of(number.indicator, factor.code, factor.unit, text))

    # --- the line ---

    def connect(self, state: State, now: datetime) -> State:
        """Call the platform for each station that has no line."""
        for station in self._stations.values():
            if station.minutes is None:
                station.minutes = self._minute_teller(station, state)
        all_away = not any(one.line.is_open for one in self._stations.values())
        for station in self._stations.values():
            if station.line.is_open:
                continue
            if all_away or station.quiet_until is None or now >= station.quiet_until:
                self._call(station, now)
        self._need_a_line()
        reached = {mn: one.minutes.reached.as_json() for mn, one in self._stations.items() if one.minutes is not None}
        troubles = {mn: one.trouble for mn, one in self._stations.items() if one.trouble}
        return {**state, "minutes": {**state.get("minutes", {}), **reached}, "troubles": troubles}

    def _minute_teller(self, station: _Station, state: State) -> MinuteTeller:
        kept = state.get("minutes", {}).get(station.mn)
        first = datetime.combine(self.delivery.since, time.min, tzinfo=PARK_ZONE)
        reached = Reached(first) if kept is None else Reached.of(kept)
        return MinuteTeller(self._settings, station.data, station.line, self._run, self._current_registry, reached)

    def _call(self, station: _Station, now: datetime) -> None:
        try:
            # Before the line, so that a station that cannot be told does not occupy one.
            station.data.points(self._current_registry())
            station.line.open()
        except (LineLostError, StationUnknownError) as error:
            self._leave_alone(station, str(error), now)

    def _leave_alone(self, station: _Station, trouble: str, now: datetime) -> None:
        station.line.close()
        station.asked_at = None
        station.failures += 1
        wait = wait_s(
            station.failures,
            first_s=self.delivery.first_wait_s,
            longest_s=self.delivery.longest_wait_s,
            jitter=self._jitter(),
        )
        station.quiet_until = now + timedelta(seconds=wait)
        if trouble != station.trouble:
            _log.warning("%s: %s", station.line.name, trouble)
        station.trouble = trouble

    def _is_well(self, station: _Station) -> None:
        station.trouble, station.failures, station.quiet_until = "", 0, None

    def _need_a_line(self) -> None:
        if not any(one.line.is_open for one in self._stations.values()):
            troubles = dict.fromkeys(one.trouble for one in self._stations.values() if one.trouble)
            raise LineLostError("; ".join(troubles) or "no station has a line")

    def ready(self, state: State, now: datetime) -> Mapping[str, datetime]:
        """Whatever has ended may be told."""
        del state
        return {grain: period_containing(now, Grain(grain)).start for grain in _GRAINS.values()}

    # --- hours and days ---

    def send(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Reply:
        """Tell one packet, and the minutes of its hour that have changed."""
        del state
        mn, _, command = numbers[0].packet.partition("/")
        station = self._stations[mn]
        if not station.line.is_open:
            # It was lost in this very round, and others have a line.
            return Reply()
        try:
            items = self._items(station, _DATA_OF[command], numbers[0].start, numbers)
            if items is None:
                return Reply(refused=[(one, "its packet has nothing to tell") for one in numbers])
            if command == COMMANDS[Data.HOUR] and station.minutes is not None and station.tells(Data.MINUTE):
                station.minutes.tell_again(numbers[0].start, now)
            station.line.tell(command, self._marked(items, numbers, now))
        except (LineLostError, StationUnknownError) as error:
            self._leave_alone(station, str(error), now)
            self._need_a_line()
            return Reply()
        self._is_well(station)
        self._count(command)
        return Reply(taken=list(numbers))

    def _items(
        self, station: _Station, data: Data, start: datetime, numbers: Sequence[QueuedNumber]
    ) -> list[Item] | None:
        registry = self._current_registry()
        build = station.data.hour if data is Data.HOUR else station.data.day
        return self._run(lambda connection: build(connection, registry, start, numbers))

    def _marked(self, items: Sequence[Item], numbers: Sequence[QueuedNumber], now: datetime) -> Sequence[Item]:
        """With the mark of late data, where the platform was told before or should have been long ago."""
        grain = numbers[0].grain
        end = numbers[0].start + next(_LENGTHS[data] for data, name in _GRAINS.items() if name == grain)
        is_again = any(one.attempts or one.is_correction for one in numbers)
        is_late = is_again or now - end > timedelta(seconds=self._settings.timing.late_s)
        return late(items) if is_late and self._settings.protocol.has_late_mark else items

    # --- everything else ---

    def idle(self, now: datetime) -> bool:
        """Answer the platform, and tell real-time data and minutes; whether there are more of them."""
        self._forget(now)
        stations = list(self._stations.values())
        self._turn = (self._turn + 1) % len(stations)
        for station in (*stations[self._turn :], *stations[: self._turn]):
            if not station.line.is_open:
                continue
            try:
                self._serve(station, now)
            except LineLostError as error:
                # One lost line costs all the waiting that a round may take; the others come in the next one.
                self._leave_alone(station, str(error), now)
                break
        self._need_a_line()
        return any(self._has_more(station, now) for station in stations if station.line.is_open)

    def _has_more(self, station: _Station, now: datetime) -> bool:
        if station.asked_at is not None or station.line.asked:
            return True
        minutes = station.minutes
        if minutes is None or not station.tells(Data.MINUTE):
            return False
        may_go_back = self._allowance is not None and self._allowance.left(now) > 0
        return minutes.has_live(now) or (may_go_back and minutes.has_backlog(now))

    def _serve(self, station: _Station, now: datetime) -> None:
        line = station.line
        line.listen()
        self._tell_asked(station)
        self._tell_newest(station, now)
        if station.minutes is not None and station.tells(Data.MINUTE):
            before = station.minutes.told
            station.minutes.tell_live(now, self.delivery.batch)
            allowance = self._allowance = self._allowance or Allowance(self.delivery.backlog_per_minute, now)
            allowed = min(self.delivery.batch, allowance.left(now))
            if allowed > 0:
                allowance.spend(station.minutes.tell_backlog(now, allowed))
            if station.minutes.told > before:
                self._is_well(station)
                self._count(COMMANDS[Data.MINUTE], station.minutes.told - before)
        line.heartbeat()

    def _tell_newest(self, station: _Station, now: datetime) -> None:
        every = timedelta(seconds=self._settings.timing.real_time_s)
        is_due = station.real_time_at is None or now - station.real_time_at >= every
        if not (is_due and station.tells(Data.REAL_TIME) and station.line.wants_real_time):
            return
        station.real_time_at = now
        registry = self._current_registry()
        items = self._run(lambda connection: station.data.newest(connection, registry, now))
        if items is None or items[0][0][1] == station.newest_told:
            return
        station.line.tell(COMMANDS[Data.REAL_TIME], items)
        station.newest_told = items[0][0][1]
        self._is_well(station)
        self._count(COMMANDS[Data.REAL_TIME])

    def _tell_asked(self, station: _Station) -> None:
        """Go on with data of the past that the platform wants, a batch at a time."""
        if station.asked_at is None and station.line.asked:
            asked = station.line.asked.pop(0)
            station.asked_at = (asked, floor(asked.start, HOUR), 0)
        if station.asked_at is None:
            return
        asked, here, sent = station.asked_at
        for _ in range(self.delivery.batch):
            if here > asked.last:
                station.line.say(result_of(asked, station.me, sent=sent))
                station.asked_at = None
                return
            sent += self._tell_past(station, asked, here)
            here += HOUR
            station.asked_at = (asked, here, sent)

    def _tell_past(self, station: _Station, asked: Asked, hour: datetime) -> int:
        """Packets of the data asked for that start in an hour."""
        if asked.data is Data.MINUTE:
            last = asked.last + timedelta(minutes=self._settings.timing.minutes)
            teller = station.minutes
            start, end = max(hour, asked.start), min(hour + HOUR, last)
            return 0 if teller is None or start >= end else teller.tell_asked(start, end)
        packet = f"{station.mn}/{COMMANDS[asked.data]}"
        forms = {series.item: series.form for series in self._series(station)}
        numbers = self._run(lambda connection: uplink_packet(connection, self.name, forms, packet, hour))
        told = self._items(station, asked.data, hour, numbers) if numbers else None
        if told is None:
            return 0
        station.line.tell(COMMANDS[asked.data], late(told) if self._settings.protocol.has_late_mark else told)
        return 1

    def preview(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Iterator[Mapping[str, Any]]:
        """Packets that would be told, without QN and password."""
        del state
        for (packet, start), group in groupby(numbers, lambda one: (one.packet, one.start)):
            mn, _, command = packet.partition("/")
            together = list(group)
            items = self._items(self._stations[mn], _DATA_OF[command], start, together)
            text = None if items is None else write_items(self._marked(items, together, now))
            yield {"station": mn, "command": command, "start": start, "cp": text}

    # --- the database ---

    def _run(self, work: Callable[[Connection], Result]) -> Result:
        """Result of work on a connection of our own; the worker waits where the database is away."""
        try:
            if self._connection is None:
                dsn = self._dsn or dsn_from_environment()
                self._connection = connect(dsn, application=f"smartpark uplink {self.name}, stations")
            return work(self._connection)
        except StorageUnavailableError:
            self._hang_up_database()
            raise

    def _hang_up_database(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _current_registry(self) -> Registry:
        def look(connection: Connection) -> Registry:
            if self._registry is None or self._registry.version != registry_version(connection):
                self._registry = load_registry(connection)
            return self._registry

        return self._run(look)

    def _forget(self, now: datetime) -> None:
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            before = now - timedelta(days=self.delivery.keep_days)
            self._run(lambda connection: forget_packets(connection, self.name, before))
            self._forgot_at = now

    def _count(self, command: str, packets: int = 1) -> None:
        self._counts.packets[command] = self._counts.packets.get(command, 0) + packets

    def families(self) -> Iterator[Family]:
        """Lines, packets, and what the platform said."""
        for station in self._stations.values():
            labels, counts = {"uplink": self.name, "station": station.mn}, station.line.counts
            for metric, meaning, value in (
                ("frames_total", "Frames sent, repetitions included.", counts.frames),
                ("repeated_total", "Frames sent again for want of an answer.", counts.repeated),
                ("answered_total", "Frames that were answered.", counts.answered),
                ("foreign_answers_total", "Answers to nothing that was asked.", counts.foreign_answers),
                ("damaged_total", "Frames of the platform that were of no use.", counts.damaged),
                ("asked_total", "Commands of the platform.", sum(counts.asked.values())),
            ):
                yield counter(f"smartpark_uplink_hj212_{metric}", meaning, value, labels)
            line_is_up = float(station.line.is_open)
            yield gauge("smartpark_uplink_hj212_line_up", "1 while a station has a line.", line_is_up, labels)
            meaning = "By how much the platform's clock was ahead when it wanted to set ours."
            offset = counts.clock_offset_s
            yield gauge("smartpark_uplink_hj212_platform_clock_ahead_seconds", meaning, offset, labels)
        for command, packets in sorted(self._counts.packets.items()):
            labels = {"uplink": self.name, "command": command}
            yield counter("smartpark_uplink_hj212_packets_total", "Packets acknowledged.", packets, labels)

    def close(self) -> None:
        """Hang up."""
        for station in self._stations.values():
            station.line.close()
        self._hang_up_database()


def _indicators(factor: ToldFactor, data: Data) -> list[str]:
    """Published numbers on which the packet of a factor rests; corrected means are published of hours alone."""
    names = (factor.total, factor.index, factor.corrected if data is Data.HOUR else None)
    return [name for name in names if name]
